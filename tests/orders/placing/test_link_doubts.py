"""A link that looks odd is ordered for only by a deliberate yes; a subscription takes the profile a link names."""

import re

import pytest
from django.test import Client

from orders.models import Order
from tests.makers import make_service
from tests.orders.placing.test_order_form import LINK, filled
from tests.people import as_a

pytestmark = pytest.mark.django_db
TIKTOK = "https://www.tiktok.com/@lumen"


@pytest.fixture
def operator() -> Client:
    """The browser of a person who may place orders."""
    return as_a("operator")


def tick(page: str) -> str:
    """The value of the box that says that the link is right; "" when the page has no such box."""
    box = re.search(r'name="despite_doubt" id="id_despite_doubt" value="([^"]*)"', page)
    return box[1].replace("&amp;", "&").replace("&#39;", "'") if box else ""


def receipt(operator: Client, form: dict[str, str]) -> str:
    """What the page asks for while somebody types."""
    return operator.post("/orders/new/receipt/", form).content.decode()


@pytest.mark.parametrize(("category", "link", "doubt"), [
    ("Instagram Followers", TIKTOK, "This link is on www.tiktok.com, and the service is for Instagram."),
    ("𝗜𝗻𝘀𝘁𝗮𝗴𝗿𝗮𝗺 𝗙𝗼𝗹𝗹𝗼𝘄𝗲𝗿𝘀", TIKTOK, "the service is for Instagram."),
    ("TG Members", LINK, "the service is for Telegram."),
    ("Instagram Likes", LINK, "looks like a profile"),
    ("YouTube Views", "https://youtube.com/@lumen", "looks like a profile"),
    ("Instagram Followers", "https://instagram.com/p/AbC", "looks like a post"),
    ("Facebook Page Followers", "https://www.facebook.com/share/p/AbC/", "looks like a post"),
    ("Facebook Page Followers", "https://www.facebook.com/groups/9/posts/1", "looks like a post"),
    ("Instagram Followers", "https://bit.ly/AbC", "forwards to another address"),
    ("Instagram Followers", "https://instаgram.com/lumen", "may only look like"),
    ("Instagram Followers", "https://instagram.com/explore/tags/lumen", "a page of Instagram itself"),
])  # fmt: skip
def test_an_odd_link_takes_a_tick(operator: Client, category: str, link: str, doubt: str) -> None:
    """Pressed again and again it stays unsent; with the box ticked that the page shows, it goes as it was typed."""
    service = make_service(category=category, name=category)
    form = filled(service, link=link)
    page = receipt(operator, form)
    assert doubt in page
    for _ in range(3):
        answer = operator.post("/orders/new/", form)
        assert answer.status_code == 422
        assert "Say that it is right" in answer.content.decode()
    answer = operator.post("/orders/new/", {**form, "despite_doubt": tick(answer.content.decode())})
    assert answer.status_code == 302
    assert Order.objects.get().link == link


def test_the_yes_is_to_one_link(operator: Client) -> None:
    """Ticked, and then another link typed: that one was not agreed to."""
    service = make_service()
    form = filled(service, link=TIKTOK)
    agreed = tick(receipt(operator, form))
    answer = operator.post("/orders/new/", {**form, "link": f"{TIKTOK}2", "despite_doubt": agreed})
    assert answer.status_code == 422
    assert not Order.objects.exists()


def test_a_right_link_asks_for_no_tick(operator: Client) -> None:
    """The box is there only for an odd link."""
    service = make_service()
    assert tick(receipt(operator, filled(service))) == ""
    assert operator.post("/orders/new/", filled(service)).status_code == 302


def test_a_link_that_goes_nowhere_is_refused_in_its_field(operator: Client) -> None:
    """The sentence says what to write; no tick sends it."""
    service = make_service()
    for link, sentence in (
        ("https://instagram.com/", "This is the front page of Instagram."),
        ("https://instagram.com/lumen|100", "Write the link alone"),
        ("https://instagram.com/a,https://instagram.com/b", "These are two links."),
    ):
        answer = operator.post("/orders/new/", filled(service, link=link, despite_doubt=link))
        assert answer.status_code == 422
        assert sentence in answer.content.decode()
    assert not Order.objects.exists()


def test_what_was_mended_is_said_before_and_after(operator: Client) -> None:
    """An invisible mark is taken off, and never without a word."""
    form = filled(make_service(), link=f"\ufeff{LINK}.")
    assert "Took off an invisible mark in front." in receipt(operator, form)
    page = operator.post("/orders/new/", form, follow=True).content.decode()
    assert "Took off an invisible mark in front. Took off the . at the end." in page
    assert Order.objects.get().link == LINK


@pytest.mark.parametrize(("category", "typed", "name"), [
    ("TikTok › Auto Views", "https://www.tiktok.com/@lumen/video/123", "lumen"),
    ("Instagram › Auto Likes", "https://www.instagram.com/lumen/reels/", "lumen"),
    ("X › Auto Likes", "https://x.com/lumen/status/1", "lumen"),
    ("Instagram › Auto Likes", "https://instagram.com/lumen/p/AbC", "lumen"),
    ("Instagram › Auto Likes", "@lumen", "lumen"),
    ("Instagram › Auto Likes", "https://www.instagram.com/p/ABC/", ""),
    ("Instagram › Auto Likes", "https://instagram.com/", ""),
    ("Instagram › Auto Likes", "https://www.tiktok.com/@lumen", ""),
    ("Telegram › Auto Post Views", "https://t.me/+AbC", ""),
    ("YouTube › Auto Likes", "https://youtu.be/AbC", ""),
    ("YouTube › Auto Likes", "https://youtube.com/channel/UCabc", ""),
])  # fmt: skip
def test_a_subscription_takes_the_profile_that_a_link_names(
    operator: Client, category: str, typed: str, name: str
) -> None:
    """On its own network, or it refuses; the code of a post is nobody's name."""
    service = make_service(type="Subscriptions", category=category, name=category)
    answer = operator.post("/orders/new/", filled(service, link="", username=typed, min=100, max=200))
    assert [order.body["username"] for order in Order.objects.all()] == ([name] if name else [])
    if not name:
        assert "This link names no profile on" in answer.content.decode()

"""What people type into the search, and the orders that it finds."""

import logging
import re
import uuid
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from orders.models import Event, KeptSearch, Order, SavedView
from orders.models.kept_search import KEPT_FOR, SEARCH_CHARACTERS
from orders.table.filters import search_words
from orders.table.listing import Listing
from tests.makers import make_order, make_service, make_user
from tests.people import as_user, htmx

pytestmark = pytest.mark.django_db


@pytest.fixture
def ana() -> User:
    """The person who searches."""
    return make_user(name="Mira")


@pytest.fixture
def order(ana: User) -> Order:
    """An order for a post, among others that share parts with it."""
    service = make_service()
    for link in (
        "https://instagram.com/p/Other",
        "https://www.tiktok.com/@quiet.harbour",
        "https://instagram.com/lumen.studio",
    ):
        make_order("completed", by=ana, service=service, link=link)
    order = make_order("completed", by=ana, service=service, link="https://www.instagram.com/p/AbC")
    Order.objects.filter(pk=order.pk).update(upstream_id="ord_01ABCdefGHJ", request_id=uuid.UUID("3f9c0ab1" + "5" * 24))
    return Order.objects.get(pk=order.pk)


def found_links(ana: User, text: str) -> list[str]:
    """The links of the orders that a search finds, without scheme and host."""
    return [order.link.split("/", 3)[3] for order in Listing(ana, text=text).page().orders]


@pytest.mark.parametrize("text", [
    "http://instagram.com/p/AbC/", "http://instagram.com/p/AbC", "https://m.instagram.com/p/AbC/",
    "http://m.instagram.com/p/AbC", "m.instagram.com/p/AbC", "http://www.instagram.com/p/AbC/",
    "HTTP://M.Instagram.com/p/AbC/", "https://instagram.com/p/AbC/?igsh=1", "www.instagram.com/p/AbC/",
    "http://m.instagram.com/p/AbC?utm_source=x", "please see http://m.instagram.com/p/AbC/ !",
    "http://m.instagram.com/p/Ab", "m.instagram.com/p/AbC", "instagram.com/p/abc/",
    "ord_01ABCdefGHJ", "Ord_01ABCdefGHJ", "ORD_01ABCdefGHJ", "ord_01ABC", "ord_01AB", "Ord_01ABCd",
    "3f9c0ab1", "3F9C0AB1", "3f9c0ab1-5555", "3f9c0ab15555", "3f9c0ab1-5555-5555-5555-555555555555",
    "https://notpanel.com/orders/ord_01ABCdefGHJ", "https://app.notpanel.com/#/orders/ord_01ABCdefGHJ?tab=1",
    "notpanel.com/order?id=Ord_01ABCdefGHJ",
])  # fmt: skip
def test_the_order_is_found_by(text: str, order: Order, ana: User) -> None:
    """Each text names the order, or begins or stands in what names it."""
    assert found_links(ana, text) == ["p/AbC"]


@pytest.mark.parametrize("text", ["http://localhost/orders/{}/", "/orders/{}/", "127.0.0.1:8000/orders/{}?from=q%3D1"])
def test_the_order_is_found_by_its_own_address(text: str, order: Order, ana: User) -> None:
    """Whole, without a scheme, or as a path alone."""
    assert found_links(ana, text.format(order.pk)) == ["p/AbC"]


@pytest.mark.parametrize(("text", "links"), [
    ("@lumen.studio", ["lumen.studio"]), ("@Lumen.Studio", ["lumen.studio"]), ("＠lumen.studio", ["lumen.studio"]),
    ("@lumen.studio,", ["lumen.studio"]), ("(@lumen.studio)", ["lumen.studio"]), ("@@lumen.studio", ["lumen.studio"]),
    ("instagram @lumen", ["lumen.studio"]), ("@quiet.harbour", ["@quiet.harbour"]), ("@quiet", ["@quiet.harbour"]),
    ("“@quiet.harbour”.", ["@quiet.harbour"]), ("@mira @lumen", ["lumen.studio"]),
    ("lumen@studio", []), ("@nobody", []),
])  # fmt: skip
def test_a_name_with_an_at_is_found_in_links(text: str, links: list[str], order: Order, ana: User) -> None:
    """On networks whose links have the @ and on those whose links do not."""
    assert found_links(ana, text) == links


@pytest.mark.parametrize("text", [
    "ord_02ABC", "ord_01ABCdefGHJx", "ord_01A", "3f9c0ab2", "3f9c0ab", "https://notpanel.com/orders/ord_01",
    "https://instagram.com/ord_01ABCdefGHJ", "https://other.example/orders/1/",
])  # fmt: skip
def test_nothing_is_found_by(text: str, order: Order, ana: User) -> None:
    """Other ids, beginnings that are too short, and other people's addresses."""
    assert found_links(ana, text) == []


@pytest.mark.parametrize(("typed", "word"), [
    ("https://m.instagram.com/p/", "instagram.com/p"), ("m.facebook.com", "facebook.com"), ("m.lumen", "m.lumen"),
    ("instagram.com/", "instagram.com"), ("and/or", "and/or"), ("m", "m"), ("@a", "a"), ("@", "@"), ("50%", "50%"),
])  # fmt: skip
def test_a_word_is_searched_for_as_links_have_it(typed: str, word: str) -> None:
    """Only what looks like a link loses its beginning and its last slash."""
    assert search_words(typed) == [word]


def test_the_page_of_a_message_names_the_numbers_that_were_not_taken(order: Order, ana: User) -> None:
    """Each leads to its order, with the words around it."""
    other = Order.objects.exclude(pk=order.pk).order_by("pk")[0]
    page = as_user(ana).get("/orders/", {"q": f"order #{order.pk}, quantity {other.pk}"}).content.decode()
    assert f'id="order-{order.pk}"' in page
    assert f'id="order-{other.pk}"' not in page
    assert "Also numbers of orders," in page
    assert f"(“<bdi>order #{order.pk}, quantity {other.pk}</bdi>”)" in page


@pytest.mark.parametrize("text", ["ord_01ABC", "3f9c0ab1"])
def test_a_beginning_is_found_by_an_index(text: str, order: Order, ana: User) -> None:
    """No query of the search reads all orders."""
    with CaptureQueriesContext(connection) as queries:
        assert Listing(ana, text=text).named.orders
    if connection.vendor == "sqlite":
        for query in queries:
            with connection.cursor() as cursor:
                cursor.execute("EXPLAIN QUERY PLAN " + query["sql"].replace("%", "%%"), [])
                assert all("SCAN" not in row[3] for row in cursor.fetchall()), query["sql"]


# ── From the top bar ─────────────────────────────────────────────────────────────────────────────
def searched(client: Client, text: str) -> tuple[str, str]:
    """The address that a search from the top bar leads to, and its page."""
    answer = client.post("/orders/searches/", {"q": text}, follow=True)
    return answer.redirect_chain[-1][0], answer.content.decode()


def long_message(*words: str) -> str:
    """A message of nearly eight thousand characters with these words in it."""
    text = "Dear support, the orders of our customer Lumen Studio are stuck since yesterday, please look at them. " * 76
    return f"{text}{' and '.join(words)}, thanks"


def test_a_long_message_is_found_from_the_top_bar_and_stays_in_no_address(order: Order, ana: User) -> None:
    """No link of the page holds it either; its address is short, and finds the same for a teammate."""
    client, message = as_user(ana), long_message(f"#{order.pk}", "ord_nowhere")
    assert 7_000 < len(message) < SEARCH_CHARACTERS
    address, page = searched(client, message)
    assert f'id="order-{order.pk}"' in page
    assert "ord_nowhere" in page
    assert re.fullmatch(r"/orders/\?s=[0-9a-f]{24}", address)
    links = re.findall(r'(?:href|action|hx-get|formaction)="([^"]*)"', page)
    assert links
    assert not [
        link
        for link in links
        if "customer" in link.replace("customers", "") or "Lumen" in link or "/orders/?q=" in link or len(link) > 300
    ]
    assert f'id="order-{order.pk}"' in as_user(make_user()).get(address).content.decode()


@pytest.mark.parametrize(
    "text", ["@lumen.studio", "lumen studio", "https://instagram.com/lumen.studio", "Ana Kovač ☎ 22"]
)
def test_a_customers_name_stays_in_no_address_and_no_log(
    text: str, order: Order, ana: User, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither where the search leads, nor in what is logged, nor in the record of an export."""
    caplog.set_level(logging.DEBUG)
    client = as_user(ana)
    address, page = searched(client, text)
    poll = re.search(r'id="poll" hx-get="([^"]+)"', page)
    assert poll
    client.get(poll[1].replace("&amp;", "&"), headers=htmx())
    client.post(address.replace("/orders/?", "/orders/export/?"))
    lines = [record.getMessage() for record in caplog.records if record.name != "django.db.backends"]  # with DEBUG on
    written = f"{address} {poll[1]} {lines}"
    written += str(list(Event.objects.filter(kind="exported").values_list("facts", flat=True)))
    assert "and a search" in written
    for word in re.findall(r"\w{4,}", text.removeprefix("https://instagram.com/")):
        assert word not in written


def test_the_same_search_has_the_same_address(ana: User) -> None:
    """A bookmark stays good, and a search that is typed a hundred times is kept once."""
    client = as_user(ana)
    assert searched(client, " @lumen ")[0] == searched(client, "@lumen")[0] != searched(client, "@lumens")[0]
    assert KeptSearch.objects.count() == 2


@pytest.mark.parametrize("text", ["", "   ", "\0"])
def test_an_empty_search_leads_to_all_orders(text: str, ana: User) -> None:
    """Nothing is kept."""
    assert searched(as_user(ana), text)[0] == "/orders/"
    assert not KeptSearch.objects.exists()


def test_a_search_that_is_not_kept_any_more_finds_nothing_and_says_so(order: Order, ana: User) -> None:
    """All orders in its place would be more than somebody asked for, for example for a cancel of all that match."""
    client = as_user(ana)
    page = client.get("/orders/?s=0123456789abcdef01234567").content.decode()
    assert "not kept any more" in page
    assert 'id="order-' not in page
    dry = client.post("/orders/bulks/new/", {"kind": "cancel", "which": "all", "match": "s=0123"})
    assert dry.status_code == 422


def test_the_list_of_a_search_keeps_it_in_filters_tabs_and_ticks(order: Order, ana: User) -> None:
    """Also with another filter beside it, on every page, and for all that match."""
    client = as_user(ana)
    address, _ = searched(client, long_message(f"#{order.pk}"))
    query = address.partition("?")[2]
    assert f'id="order-{order.pk}"' not in client.get(f"{address}&status=pending").content.decode()
    assert f'name="s" value="{query.removeprefix("s=")}"' in client.get(f"/orders/filters/?{query}").content.decode()
    dry = client.post("/orders/bulks/new/", {"kind": "refill", "which": "all", "match": query}).content.decode()
    assert "Refill 1:" in dry


def test_old_searches_are_forgotten_unless_a_saved_view_shows_them(order: Order, ana: User) -> None:
    """A search from then on has nothing to forget."""
    client = as_user(ana)
    (old, _), (viewed, _) = searched(client, "@quiet"), searched(client, "@lumen")
    client.post("/orders/views/new/", {"name": "Lumen", "query": viewed.partition("?")[2]})
    KeptSearch.objects.update(typed_at=timezone.now() - KEPT_FOR - timedelta(minutes=1))
    searched(client, "@harbour")
    assert set(KeptSearch.objects.values_list("text", flat=True)) == {"@lumen", "@harbour"}
    assert "not kept any more" in client.get(old).content.decode()
    assert "lumen.studio" in client.get(SavedView.objects.get().get_absolute_url()).content.decode()


def test_a_search_that_is_too_long_says_how_much_was_read(order: Order, ana: User) -> None:
    """The rest is not dropped without a word."""
    _, page = searched(as_user(ana), f"#{order.pk} " + "x " * SEARCH_CHARACTERS)
    assert f'id="order-{order.pk}"' in page
    assert "The first 8,000 of" in page

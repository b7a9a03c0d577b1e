"""The same service and link again: shown before anything is sent, and ordered only by a deliberate yes."""

import re
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from catalog.models import Service
from orders.models import Order
from orders.placing.place import similar_orders
from orders.rules.statuses import LIFE, Status
from tests.makers import make_order, make_service, make_user
from tests.orders.placing.test_order_form import LINK, filled
from tests.people import as_user
from tests.tampering import past_the_desk

pytestmark = pytest.mark.django_db
DAYS_AGO = timezone.now() - timedelta(days=3)


def test_it_is_shown_and_nothing_is_sent(operator: Client, service: Service) -> None:
    order = make_order("in_progress", service=service, link=LINK, by=make_user(name="Ben"))
    answer = operator.post("/orders/new/", filled(service))
    page = answer.content.decode()
    assert answer.status_code == 422
    assert Order.objects.count() == 1
    listed = page.partition('id="alike"')[2].partition("</ul>")[0]
    for words in (f"Order {order.pk}", "placed by Ben", "<time", "In progress"):
        assert words in listed


def test_a_deliberate_yes_orders_it(operator: Client, service: Service) -> None:
    order = make_order("in_progress", service=service, link=LINK)
    operator.post("/orders/new/", filled(service, again=order.pk))
    assert Order.objects.count() == 2


def test_the_yes_is_to_what_was_shown_and_not_to_one_that_came_since(operator: Client, service: Service) -> None:
    shown_order = make_order("in_progress", service=service, link=LINK)
    later_order = make_order(service=service, link=LINK)
    answer = operator.post("/orders/new/", filled(service, again=shown_order.pk))
    assert answer.status_code == 422
    assert f"Order {later_order.pk}" in answer.content.decode()


def test_an_order_of_your_own_is_shown_too_as_from_a_second_tab(service: Service) -> None:
    user = make_user()
    make_order(service=service, link=LINK, by=user)
    assert "placed by you" in as_user(user).post("/orders/new/", filled(service)).content.decode()


@pytest.mark.parametrize("link", [LINK + "/", LINK.replace("://", "://www."), LINK + "?igsh=abc", "@lumen.studio"])
def test_another_spelling_of_the_link_is_the_same_link(operator: Client, service: Service, link: str) -> None:
    make_order(service=service, link=LINK)
    assert operator.post("/orders/new/", filled(service, link=link)).status_code == 422


# The service's category, a link, and other spellings of it.
SPELLINGS = [
    ("Instagram Followers", "https://instagram.com/lumen", [
        "http://instagram.com/lumen", "https://instagram.com/Lumen", "https://m.instagram.com/lumen",
        "https://instagram.com/lumen?hl=en", "https://instagr.am/lumen", "@lumen", "instagram.com/lumen",
        "\u200bhttps://instagram.com/lumen.",
    ]),
    ("Instagram Likes", "https://instagram.com/p/AbC", [
        "https://instagram.com/lumen/p/AbC/", "https://instagram.com/p/AbC/?img_index=2",
        "https://instagram.com/reel/AbC",
    ]),
    ("X Followers", "https://x.com/lumen", ["https://twitter.com/lumen", "https://mobile.twitter.com/Lumen"]),
    ("YouTube Views", "https://youtu.be/AbC", [
        "https://www.youtube.com/watch?v=AbC", "https://m.youtube.com/watch?v=AbC", "https://youtube.com/shorts/AbC",
    ]),
    ("Telegram Members", "https://t.me/lumen", ["https://telegram.me/lumen", "https://t.me/s/lumen"]),
    ("Facebook Page Likes", "https://facebook.com/lumen", ["https://m.facebook.com/lumen", "https://fb.com/lumen"]),
]  # fmt: skip
CASES = [(category, link, other) for category, link, others in SPELLINGS for other in others]


@pytest.mark.parametrize(("category", "link", "other"), CASES, ids=[other for *_, other in CASES])
def test_one_target_in_many_spellings(operator: Client, category: str, link: str, other: str) -> None:
    """The second order asks, whichever spelling came first; and what is sent is what was typed."""
    service = make_service(category=category, name=category)
    for first, second in ((link, other), (other, link)):
        sent = [operator.post("/orders/new/", filled(service, link=typed)).status_code for typed in (first, second)]
        assert sent == [302, 422]
        order = Order.objects.get()
        assert order.body["link"] == order.link
        if first == link:
            assert order.link == link
        order.tasks.all().delete()
        with past_the_desk():
            order.events.all().delete()
        order.delete()


@pytest.mark.parametrize(("category", "link", "other"), [
    ("Instagram Likes", "https://instagram.com/p/AbC", "https://instagram.com/p/abc"),
    ("YouTube Views", "https://youtu.be/AbC", "https://youtu.be/abc"),
    ("Instagram Followers", "https://instagram.com/lumen", "https://instagram.com/lumen_"),
])  # fmt: skip
def test_two_targets_stay_two(operator: Client, category: str, link: str, other: str) -> None:
    """The codes of posts are told apart by their capitals."""
    service = make_service(category=category, name=category)
    assert operator.post("/orders/new/", filled(service, link=link)).status_code == 302
    assert operator.post("/orders/new/", filled(service, link=other)).status_code == 302


def test_the_other_spelling_is_shown(operator: Client, service: Service) -> None:
    """Otherwise a person would not see why it is the same."""
    make_order("in_progress", service=service, link="https://m.instagram.com/Lumen.Studio?hl=en")
    page = operator.post("/orders/new/receipt/", filled(service)).content.decode()
    assert "https://m.instagram.com/Lumen.Studio?hl=en" in page.partition('id="alike"')[2]


def test_a_subscription_is_similar_to_one_for_the_same_name(operator: Client) -> None:
    """Names have no capitals, and a link to the profile is that name."""
    service = make_service(type="Subscriptions")
    fields = {"link": "", "min": 100, "max": 200}
    typed = ("@Lumen.Studio", "https://www.instagram.com/lumen.studio/reels/")
    sent = [operator.post("/orders/new/", filled(service, username=name, **fields)).status_code for name in typed]
    assert sent == [302, 422]


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL's plan depends on how full the tables are")
def test_the_warning_walks_an_index(service: Service) -> None:
    """However many orders a service or a target has. tests/orders/test_flat_reads.py counts what PostgreSQL reads."""
    with CaptureQueriesContext(connection) as queries, connection.cursor() as cursor:
        similar_orders(service, LINK, timezone.now())
        for query in [query["sql"] for query in queries if "orders_order" in query["sql"]]:
            cursor.execute("EXPLAIN QUERY PLAN " + query)
            assert re.search(r"\border_like(_under_way)?\b", plan := str(cursor.fetchall())), plan


def test_another_link_or_another_service_is_no_such_order(operator: Client, service: Service) -> None:
    make_order(service=service, link="https://instagram.com/another")
    make_order(link=LINK)
    assert operator.post("/orders/new/", filled(service)).status_code == 302


@pytest.mark.parametrize("status", [*Status, "in_moderation"])
def test_it_counts_while_live_or_younger_than_a_day(service: Service, status: str) -> None:
    def is_similar() -> bool:
        return bool(similar_orders(service, LINK, timezone.now()))

    order = make_order(status, service=service, link=LINK)
    assert is_similar() == (status != Status.REJECTED), "younger than a day"
    Order.objects.filter(pk=order.pk).update(created_at=DAYS_AGO)
    under_way = status not in LIFE or LIFE[status].live or status in (Status.APPROVAL, Status.QUEUED, Status.REVIEW)
    assert is_similar() == under_way, "older"


def test_it_is_shown_while_somebody_types(operator: Client, service: Service) -> None:
    order = make_order("in_progress", service=service, link=LINK)
    page = operator.post("/orders/new/receipt/", filled(service)).content.decode()
    assert f"Order {order.pk}" in page
    assert f'name="again" id="id_again" value="{order.pk}"' in page


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("forms", "statuses"), [("one", [302] * 4), ("each their own", [302, 422, 422, 422])])
def test_pressed_at_the_same_moment_it_is_one_order(forms: str, statuses: list[int]) -> None:
    """One form pressed four times is one order; of four people's forms the later three see the first."""
    user, service = make_user(), make_service()
    form, ready = filled(service), threading.Barrier(4)

    def press(_: int) -> int:
        client = as_user(user)
        ready.wait()
        try:
            return client.post("/orders/new/", form if forms == "one" else filled(service)).status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(press, range(4))) == statuses
    assert Order.objects.count() == 1

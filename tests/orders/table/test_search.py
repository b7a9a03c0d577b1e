"""What people type into the search, and the orders that it finds."""

import uuid

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from orders.models import Order
from orders.table.filters import search_words
from orders.table.listing import Listing
from tests.makers import make_order, make_service, make_user
from tests.people import as_user

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
    return [order.link.split("/", 3)[3] for order in Listing(ana, text=text).page().rows]


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

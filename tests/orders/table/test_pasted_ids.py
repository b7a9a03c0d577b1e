"""Orders found in a pasted text: by our ids, upstream's ids, request ids and links; and what is not an order."""

import uuid

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from catalog.networks import target_of
from orders.models import Order
from orders.table.pasted_ids import PASTED_CHARACTERS, QUERIED_VALUES, find_orders
from tests.makers import make_order, make_service, make_user
from tests.tampering import past_the_desk

pytestmark = pytest.mark.django_db


@pytest.fixture
def ana() -> User:
    """The person who pastes."""
    return make_user(name="Ana")


@pytest.fixture
def order(ana: User) -> Order:
    """An order with a large id, as on a real desk, so that no small number names it by chance."""
    make_order("completed", by=ana, service=make_service(), link="https://instagram.com/lumen.studio")
    Order.objects.update(upstream_id="ord_8Lw2Tq0aZx")
    old = Order.objects.get()
    with past_the_desk() as cursor:
        for table, column in (("orders_task", "order_id"), ("accounts_trailline", "order_id"), ("orders_order", "id")):
            cursor.execute(f"UPDATE {table} SET {column} = 48213 WHERE {column} = %s", [old.pk])
    return Order.objects.get()


def found_ids(text: str, ana: User) -> list[int]:
    """The ids of the orders that are found in a text."""
    return find_orders(text, ana).orders


@pytest.mark.parametrize("text", [
    "48213", "#48213", "order 48213", "Order: 48213!", "orders 48213, 99999", "pls refill 48213.", "(48213)",
    "48213,99999", "48213/99999", "id:48213", "№48213", "ord_8Lw2Tq0aZx", "“ord_8Lw2Tq0aZx”, thanks",
    "https://instagram.com/lumen.studio", "https://www.instagram.com/lumen.studio/", "instagram.com/lumen.studio",
    "HTTPS://Instagram.com/lumen.studio?igshid=x&utm_source=y.", "see (https://instagram.com/lumen.studio).",
    "https://a.b/c,https://instagram.com/lumen.studio", "www.instagram.com/lumen.studio", "0048213", "a\x0048213",
])  # fmt: skip
def test_the_order_is_found_in(text: str, order: Order, ana: User) -> None:
    """Each text names order 48213 in another way."""
    assert found_ids(text, ana) == [order.pk], text


def test_a_request_id_is_found(order: Order, ana: User) -> None:
    """Upper or lower case and other words around it do not matter."""
    assert found_ids(f"request {order.request_id}?", ana) == [order.pk]
    assert found_ids(f"REQ {str(order.request_id).upper()}", ana) == [order.pk]


@pytest.mark.parametrize("text", [
    "$48213", "48213%", "48213k", "x48213", "48.213", "48,213", "48213.50", "+48213", "ord_48213",
    "https://instagram.com/48213", "48213€", "",
])  # fmt: skip
def test_no_order_is_found_in(text: str, order: Order, ana: User) -> None:
    """Amounts, percentages, decimals, and words or links that contain the digits are not ids."""
    assert found_ids(text, ana) == [], text


def test_unknown_ids_are_listed_apart_from_bare_numbers(order: Order, ana: User) -> None:
    """Bare numbers may be quantities; each word is listed once."""
    asked = uuid.uuid4()
    text = f"#48213 48213 1000 2,500 #77 ord_nope {asked} https://a.b/c 1000"
    pasted = find_orders(text, ana)
    assert pasted[:3] == ([order.pk], ["https://a.b/c", "ord_nope", str(asked), "#77"], ["1000", "2,500"])


def test_a_link_names_every_order_for_it(order: Order, ana: User) -> None:
    """Spellings with and without `www.`, a last slash and a scheme are the same link."""
    other = make_order("completed", by=ana, service=order.service, link="https://www.instagram.com/lumen.studio/")
    assert found_ids("instagram.com/lumen.studio", ana) == sorted([order.pk, other.pk])


def test_a_stranger_finds_no_order(order: Order) -> None:
    """An existing id, upstream id and link find nothing for a stranger."""
    assert find_orders("48213 ord_8Lw2Tq0aZx https://instagram.com/lumen.studio", AnonymousUser()).orders == []


@pytest.mark.parametrize("text", [
    "\0" * PASTED_CHARACTERS, "9" * PASTED_CHARACTERS, "1 " * (PASTED_CHARACTERS // 2), "1." * (PASTED_CHARACTERS // 2),
    "1," * (PASTED_CHARACTERS // 2), "111," * (PASTED_CHARACTERS // 4), "a-" * (PASTED_CHARACTERS // 2),
    "a." * (PASTED_CHARACTERS // 2), "a./" * (PASTED_CHARACTERS // 3), "ord_" * (PASTED_CHARACTERS // 4),
    "0123abcd-" * (PASTED_CHARACTERS // 9), "https://" * (PASTED_CHARACTERS // 8), "٣" * PASTED_CHARACTERS,
    "order " * (PASTED_CHARACTERS // 6), "# " * (PASTED_CHARACTERS // 2), "http://[ " * (PASTED_CHARACTERS // 9),
    "1:" * (PASTED_CHARACTERS // 2), "$1 " * (PASTED_CHARACTERS // 3), f"{2**63} {2**64} #{10**40}", "ord_\0 \ufffd",
], ids=lambda text: repr(text[:9]))  # fmt: skip
def test_hostile_text_is_read_in_linear_time(text: str, order: Order, ana: User) -> None:
    """These texts of full length would make a careless pattern run for hours."""
    assert find_orders(text, ana).orders == []


def test_the_queries_hardly_grow(order: Order, ana: User) -> None:
    """Four for a few words; many thousands of numbers and links take one more for every few thousand."""
    counts = []
    for size in (10, 10_000):
        text = " ".join(f"{100_000 + n} https://a.b/{n}" for n in range(size))
        with CaptureQueriesContext(connection) as queries:
            assert len(find_orders(text[: PASTED_CHARACTERS * 3], ana).unknown) == size
        counts.append(len(queries))
    assert counts[0] <= 4
    assert counts[1] <= 4 + 10_000 * 12 / (QUERIED_VALUES / 2)


def test_a_link_is_found_by_an_index(order: Order, ana: User) -> None:
    """SQLite's plan names the index on links."""
    if connection.vendor == "sqlite":
        assert "order_target" in Order.objects.for_targets([target_of("https://a.b/c")]).explain()

"""Numbers in a pasted text: which are orders, which stand apart for a person to decide, and which are neither."""

import pytest

from accounts.models import User
from catalog.networks import target_of
from orders.models import Order
from orders.table.pasted_ids import AROUND_CHARACTERS, Apart, find_orders, read_words
from tests.makers import make_service, make_user

pytestmark = pytest.mark.django_db
NEWEST = 120
EXAMPLE = 119  # the order that upstream calls ord_EXAMPLE


@pytest.fixture
def ana() -> User:
    """The person who pastes, on a desk with the orders 1 to 120."""
    ana, service = make_user(name="Ana"), make_service()
    Order.objects.bulk_create(
        Order(pk=pk, service=service, link=link, target=target_of(link), quantity=100, body={}, rate_seen=1,
              expected_charge=1, placed_by=ana, upstream_id="ord_EXAMPLE" if pk == EXAMPLE else f"ord_other{pk}x")
        for pk, link in ((pk, f"https://instagram.com/p/{pk}x") for pk in range(1, NEWEST + 1))
    )  # fmt: skip
    return ana


# A text; the orders that are picked; the orders that stand apart.
MARKED = [
    ("Please cancel order #112, quantity 100, it was ordered 3 days ago", {112}, {100, 3}),
    ("order 112 is stuck at 50 of 100", {112}, {50, 100}),
    ("Cancel #112 and #115. Customer paid 15 USD on 29 Nov", {112, 115}, {15, 29}),
    ("order ord_EXAMPLE dropped 45%, I paid $12, 2500 likes, 3 days ago on 29/11. Also 50 lost 30 likes. tel 22",
     {EXAMPLE}, {3, 50, 30, 22}),
    ("4 | https://instagram.com/p/112x | 100", {112}, {4, 100}),
    ("https://instagram.com/p/112x 100", {112}, {100}),
    ("ord_EXAMPLE 100", {EXAMPLE}, {100}),
    ("ord_EXAMPLE\t100\t50", {EXAMPLE}, {100, 50}),
    ("ord_EXAMPLE, 112 and 115", {EXAMPLE, 112, 115}, set()),
    ("#110 111 112", {110, 111, 112}, set()),
    ("orders 110, 111 and 112 dropped 20 likes", {110, 111, 112}, {20}),
    ("orders 110,111,112", {110, 111, 112}, set()),
    ("#110,111", {110, 111}, set()),
    ("110, 111 and #112", {110, 111, 112}, set()),
    ("paid 15, #112", {112}, {15}),
    ("Order ID: 112, 50 likes missing", {112}, {50}),
    ("Order ID: 112\nQuantity: 100\nStart count: 50", {112}, {100, 50}),
    ("Order ID: 112\nLikes: 100", {112}, {100}),
    ("Order no. 112 / amount 20", {112}, {20}),
    ("ORDER NUMBER 112 PAID 20 EUR", {112}, {20}),
    ("my order id is 112, i paid 20 yesterday at 10:30", {112}, {20}),
    ("order #112 (100 likes, 5 USD)", {112}, {100, 5}),
    ("order (112) of Nov 29, tel: +49 15 112", {112}, {29, 15}),
    ("Orders:\n110\n111\n112\n\n3 days no start", {110, 111, 112}, {3}),
    ("#110\n111\n112", {110, 111, 112}, set()),
    ("#110\n- 111\n- 112", {110, 111, 112}, set()),
    ("1. #110\n2. #111\n3) #112", {110, 111, 112}, {1, 2, 3}),
    ("№112, 100 подписчиков, 3 дня", {112}, {100, 3}),
    ("Bestellung 112, Menge 100, seit 3 Tagen", {112}, {100, 3}),
    ("pedido 112, cantidad 100, hace 3 días", {112}, {100, 3}),
    ("sipariş 112, miktar 100, 3 gün", {112}, {100, 3}),
    ("order 112 may be stuck, order 115 please again", {112, 115}, set()),
    ("#112 likes dropped", {112}, set()),
    ("refill 3 orders 112, 115", {112, 115}, {3}),
    ("ticket #55: order 112 not started", {112}, {55}),
    ("service id 20, order id 112, user id 30", {112}, {20, 30}),
    ("invoice #22 for #112", {112}, {22}),
    ("order #112, 3-day delay and 2 more, 5 free likes", {112}, {3, 2, 5}),
    ("order 112: from 50 to 100", {112}, {50, 100}),
    ("https://127.0.0.1:8000/orders/112/ 100 likes", {112}, {100}),
    ("quantity 112 of order #112", {112}, set()),
]  # fmt: skip
UNMARKED = [
    ("110 111 112", {110, 111, 112}, set()),
    ("110, 111,112", {110, 111, 112}, set()),
    ("110,111,112", {110, 111, 112}, set()),
    ("110\n111\n112\n", {110, 111, 112}, set()),
    ("110;111;112", {110, 111, 112}, set()),
    ("110 and 111 & 112", {110, 111, 112}, set()),
    ("- 110\n- 111", {110, 111}, set()),
    ("1. 110\n2. 111\n3. 112", {110, 111, 112}, {1, 2, 3}),
    ("pls refill 112.", {112}, set()),
    ("refill 110 111 112 please, it is 3 days", {110, 111, 112}, {3}),
    ("110 stuck\n111 dropped", {110, 111}, set()),
    ("look at 112, try 115 again", {112, 115}, set()),
    ("status of 112?", {112}, set()),
    ("112 may be late", {112}, set()),
    ("tel 22", set(), {22}),
    ("phone 0112 55 66", set(), {112, 55, 66}),
    ("stuck at 50 of 100", set(), {50, 100}),
    ("I placed an order 3 days ago and paid 15 USD on 29 Nov", set(), {3, 15, 29}),
    ("I want to order 100 likes", set(), {100}),
    ("110\t100\n111\t50", {110, 111}, {100, 50}),
    ("110\t111\t112", {110, 111, 112}, set()),
    ("1,000", set(), set()),
    ("111,112", set(), set()),
    ("$50, 45%, 29/11, 2026-11-29, 10:30, 1.50, 3d, x5, +49", set(), set()),
]  # fmt: skip


@pytest.mark.parametrize(("text", "picked", "apart"), [*MARKED, *UNMARKED])
def test_only_what_names_an_order_is_picked(text: str, picked: set[int], apart: set[int], ana: User) -> None:
    """The other numbers that are orders' too stand apart, each with its words."""
    found = find_orders(text, ana)
    assert (set(found.orders), {order for order, _ in found.apart}) == (picked, apart)


@pytest.mark.parametrize(("text", "picked", "apart"), MARKED)
def test_capitals_and_blanks_make_no_difference(text: str, picked: set[int], apart: set[int], ana: User) -> None:
    """Written in capitals, with blanks before and behind, a text without links names the same orders."""
    if "://" not in text and "ord_" not in text:
        found = find_orders(f"  {text.upper()}  ", ana)
        assert (set(found.orders), {order for order, _ in found.apart}) == (picked, apart)


def test_a_number_that_stands_apart_has_the_words_around_it(ana: User) -> None:
    """They are cut off between words, on one line, and a picked order does not stand apart as well."""
    text = "Please cancel order #112,\nquantity 100, it was ordered 3 days ago by somebody else. Is 112 done?"
    assert find_orders(text, ana).apart == (
        Apart(3, "…100, it was ordered 3 days ago by somebody else.…"),
        Apart(100, "…order #112, quantity 100, it was ordered 3 days ago…"),
    )
    assert len(find_orders("#112 " + "x" * 90 + " 5 " + "y" * 90, ana).apart[0].words) < 2 * AROUND_CHARACTERS


def test_numbers_that_are_no_orders_are_listed_as_quantities(ana: User) -> None:
    """Whether they stand in a list or apart."""
    found = find_orders("#112 990, quantity 2000, 1,000 likes", ana)
    assert (found.unknown, found.numbers) == ([], ["990", "2000", "1,000"])


@pytest.mark.parametrize("text", [
    "Ord_EXAMPLE", "ORD_EXAMPLE", "ord_example", "Ord_Example", "(Ord_EXAMPLE)",
    "https://notpanel.com/orders/ord_EXAMPLE", "https://app.notpanel.com/dashboard?order=ord_EXAMPLE&tab=1",
    "notpanel.com/#/orders/Ord_EXAMPLE.",
    "https://localhost/orders/119/", "http://127.0.0.1:8000/orders/119/?from=status%3Dcompleted",
    "localhost:8000/orders/119", "see /orders/119/refills/, please", "https://localhost/admin/orders/order/119/change/",
])  # fmt: skip
def test_an_order_is_named_by_its_addresses_and_in_other_capitals(text: str, ana: User) -> None:
    """Ours on any of our hosts, and the supplier's, whatever page of the order it is."""
    found = find_orders(text, ana)
    assert (found.orders, found.unknown, found.apart) == ([EXAMPLE], [], ())


@pytest.mark.parametrize("text", [
    "https://other-panel.example/orders/119/", "https://instagram.com/ord_EXAMPLE", "https://notpanel.com.evil.example/ord_EXAMPLE",
    "https://localhost/orders/bulks/119/", "https://localhost/orders/?before=119", "https://localhost/services/119/",
    "https://localhost@evil.example/orders/119/", "https://notpanel.com/services/119", "xord_EXAMPLE", "ord_EXAMPLES",
    "https://localhost/orders/119x/", "/my/orders119/",
])  # fmt: skip
def test_other_addresses_name_no_order(text: str, ana: User) -> None:
    """Other hosts, other pages, and longer names."""
    assert find_orders(text, ana).orders == []


def test_an_id_in_other_capitals_that_may_be_two_orders_names_neither(ana: User) -> None:
    """As it is written exactly it names the one."""
    Order.objects.filter(pk=1).update(upstream_id="ord_abc")
    Order.objects.filter(pk=2).update(upstream_id="ord_ABC")
    assert find_orders("ord_abc", ana).orders == [1]
    assert find_orders("Ord_ABC", ana).orders == [2]
    assert find_orders("Ord_Abc", ana)[:4] == ([], ["Ord_Abc"], [], ())


def test_the_beginning_of_an_id_stands_apart_when_one_order_has_it(ana: User) -> None:
    """Nothing is picked by a guess; a beginning of two ids is not found at all."""
    assert find_orders("pls refill ord_EXAM now", ana).apart == (Apart(EXAMPLE, "pls refill ord_EXAM now"),)
    assert find_orders("ord_other", ana)[:4] == ([], ["ord_other"], [], ())


@pytest.mark.parametrize("text", [
    "1 of " * 40_000, "#1 2," * 40_000, "\n1) a" * 40_000, "1 and " * 30_000, "quantity " * 20_000 + "5",
    "\n- 1 -" * 30_000, "/orders/1 " * 20_000, "a/" * 100_000,
    "1" + "\n" * 190_000 + "1 #2", "1 " * 90_000 + "#1", "Nov " * 50_000 + "1",
], ids=lambda text: repr(text[:9]))  # fmt: skip
def test_long_prose_is_read_in_linear_time(text: str) -> None:
    """Each is as long as a pasted text may be; a careless pattern would take minutes."""
    assert read_words(text)

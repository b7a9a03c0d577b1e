"""Numbers with each reader's own marks, and quantities that are read as they were meant."""

from decimal import Decimal

import pytest

from accounts.access import Role
from catalog.models import Service
from orders.models import Order
from panel.format.locale import written_for
from panel.format.money import money
from panel.format.numbers import MARKS_OF, decimal, number
from tests.makers import make_order, make_service, make_user
from tests.orders.placing.test_order_form import filled
from tests.people import as_user

pytestmark = pytest.mark.django_db
WRITTEN = {
    "1,234.56": ("1,234,567", "$1,234.50", "$0.0042", "12.5"),
    "1.234,56": ("1.234.567", "$1.234,50", "$0,0042", "12,5"),
    "1 234,56": ("1\u202f234\u202f567", "$1\u202f234,50", "$0,0042", "12,5"),
    "1'234.56": ("1’234’567", "$1’234.50", "$0.0042", "12.5"),
    "no longer known": ("1,234,567", "$1,234.50", "$0.0042", "12.5"),
}


@pytest.mark.parametrize("name", WRITTEN)
def test_a_number_an_amount_and_a_share_have_the_readers_marks(name: str) -> None:
    with written_for("UTC", name):
        written = number(1_234_567), money(Decimal("1234.5")), money(Decimal("0.0042")), decimal(12.5, 1)
        assert written == WRITTEN[name]
        assert money(Decimal("-1234.5"), "EUR").startswith("−1")
    assert number(1_234_567) == "1,234,567", "and only for the reader"


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("1000", 1000), (" 1000 ", 1000), ("1,000", 1000), ("1.000", 1000), ("1 000", 1000), ("1'000", 1000),
        ("1’000", 1000), ("1\u202f000", 1000), ("1\u00a0000", 1000), ("1\u2009000", 1000), ("1.234.567", 1_234_567),
        ("12,345", 12_345), ("999", 999),
    ],
)  # fmt: skip
def test_a_quantity_may_be_grouped_in_any_usual_way(typed: str, meant: int) -> None:
    assert Service(minimum=1, maximum=10**9, type="Default").read_quantity(typed) == (meant, "")


@pytest.mark.parametrize(
    "typed",
    ["1.5", "1,5", "1.50", "10,00", "1.000,5", "1,000.000", "1.000,000", "1,0000", "1234,567", ",100", "100,", "1,,000",
     "1.000.00", "١٬٠٠٠", "1 000.000", "1_000", "-1,000", "1.5e3"],
)  # fmt: skip
def test_a_possible_fraction_is_never_read_as_a_whole_number(typed: str) -> None:
    quantity, why = Service(minimum=1, maximum=10**9, type="Default").read_quantity(typed)
    assert quantity is None
    assert why == "Write the quantity as a whole number, such as 1000."


@pytest.mark.parametrize("name", MARKS_OF)
@pytest.mark.parametrize("count", [7, 1000, 1_234_567])
def test_the_desk_reads_every_number_that_it_writes(name: str, count: int) -> None:
    with written_for("UTC", name):
        assert Service(minimum=1, maximum=10**9, type="Default").read_quantity(number(count)) == (count, "")


# ── On pages ─────────────────────────────────────────────────────────────────────────────────────
def test_pages_have_the_readers_own_marks() -> None:
    order = make_order("in_progress", quantity=5000, remains=1250, start_count=12_480, charge=Decimal("1234.5"))
    berlin, home = as_user(make_user(numbers="1.234,56")), as_user(make_user())
    for path in ("/orders/", f"/orders/{order.pk}/"):
        page, plain = berlin.get(path).content.decode(), home.get(path).content.decode()
        start = [("12.480", "12,480")] if path != "/orders/" else []
        for theirs, ours in (("3.750", "3,750"), ("$1.234,50", "$1,234.50"), *start):
            assert theirs in page
            assert ours not in page
            assert ours in plain
    assert "75,0 %" in page


def test_an_order_typed_with_the_readers_marks_is_that_order() -> None:
    service, client = make_service(), as_user(make_user(Role.OPERATOR, numbers="1.234,56"))
    client.post("/orders/new/", filled(service, quantity="2.500"))
    order = Order.objects.get()
    assert (order.quantity, order.body["quantity"]) == (2500, "2500")


def test_a_refusal_has_the_readers_marks_too() -> None:
    service, client = make_service(), as_user(make_user(Role.OPERATOR, numbers="1 234,56"))
    page = client.post("/orders/new/", filled(service, quantity="10.001")).content.decode()
    assert "At most 10\u202f000 for this service; 10\u202f001 is too many." in page
    assert not Order.objects.exists()

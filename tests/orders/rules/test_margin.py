"""What the customer pays in the end and what the team earns: parts add up to their whole, to the sixth decimal."""

from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orders.rules.margin import UNPAID, earned, given_up, margin, percent_of, real_cost, share_of
from orders.rules.statuses import Status
from panel.format.money import stored

PRICES = st.decimals(0, 10**6, places=6)
UNITS = st.integers(1, 10**9)
STATUSES = st.sampled_from([*map(str, Status), "a word of next year"])


@given(STATUSES, UNITS, st.none() | st.integers(-5, 10**9), PRICES)
def test_what_is_paid_and_what_is_not_are_the_selling_price(
    status: str, total: int, remains: int | None, sold_for: Decimal
) -> None:
    paid = earned(status, total, remains, sold_for)
    assert paid + given_up(status, total, remains, sold_for) == sold_for
    assert 0 <= paid <= sold_for and paid == stored(paid)


@given(UNITS, PRICES, st.lists(st.integers(0, 10**9), max_size=6))
def test_any_number_of_partial_reports_and_refunds_leaves_what_the_last_one_says(
    total: int, sold_for: Decimal, reports: list[int]
) -> None:
    """Each report counts alone, so no order of them adds up rounding."""
    paid, gone = sold_for, Decimal(0)
    for remains in (min(report, total) for report in reports):
        now = earned(Status.PARTIAL, total, remains, sold_for)
        gone, paid = gone + (paid - now), now
        assert paid + gone == sold_for
    assert earned(Status.REFUNDED, total, 0, sold_for) == 0


@given(PRICES, st.integers(1, 10**6), st.lists(st.integers(1, 10**6), min_size=1, max_size=8))
def test_parts_of_a_whole_add_up_to_it(amount: Decimal, first: int, steps: list[int]) -> None:
    """Cut at any units, what each piece costs is the difference of two shares."""
    cuts = [0, first]
    for step in steps:
        cuts.append(cuts[-1] + step)
    shares = [share_of(amount, cut, cuts[-1]) for cut in cuts]
    pieces = [after - before for before, after in pairwise(shares)]
    assert sum(pieces) == amount and all(piece >= 0 for piece in pieces)


@given(UNITS, PRICES, st.data())
def test_more_delivered_is_never_less_paid(total: int, sold_for: Decimal, data: st.DataObject) -> None:
    less, more = sorted(data.draw(st.integers(0, total)) for _ in range(2))
    assert earned("partial", total, total - less, sold_for) <= earned("partial", total, total - more, sold_for)


@pytest.mark.parametrize("status", UNPAID)
def test_a_customer_pays_nothing_for_what_ended_in_nothing(status: str) -> None:
    assert earned(status, 1000, 400, Decimal("4.20")) == 0


@pytest.mark.parametrize(
    ("status", "remains", "paid"),
    [("partial", 250, "3.15"), ("partial", 1000, "0"), ("partial", 0, "4.20"), ("partial", None, "4.20"),
     ("partial", 5000, "4.20"), ("completed", 250, "4.20"), ("in_progress", 900, "4.20"), ("queued", None, "4.20")],
)  # fmt: skip
def test_a_partial_order_is_paid_by_what_was_delivered(status: str, remains: int | None, paid: str) -> None:
    assert earned(status, 1000, remains, Decimal("4.20")) == Decimal(paid)


def test_a_third_is_rounded_at_the_sixth_decimal() -> None:
    assert earned("partial", 3, 2, Decimal(1)) == Decimal("0.333333")
    assert given_up("partial", 3, 2, Decimal(1)) == Decimal("0.666667")


def test_the_margin_is_what_is_paid_less_the_real_charge() -> None:
    assert margin("partial", 1000, 250, Decimal("4.20"), Decimal("2.40")) == Decimal("0.75")
    assert margin("refunded", 1000, 0, Decimal("4.20"), Decimal("0")) == 0
    assert margin("completed", 1000, 0, None, Decimal("2.40")) is None, "nobody agreed on a price"
    assert margin("completed", 1000, 0, Decimal("4.20"), None) is None, "charged in another currency"


def test_the_cost_is_the_charge_and_before_it_the_estimate() -> None:
    assert real_cost("in_progress", None, "", Decimal("3.10")) == Decimal("3.10")
    assert real_cost("completed", Decimal("3.00"), "USD", Decimal("3.10")) == Decimal("3.00")
    assert real_cost("completed", Decimal("3.00"), "EUR", Decimal("3.10")) is None
    assert real_cost("rejected", None, "", Decimal("3.10")) == 0, "it was never bought"


def test_percent_is_of_what_they_pay() -> None:
    assert percent_of(Decimal("1.10"), Decimal("4.20")) == Decimal("26.2")
    assert percent_of(Decimal("-1.10"), Decimal(0)) is None

"""Which rule counts for a customer and a service, and the price that it makes."""

from dataclasses import dataclass
from decimal import Decimal
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orders.rules.margin import BELOW_COST, BELOW_FLOOR, PRECEDENCE, price_by, rounded_up, warning, winner

CUSTOMER, PRICE_LIST, SERVICE = 7, 3, 149
MONEY = st.decimals(0, 10**6, places=6)


@dataclass
class Rule:
    customer_id: int | None = None
    price_list_id: int | None = None
    service_id: int | None = None
    percent: Decimal = Decimal(0)
    plus: Decimal = Decimal(0)
    step: Decimal = Decimal(0)


IN_ORDER = [
    Rule(CUSTOMER if scope.customer else None, PRICE_LIST if scope.price_list else None,
         SERVICE if scope.service else None)
    for scope in PRECEDENCE
]  # fmt: skip


def test_the_first_row_of_the_table_wins_in_whatever_order_the_rules_come() -> None:
    for first in range(len(IN_ORDER)):
        left = IN_ORDER[first:]
        for rules in permutations(left) if len(left) < 5 else (left, left[::-1]):
            assert winner(rules, CUSTOMER, PRICE_LIST, SERVICE) == left[0]


def test_a_rule_for_somebody_or_something_else_does_not_count() -> None:
    others = [Rule(customer_id=8), Rule(price_list_id=4), Rule(service_id=150), Rule(CUSTOMER, None, 150)]
    assert winner(others, CUSTOMER, PRICE_LIST, SERVICE) is None
    assert winner([*others, Rule()], CUSTOMER, PRICE_LIST, SERVICE) == Rule()


def test_an_order_for_nobody_goes_by_the_rules_for_everybody() -> None:
    assert winner(IN_ORDER, None, None, SERVICE) == Rule(service_id=SERVICE)


def test_a_rule_that_names_both_a_customer_and_a_list_never_counts() -> None:
    assert winner([Rule(CUSTOMER, PRICE_LIST)], CUSTOMER, PRICE_LIST, SERVICE) is None


@pytest.mark.parametrize(
    ("percent", "plus", "step", "cost", "price"),
    [("50", "0", "0", "2.80", "4.20"), ("0", "1", "0", "2.80", "3.80"), ("50", "0.05", "0", "2.80", "4.25"),
     ("33", "0", "0.10", "1.00", "1.40"), ("0", "0", "0.05", "1.00", "1.00"), ("10", "0", "0", "0.000001", "0.000002"),
     ("-20", "0", "0", "1.00", "0.80"), ("50", "0", "5", "0", "0")],
)  # fmt: skip
def test_a_price_is_cost_plus_percent_plus_a_sum_and_rounded_up(
    percent: str, plus: str, step: str, cost: str, price: str
) -> None:
    rule = Rule(percent=Decimal(percent), plus=Decimal(plus), step=Decimal(step))
    assert price_by(rule, Decimal(cost)) == Decimal(price)


@given(MONEY, st.decimals(Decimal("0.000001"), 1000, places=6))
def test_a_rounded_price_is_a_whole_number_of_steps_and_less_than_a_step_above(price: Decimal, step: Decimal) -> None:
    up = rounded_up(price, step)
    assert up % step == 0 and 0 <= up - price < step


@given(MONEY, st.decimals(0, 1000, places=2), MONEY, st.decimals(0, 10, places=2))
def test_a_markup_never_sells_below_cost(cost: Decimal, percent: Decimal, plus: Decimal, step: Decimal) -> None:
    price = price_by(Rule(percent=percent, plus=plus, step=step), cost)
    assert price >= cost and warning(price, cost, Decimal(0)) == ""


def test_a_price_is_warned_of_below_cost_and_below_the_floor() -> None:
    cost = Decimal("3.10")
    assert warning(Decimal("3.09"), cost, Decimal(0)) == BELOW_COST
    assert warning(Decimal("3.10"), cost, Decimal(0)) == ""
    assert warning(Decimal("3.40"), cost, Decimal(10)) == BELOW_FLOOR
    assert warning(Decimal("4.20"), cost, Decimal(10)) == ""
    assert warning(Decimal(0), Decimal(0), Decimal(10)) == BELOW_FLOOR

"""What a customer is asked to pay for an order: which rule counts, the price by it, and what is wrong with a price.

A rule adds a percentage to what the order costs us, then a fixed sum, and rounds up to a step. All in US dollars.
"""

from collections.abc import Iterable
from decimal import ROUND_CEILING, Decimal
from typing import NamedTuple, Protocol, TypeVar

from orders.rules.margin import percent_of
from panel.format.money import STORED, stored

HUNDRED = Decimal(100)


class Rule(Protocol):
    """What of a stored rule makes a price, and for whom and what it is."""

    customer_id: int | None
    price_list_id: int | None
    service_id: int | None
    percent: Decimal
    plus: Decimal
    step: Decimal


AnyRule = TypeVar("AnyRule", bound=Rule)


class Scope(NamedTuple):
    """For what a rule is: which of the three it names."""

    words: str
    customer: bool
    price_list: bool
    service: bool


# Which rule wins: the first row of which there is a rule. What is nearer to the customer comes first, and for the same
# customers a single service comes before all services.
PRECEDENCE = (
    #     for                                          customer price list service
    Scope("this customer, this service",                 True,  False, True),
    Scope("this customer, all services",                 True,  False, False),
    Scope("their price list, this service",              False, True,  True),
    Scope("their price list, all services",              False, True,  False),
    Scope("everybody, this service",                     False, False, True),
    Scope("everybody, all services",                     False, False, False),
)  # fmt: skip


def scope_of(rule: Rule) -> Scope | None:
    """The row of PRECEDENCE that a rule belongs to; None for one that names both a customer and a price list."""
    named = (rule.customer_id is not None, rule.price_list_id is not None, rule.service_id is not None)
    return next((scope for scope in PRECEDENCE if scope[1:] == named), None)


def fits(rule: Rule, customer: int | None, price_list: int | None, service: int) -> bool:
    """Whether a rule is for this customer, with this price list, and this service."""
    return (
        rule.customer_id in (None, customer)
        and rule.price_list_id in (None, price_list)
        and rule.service_id in (None, service)
    )


def winner(rules: Iterable[AnyRule], customer: int | None, price_list: int | None, service: int) -> AnyRule | None:
    """The rule that counts for this customer and service, whatever the order in which they come; None without one."""
    fitting = [rule for rule in rules if fits(rule, customer, price_list, service) and scope_of(rule)]
    return min(fitting, key=lambda rule: PRECEDENCE.index(scope_of(rule)), default=None)


def price_by(rule: Rule, cost: Decimal) -> Decimal:
    """The selling price of an order that costs us so much: with six decimals, never rounded down."""
    price = cost * (HUNDRED + rule.percent) / HUNDRED + rule.plus
    return rounded_up(price, rule.step if rule.step > 0 else STORED)


def rounded_up(price: Decimal, step: Decimal) -> Decimal:
    """The smallest multiple of the step that is not below the price."""
    return stored((price / step).to_integral_value(ROUND_CEILING) * step)


def warning(price: Decimal, cost: Decimal, floor_percent: Decimal) -> str:
    """What is wrong with a selling price: BELOW_COST, BELOW_FLOOR, or "" for nothing.

    The floor is a margin in percent of what the customer pays; 0 is none.
    """
    if price < cost:
        return BELOW_COST
    share = percent_of(price - cost, price)
    return BELOW_FLOOR if floor_percent > 0 and (share or Decimal(0)) < floor_percent else ""


BELOW_COST, BELOW_FLOOR = "cost", "floor"

"""Finds customers by what a person types, and what this order would let them owe."""

from collections.abc import Iterable
from decimal import Decimal
from difflib import get_close_matches
from typing import NamedTuple

from orders.models import Customer
from orders.rules.refusal import Refusal
from orders.statistics.customer_sums import sums_of
from panel.format.letters import folded

SUGGESTED = 50  # names that a field offers while somebody types
COMPARED = 1_000  # names that a name is compared with which nobody has
QUOTED_CHARACTERS = 60
ABOVE_CREDIT = "With this order, {customer} owes more than their credit limit."


def find_customer(typed: str) -> Customer | None:
    """The customer of this name, in any letters; None for nothing typed. Raises a Refusal for a name nobody has."""
    if not typed.strip():
        return None
    if customer := Customer.objects.named(typed):
        return customer
    raise Refusal(why_unknown(typed))


def why_unknown(typed: str) -> str:
    """The sentence about a name that nobody has, with the nearest there is. Nobody is ever added silently."""
    names = dict(Customer.objects.kept().order_by("key").values_list("key", "name")[:COMPARED])
    near = get_close_matches(folded(typed), [key for key in names if key], 1)
    name = typed.strip()[:QUOTED_CHARACTERS]
    hint = f"Did you mean “{names[near[0]]}”?" if near else "Add them under Customers first, or leave it empty."
    return f"No customer is called “{name}”. {hint}"


def suggested_names(typed: str) -> Iterable[str]:
    """Names to offer for what is typed so far, by the alphabet."""
    return Customer.objects.matching(typed).order_by("key").values_list("name", flat=True)[:SUGGESTED]


class Credit(NamedTuple):
    """What a customer would owe with one more order, beside their limit. In US dollars."""

    customer: Customer
    owes: Decimal
    price: Decimal
    limit: Decimal

    @property
    def is_above(self) -> bool:
        """Whether they would owe more than their limit."""
        return self.owes + self.price > self.limit

    @property
    def room(self) -> Decimal:
        """For how much they can still order."""
        return max(self.limit - self.owes, Decimal(0))


def credit_of(customer: Customer | None, price: Decimal | None) -> Credit | None:
    """What an order at this price does to the customer’s credit; None without a limit, or without a price."""
    if customer is None or customer.credit_limit is None or price is None:
        return None
    return Credit(customer, sums_of([customer.pk])[customer.pk].owes, price, customer.credit_limit)

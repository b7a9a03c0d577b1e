"""Makes the customers of a test."""

import uuid
from decimal import Decimal
from typing import Any

from accounts.access import Role
from accounts.models import User
from orders.customers.change import Details, add_customer, add_payment
from orders.models import Customer, Order
from orders.selling.change import set_rule
from tests.makers import make_user, place_order


def make_customer(name: str = "Northside Gym", *, by: User | None = None, **details: Any) -> Customer:
    return add_customer(Details(name, **details), by=by or make_user())


def sold_to(customer: Customer | None, reference: str = "", **fields: Any) -> Order:
    """An order for this customer by the verb that every door uses."""
    return place_order(customer=customer, customer_reference=reference, **fields)


def pay(customer: Customer, amount: str, *, by: User | None = None) -> None:
    add_payment(customer, Decimal(amount), uuid.uuid4(), by=by or make_user())


def rule_for_all(percent: str = "50") -> None:
    """Everybody pays so much more than an order costs."""
    set_rule(customer=None, price_list=None, service=None, percent=Decimal(percent), plus=Decimal(0), step=Decimal(0),
             by=make_user(Role.MANAGER))  # fmt: skip

"""Sets limits as owners do, for tests."""

from decimal import Decimal
from typing import Any

from django.utils import timezone

from accounts import desk_settings
from accounts.access import Role
from accounts.models import User
from orders.limits.day import desk_day
from orders.models import Order, Spent
from orders.rules.statuses import Status
from tests.makers import make_user

MILLION = 1_000_000


def set_limits(**wanted: str) -> None:
    """Sets desk-wide limits by name of setting."""
    seen = {name: desk_settings.plain(desk_settings.value_of(name, desk_settings.stored())) for name in wanted}
    desk_settings.change(wanted, seen, by=make_user(Role.OWNER), at=timezone.now())


def own(person: User, **limits: str) -> User:
    """Gives the person limits of their own."""
    person.limits = limits
    person.save(update_fields=["limits"])
    return person


def sums(who: int) -> tuple[Any, Any]:
    """What is kept as spent and waiting today: of a person, or of the team with 0."""
    row = Spent.objects.filter(day=desk_day(timezone.now()), who=who).first()
    return (Decimal(row.spent) / MILLION, Decimal(row.waiting) / MILLION) if row else (Decimal(0), Decimal(0))


def sums_of_orders(who: int) -> tuple[Any, Any]:
    """The same, added up over the orders themselves."""
    orders = Order.objects.filter(counts_on=desk_day(timezone.now()))
    if who:
        orders = orders.filter(placed_by=who)
    spent = waiting = Decimal(0)
    for status, charge in orders.values_list("status", "expected_charge"):
        if status == Status.APPROVAL:
            waiting += charge
        elif status != Status.REJECTED:
            spent += charge
    return spent, waiting

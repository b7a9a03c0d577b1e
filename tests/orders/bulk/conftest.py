"""Who starts jobs, the orders they are for, and what the button of a dry run sends."""

import re

import pytest

from accounts.models import User
from orders.aftersale import ask as aftersale
from orders.bulk.selection import Selection
from orders.models import Order, Task
from orders.rules.statuses import Status
from tests.makers import make_order, make_service, make_user

REFILL, CANCEL = Task.Kind.REFILL, Task.Kind.CANCEL


@pytest.fixture
def ana() -> User:
    """The operator who starts the jobs."""
    return make_user(name="Ana")


def selected(kind: str, orders: list[Order]) -> Selection:
    """These orders as a person's ticks select them."""
    return Selection.of(kind, [order.pk for order in orders], "ticked on the orders page")


def every_kind(by: User) -> list[Order]:
    """Orders of every status, with and without the service's flags, some with a pending task or no refill left."""
    services = [make_service(refill=flag, cancel=flag) for flag in (True, False)]
    orders = [make_order(status, by=by, service=service) for status in [*Status, "odd"] for service in services]
    orders += [make_order(status, by=by, service=services[0]) for status in ("completed", "partial", "in_progress")]
    aftersale.ask(orders[-3], REFILL, by=by)
    aftersale.ask(orders[-1], CANCEL, by=by)
    Order.objects.filter(pk=orders[-2].pk).update(refills_elsewhere=3)
    return orders


def signed_selection(page: str) -> str:
    """What the button of a dry run's page sends."""
    match = re.search(r'name="picked" value="([^"]+)"', page)
    assert match, "no button to press"
    return match[1]

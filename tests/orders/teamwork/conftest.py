"""An order that teammates talk about, and the page that shows it."""

import pytest
from django.test import Client

from accounts.access import Role
from accounts.models import User
from orders.models import Order
from orders.rules.statuses import Status
from tests.makers import make_order, make_user


@pytest.fixture
def order() -> Order:
    """An order in progress, assigned to nobody and without notes."""
    return make_order(Status.IN_PROGRESS)


@pytest.fixture
def ana() -> User:
    """An operator."""
    return make_user(Role.OPERATOR, username="ana", name="Ana")


def page(client: Client, order: Order) -> str:
    """The HTML of the order's page."""
    return client.get(order.get_absolute_url()).content.decode()

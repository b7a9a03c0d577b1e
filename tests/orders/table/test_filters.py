"""Which orders the filters on days find, to the hour."""

from datetime import UTC, datetime, timedelta

import pytest
from django.http import QueryDict

from orders.models import Order
from orders.table.listing import Listing
from panel.format.locale import written_for
from tests.makers import make_order, make_user

pytestmark = pytest.mark.django_db
DAY = datetime(2026, 11, 20, tzinfo=UTC)


def hours_found(query: str) -> list[int]:
    """When the orders that a list finds were placed, in hours from the beginning of DAY."""
    orders = Order.objects.filter(Listing.of(make_user(), QueryDict(query)).where).order_by("pk")
    return [round((order.created_at - DAY) / timedelta(hours=1)) for order in orders]


@pytest.fixture(autouse=True)
def orders() -> list[Order]:
    """An order every six hours, from the day before DAY to the day after."""
    by = make_user()
    return [make_order(by=by, created_at=DAY + timedelta(hours=hours)) for hours in range(-24, 48, 6)]


def test_from_and_until_take_the_whole_day() -> None:
    """Both ends belong to the range."""
    assert hours_found("from=2026-11-20&to=2026-11-20") == [0, 6, 12, 18]
    assert hours_found("to=2026-11-19") == [-24, -18, -12, -6]
    assert hours_found("from=2026-11-21") == [24, 30, 36, 42]


def test_a_day_is_that_of_the_persons_zone() -> None:
    """In Tokyo the day begins nine hours before it does in UTC."""
    with written_for("Asia/Tokyo", "1,234.56"):  # nine hours ahead
        assert hours_found("from=2026-11-20&to=2026-11-20") == [-6, 0, 6, 12]


@pytest.mark.parametrize("query", ["from=2026-13-01", "from=yesterday", "to=9999-12-31", "from=1-1-1"])
def test_a_day_that_does_not_exist_is_ignored_and_named(query: str) -> None:
    """The list is not filtered by it, and the page repeats the text that made no sense."""
    listing = Listing.of(make_user(), QueryDict(query))
    assert listing.filters == {}
    assert [text for _, text in listing.ignored] == [query.partition("=")[2]]

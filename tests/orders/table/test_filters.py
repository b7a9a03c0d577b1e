"""What a filter means at its edges."""

from datetime import UTC, datetime, timedelta

import pytest
from django.http import QueryDict

from orders.models import Order
from orders.table.listing import Listing
from panel.format.locale import written_for
from tests.makers import make_order, make_user

pytestmark = pytest.mark.django_db
DAY = datetime(2026, 11, 20, tzinfo=UTC)


def days(query: str) -> list[int]:
    """The hours of the orders that a filter finds, from its day's beginning."""
    found = Order.objects.filter(Listing.of(make_user(), QueryDict(query)).where).order_by("pk")
    return [round((order.created_at - DAY) / timedelta(hours=1)) for order in found]


@pytest.fixture(autouse=True)
def orders() -> list[Order]:
    """One every six hours, from the day before to the day after."""
    by = make_user()
    return [make_order(by=by, created_at=DAY + timedelta(hours=hours)) for hours in range(-24, 48, 6)]


def test_from_and_until_take_the_whole_day() -> None:
    assert days("from=2026-11-20&to=2026-11-20") == [0, 6, 12, 18]
    assert days("to=2026-11-19") == [-24, -18, -12, -6]
    assert days("from=2026-11-21") == [24, 30, 36, 42]


def test_a_day_is_that_of_the_one_who_asks() -> None:
    with written_for("Asia/Tokyo", "1,234.56"):  # nine hours ahead
        assert days("from=2026-11-20&to=2026-11-20") == [-6, 0, 6, 12]


@pytest.mark.parametrize("said", ["from=2026-13-01", "from=yesterday", "to=9999-12-31", "from=1-1-1"])
def test_a_day_that_is_none_is_left_out_and_told(said: str) -> None:
    listing = Listing.of(make_user(), QueryDict(said))
    assert listing.filters == {}
    assert [text for _, text in listing.ignored] == [said.partition("=")[2]]

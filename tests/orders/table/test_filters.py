"""Which orders the filters on days find, to the hour; and amounts as people type them."""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

import pytest
from django.http import QueryDict

from orders.models import Order
from orders.table.filters import typed_text
from orders.table.listing import Listing
from panel.format.locale import written_for
from panel.format.numbers import MARKS_OF
from tests.makers import make_order, make_user
from tests.people import as_user

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


# ── Amounts ──────────────────────────────────────────────────────────────────────────────────────
def charges_read(query: str, numbers: str = "") -> dict[str, Any]:
    """The filters on charges that a reader with this number format gets from an address."""
    with written_for("", numbers):
        return Listing.of(make_user(), QueryDict(query)).filters


@pytest.mark.parametrize(("typed", "amount"), [
    ("1.234,56", "1234.56"), ("$1,234.56", "1234.56"), ("1,5 USD", "1.5"), ("US$ 0,05", "0.05"), ("usd 12", "12"),
    ("1'234.5", "1234.5"),
])  # fmt: skip
def test_an_amount_is_read_as_its_reader_writes_it(typed: str, amount: str) -> None:
    """A sign of dollars before or behind it does not matter."""
    for numbers in MARKS_OF:
        assert charges_read(urlencode({"least": typed}), numbers) == {"least": Decimal(amount)}


@pytest.mark.parametrize("typed", ["€5", "5 EUR", "-5", "$", "1,23,4", "1e13", "USD USD 5"])
def test_what_is_no_amount_in_dollars_is_ignored_and_named(typed: str) -> None:
    """Other currencies, debts and amounts that no column holds filter nothing."""
    listing = Listing.of(make_user(), QueryDict(urlencode({"most": typed})))
    assert (listing.filters, listing.ignored, listing.unclear) == ({}, (("Charge up to", typed),), ())


def test_an_ambiguous_amount_filters_nothing_and_asks() -> None:
    """Each meaning is a link, and the other question stays open when the first is answered."""
    client = as_user(make_user(numbers="1.234,56"))
    page = client.get("/orders/?least=1.234&most=2,345").content.decode()
    assert page.count("may mean two amounts.") == 2
    assert "$1.234,00</a>" in page
    assert "$1,234</a>" in page
    links = re.findall(r'href="(/orders/\?least=[^"]+)">\$', page)
    assert [link.replace("&amp;", "&") for link in links] == [
        "/orders/?least=1.2340&most=2%2C345", "/orders/?least=1234&most=2%2C345",
    ]  # fmt: skip


@pytest.mark.parametrize("amount", ["1.234", "0.125", "1234.5", "0.000001", "12", "999.999", "1E+3"])
@pytest.mark.parametrize("numbers", MARKS_OF)
def test_an_address_means_the_same_to_every_reader(amount: str, numbers: str) -> None:
    """A list that one reader opened is the same list for a teammate with another number format."""
    listing = Listing.of(make_user(), QueryDict()).with_(least=Decimal(amount))
    assert charges_read(listing.query(), numbers) == {"least": Decimal(amount)}
    with written_for("", numbers):
        assert charges_read(urlencode({"least": typed_text("least", Decimal(amount))}), numbers) == {
            "least": Decimal(amount)
        }


def test_a_form_with_empty_fields_still_says_what_was_not_read() -> None:
    """The address without the empty parameters keeps what makes no sense or may mean two amounts."""
    client = as_user(make_user())
    page = client.get("/orders/?status=&least=1,234&most=abc&from=", follow=True).content.decode()
    assert "may mean two amounts." in page
    assert "Charge up to “<bdi>abc</bdi>”" in page


def test_the_form_shows_an_amount_as_its_reader_writes_it() -> None:
    """A form that is sent again as it came means the same."""
    page = as_user(make_user(numbers="1.234,56")).get("/orders/filters/?least=1234.5&most=1.2340").content.decode()
    assert 'value="1234,5"' in page
    assert 'value="1,2340"' in page


@pytest.mark.parametrize("typed", ["0." + "123456789" * 6, "999999999999." + "9" * 40, "1e-50", "0.0000001"])
def test_an_amount_with_many_decimals_filters_without_an_error(typed: str) -> None:
    """The column keeps six; the database compares with what was typed."""
    assert as_user(make_user()).get(f"/orders/?least={typed}&most={typed}").status_code == 200

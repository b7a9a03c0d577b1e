"""The page of reports: its sums are right in every time zone, add up as printed, and tell no money to some."""

import csv
import io
import random
import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from accounts.access import FIELDS, Role
from accounts.models import DeskSettings, TrailLine
from orders.models import Customer, Order
from orders.reports.figures import cents, in_cents
from orders.reports.period import Period
from orders.reports.statement import cover, day_of_slot, day_slots, read_sums
from orders.statistics import sales
from panel.format.locale import written_for
from panel.ops.database import ONLY_ROW
from tests.makers import make_order, make_service, make_user
from tests.people import as_a, as_user

pytestmark = pytest.mark.django_db
ZONES = ("UTC", "Europe/Berlin", "Asia/Kathmandu", "America/St_Johns", "Australia/Lord_Howe")
FIRST, LAST = date(2026, 3, 1), date(2026, 11, 30)


def text_of(client: Any, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return str(answer.content.decode())


def file_of(client: Any, address: str) -> str:
    """The CSV file of an export."""
    return b"".join(client.post(address, {"format": "csv"}).streaming_content).decode("utf-8-sig")


def amounts_in(html: str, label: str) -> list[Decimal]:
    """The amounts of a column, by its label, without those of the sum."""
    cells = re.findall(rf'data-l="{label}">(?:<a [^>]*>)?([−$\d.,]+)', html)
    return [Decimal(cell.replace("$", "").replace(",", "").replace("−", "-")) for cell in cells]


# ── Right ────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("zone", ZONES)
def test_each_day_has_the_orders_that_its_reader_placed_on_it(zone: str) -> None:
    chance, service, by = random.Random(zone), make_service(), make_user()
    for n in range(12):
        at = datetime(2026, 3, 1, tzinfo=UTC) + timedelta(seconds=chance.randrange(270 * 86_400))
        make_order("completed", service=service, by=by, created_at=at, charge=Decimal(n) / 7, currency="USD")
    for folded in (False, True):
        with written_for(zone, ""):
            sums = read_sums(FIRST, LAST, 0, "service")
        days = [order.created_at.astimezone(ZoneInfo(zone)).date() for order in Order.objects.all()]
        assert [totals.orders for totals in sums.days] == [
            days.count(FIRST + timedelta(days=n)) for n in range((LAST - FIRST).days + 1)
        ]
        if not folded:
            sales.fold()
    assert sums.split[service.pk].orders == sum(FIRST <= day <= LAST for day in days)


@given(first=st.integers(0, 90_000), length=st.integers(1, 40_000))
def test_a_period_is_covered_by_blocks_without_gap_or_overlap(first: int, length: int) -> None:
    ranges = sorted((begin, end) for _, begin, end in cover(first, first + length, "service"))
    assert ranges[0][0] == first
    assert ranges[-1][1] == first + length
    assert all(end == begin for (_, end), (begin, _) in pairwise(ranges))
    for level, begin, end in cover(first, first + length, "service"):
        assert begin % level.block == end % level.block == 0
    assert len(ranges) <= 7


@pytest.mark.parametrize("zone", ZONES)
def test_a_clock_that_is_set_forward_or_back_moves_no_hour_to_another_day(zone: str) -> None:
    with written_for(zone, ""):
        slots = day_slots(date(2025, 10, 20), 400)
    expected = [sum(slot >= begin for begin in slots) - 1 for slot in range(slots[0], slots[-1], 3)]
    values = ", ".join(f"({slot})" for slot in range(slots[0], slots[-1], 3))
    with connection.cursor() as cursor:
        cursor.execute(f"WITH quarters (slot) AS (VALUES {values}) SELECT {day_of_slot(slots)} FROM quarters")
        assert [day for (day,) in cursor.fetchall()] == expected


# ── As printed ───────────────────────────────────────────────────────────────────────────────────
@given(parts=st.lists(st.integers(-(10**9), 10**9), max_size=30))
def test_amounts_in_cents_add_up_to_their_sum_in_cents(parts: list[int]) -> None:
    shown = in_cents(parts)
    assert sum(shown) == Decimal(cents(sum(parts))) / 100
    assert all(abs(amount * 1_000_000 - part) < 10_000 for amount, part in zip(shown, parts, strict=True))


@pytest.mark.parametrize("split", ["service", "category", "network", "customer", "person"])
def test_the_rows_add_up_to_their_sum_as_printed(split: str) -> None:
    people = [make_user() for _ in range(3)]
    customers = [Customer.objects.create(name=f"Gym {n}", created_by=people[0]) for n in range(3)]
    networks = ("Instagram › Likes", "TikTok › Views", "Odd › Things")
    services = [make_service(category=networks[n % 3], name=networks[n % 3]) for n in range(15)]
    for n, service in enumerate(services):
        make_order("completed", service=service, by=people[n % 3], charge=Decimal(n + 1) / 7 + Decimal("0.000001"),
                   currency="USD", sold_for=Decimal(n + 1) / 3, customer=customers[n % 3])  # fmt: skip
    html = text_of(as_a(Role.OWNER), f"/reports/?period=7&split={split}")
    table = html[html.index('id="split"') :]
    for label in ("spent", "sold", "margin"):
        *rows, total = amounts_in(table, label)
        assert rows
        assert sum(rows) == total, label
    behind = html[html.index("Show as a table") : html.index('id="split"')]
    assert amounts_in(behind, "spent")[-1] == amounts_in(table, "spent")[-1]
    assert sum(amounts_in(behind, "spent")[:-1]) == amounts_in(behind, "spent")[-1]


def test_a_report_reads_its_sums_in_one_statement_and_its_page_in_few(django_assert_max_num_queries: Any) -> None:
    for _ in range(3):
        make_order("completed", charge=Decimal("0.90"), currency="USD")
    client = as_a(Role.OWNER)
    client.get("/reports/")
    with django_assert_max_num_queries(12):
        client.get("/reports/?period=year")


# ── The address ──────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("from=2026-11-09&to=2026-11-01", "The period ends before it begins."),
        ("from=yesterday&to=2026-11-01", "Give both days as year, month and day"),
        ("from=2001-01-01&to=2026-11-01", "A report covers 1,100 days at most."),
        ("from=2026-02-30", "Give both days"),
    ],
)
def test_days_that_make_no_period_are_answered_with_a_sentence_and_the_usual_days(query: str, sentence: str) -> None:
    make_order("completed")
    html = text_of(as_a(Role.OWNER), f"/reports/?{query}")
    assert sentence in html
    assert "Shown are the last 28 days." in html


@pytest.mark.parametrize("by", ["day", "week", "month"])
@pytest.mark.parametrize("compared", ["before", "year", "no"])
def test_every_day_of_a_period_is_in_one_bar(by: str, compared: str) -> None:
    period = Period.read({"from": "2025-12-17", "to": "2026-11-30", "by": by, "with": compared})
    assert [day for bucket in period.buckets for day in range(bucket.begin, bucket.end)] == list(range(period.days))
    assert period.buckets[0].first == period.first
    assert period.buckets[-1].last == period.last
    assert Period.read(dict(pair.split("=") for pair in period.address()[1:].split("&"))) == period


def test_an_empty_period_says_when_the_first_order_was() -> None:
    make_order("completed", created_at=datetime(2026, 8, 3, 12, tzinfo=UTC))
    sales.fold()
    html = text_of(as_a(Role.VIEWER), "/reports/?from=2025-12-25&to=2025-12-25")
    assert "No order in this period" in html
    assert "3 August 2026" in html


# ── Who sees what ────────────────────────────────────────────────────────────────────────────────
def test_without_the_right_to_money_a_report_has_none() -> None:

    DeskSettings.objects.create(pk=ONLY_ROW, chosen={"viewer.money": "off"})
    make_order("completed", charge=Decimal("7.31"), currency="USD", sold_for=Decimal("9.42"))
    viewer = as_user(make_user(Role.VIEWER))
    html = text_of(viewer, "/reports/?period=7")
    assert "Your role does not see money" in html
    main = html[html.index("<main") :]
    assert "$" not in main
    assert "Spent" not in main
    assert "7.31" not in file_of(viewer, "/reports/export/?period=7")


def test_a_split_by_a_fact_that_a_role_does_not_see_is_shown_as_the_usual_one(monkeypatch: pytest.MonkeyPatch) -> None:
    by = make_user()
    make_order("completed", customer=Customer.objects.create(name="Harbour Coffee", created_by=by))
    reader, address = as_a(Role.OPERATOR), "/reports/?period=7&split=customer"
    assert "Harbour Coffee" in text_of(reader, address)
    monkeypatch.setitem(FIELDS, "customer", "people")
    html = text_of(reader, address)
    assert "Harbour Coffee" not in html
    assert "split=customer" not in html
    assert "Harbour Coffee" not in file_of(reader, "/reports/export/?period=7&split=customer")


def test_an_export_has_every_row_and_their_sum_to_the_sixth_decimal() -> None:
    for n in range(3):
        make_order("completed", charge=Decimal(n + 1) / 7, currency="USD")
    owner = make_user(Role.OWNER)
    file = file_of(as_user(owner), "/reports/export/?period=7&with=no")
    *rows, total = csv.DictReader(io.StringIO(file))
    assert len(rows) == 3
    assert sum(Decimal(row["charged"]) for row in rows) == Decimal(total["charged"]) == Decimal("0.857142")
    line = TrailLine.objects.get(kind="report_exported")
    assert line.by == owner

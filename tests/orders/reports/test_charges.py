"""Expected against real charge: to the last digit whatever moves, by the reader's day, and never over all orders."""

import random
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.db.models import Sum
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from orders.following.poll import apply_reports
from orders.models import Charged, Order
from orders.reports.charges import days, differences
from orders.rules.statuses import Status
from orders.statistics import charge_totals
from orders.statistics.charge_totals import compact
from orders.statistics.triggers import install
from panel.format.locale import written_for
from panel.notpanel.shapes import Reports
from tests.benchmarks import measure
from tests.makers import make_order, make_report, make_service, make_user
from tests.people import as_user

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
DAY = NOON.date()


def order_at(at: datetime, charge: str | None = "0.90", status: str = Status.COMPLETED, **fields: object) -> Order:
    """An order placed at this moment, which upstream charged so many dollars for."""
    amount = None if charge is None else Decimal(charge)
    return make_order(status, created_at=at, charge=amount, currency=fields.pop("currency", "USD"), **fields)


def order_totals() -> tuple[int, Decimal, Decimal, Decimal]:
    """The number of charged orders, expected, charged and given back, counted from the orders themselves."""
    known = [o for o in Order.objects.exclude(charge=None) if o.currency in ("", "USD")]
    back = [-difference for o in known if o.given_back and (difference := o.charge_difference)]
    return (
        len(known), sum((o.expected_charge for o in known), Decimal(0)),
        sum((o.charge or Decimal(0) for o in known), Decimal(0)), sum(back, Decimal(0)),
    )  # fmt: skip


def trigger_totals() -> tuple[int, Decimal, Decimal, Decimal]:
    """The same four totals, added up from the lines that the triggers wrote."""
    totals = Charged.objects.aggregate(**{name: Sum(name) for name in charge_totals.TOTALS})
    return totals["orders"], *(charge_totals.dollars(int(totals[name])) for name in charge_totals.TOTALS[1:4])


# ── Exact ────────────────────────────────────────────────────────────────────────────────────────
def test_the_totals_follow_every_way_in_which_a_charge_moves() -> None:
    chance, service, by = random.Random(7), make_service(rate=Decimal("0.37")), make_user()
    orders = [make_order(Status.PENDING, service=service, by=by, quantity=100 + n) for n in range(12)]
    for turn in range(150):
        order = chance.choice(orders)
        status = chance.choice(["pending", "in_progress", "completed", "partial", "cancelled", "refunded", "paused"])
        charge = None if turn % 11 == 0 else Decimal(chance.randrange(-5, 2_000_000)) / 1_000_000
        report = make_report(order, status=status, charge=charge, currency=chance.choice(["USD", "USD", "", "EUR"]))
        apply_reports([report.upstream_id], Reports({report.upstream_id: report}, {}), timezone.now())
        if turn % 40 == 0:
            compact()
    order.refresh_from_db()
    order.charge = Decimal("3.333333")
    order.save(update_fields=["charge"])
    assert trigger_totals() == order_totals()
    compact()
    assert trigger_totals() == order_totals()
    assert Charged.objects.count() == Charged.objects.values("slot").distinct().count()


def test_an_order_that_moves_to_another_day_is_counted_there() -> None:
    order = order_at(NOON)
    Order.objects.filter(pk=order.pk).update(created_at=NOON - timedelta(days=1))
    assert [row.day for row in days(DAY - timedelta(days=3), DAY)] == [DAY - timedelta(days=1)]


def test_an_absurd_charge_breaks_no_total() -> None:
    for _ in range(12):
        order_at(NOON, "999999999999")
    [row] = days(DAY, DAY)
    assert (row.orders, row.elsewhere) == (0, 12)
    assert not row.charged
    compact()


def test_earlier_orders_are_counted_when_the_triggers_come_back() -> None:
    order_at(NOON)
    order_at(NOON, "0.30", Status.PARTIAL)
    with connection.cursor() as cursor:
        for name in ("orders_charged_new", "orders_charged_moved"):
            cursor.execute(f"DROP TRIGGER {name}" + " ON orders_order" * (connection.vendor == "postgresql"))
    order_at(NOON + timedelta(hours=3), "7")
    assert trigger_totals() != order_totals()
    install(charge_totals.TRIGGERS)
    assert trigger_totals() == order_totals()
    order_at(NOON, "8")
    assert trigger_totals() == order_totals()


# ── By day ───────────────────────────────────────────────────────────────────────────────────────
def test_a_day_adds_up_what_was_expected_charged_and_given_back() -> None:
    order_at(NOON)
    order_at(NOON, "1.20")
    order_at(NOON, "0.40", Status.PARTIAL)
    order_at(NOON, "0.85", currency="EUR")
    order_at(NOON, None, Status.PENDING)
    order_at(NOON - timedelta(days=1), "0.90")
    today, before = days(DAY - timedelta(days=5), DAY)
    assert today.day == DAY and before.day == DAY - timedelta(days=1)
    assert (today.orders, today.elsewhere) == (3, 1)
    assert (today.expected, today.charged) == (Decimal("2.70"), Decimal("2.50"))
    assert (today.difference, today.given_back, today.unexplained) == tuple(map(Decimal, ("-0.20", "0.50", "0.30")))
    assert today.is_odd and not before.is_odd


def test_a_day_is_the_readers_and_may_have_23_hours() -> None:
    order_at(datetime(2026, 3, 29, 21, 59, tzinfo=UTC), "1")  # Berlin: 23:59 on the day of the change
    order_at(datetime(2026, 3, 29, 22, 0, tzinfo=UTC), "2")  # and the first minute after it
    order_at(datetime(2026, 3, 28, 22, 59, tzinfo=UTC), "4")  # and the last one of the day before
    span = (date(2026, 3, 28), date(2026, 3, 30))
    with written_for("Europe/Berlin", ""):
        assert [row.charged for row in days(*span)] == [2, 1, 4]
    with written_for("Asia/Kathmandu", ""):  # 5:45 ahead
        assert [row.charged for row in days(*span)] == [3, 4]
    assert [row.charged for row in days(*span)] == [3, 4]


def test_a_days_differences_have_the_largest_first(viewer: Browser) -> None:
    same, less, more = order_at(NOON), order_at(NOON, "0.40", Status.PARTIAL), order_at(NOON, "2.10")
    order_at(NOON, "5", currency="EUR"), order_at(NOON - timedelta(days=1), "9")
    assert differences(make_user(), DAY) == ([more, less], None)
    page = viewer.get(f"/upstream/charges/?day={DAY}").content.decode()
    assert page.index(f">{more.pk}</a>") < page.index(f">{less.pk}</a>")
    assert f">{same.pk}</a>" not in page
    assert "133.3 %" in page and "given back" in page


def test_a_day_with_very_many_orders_compares_the_newest_and_says_so(
    viewer: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orders.reports.charges.COMPARED_ORDERS", 3)
    made = [order_at(NOON + timedelta(minutes=n), f"{9 - n}") for n in range(5)]
    assert differences(make_user(), DAY) == (made[2:], made[1].created_at)
    assert "only of orders placed after" in viewer.get(f"/upstream/charges/?day={DAY}").content.decode()
    monkeypatch.setattr("orders.reports.charges.COMPARED_ORDERS", 5)
    assert differences(make_user(), DAY) == (made, None)


# ── The page ─────────────────────────────────────────────────────────────────────────────────────
def test_each_number_leads_to_the_rows_behind_it(viewer: Browser) -> None:
    now = timezone.now()
    order_at(now, "1.20")
    day = now.date()
    page = viewer.get("/upstream/charges/").content.decode()
    for address in (f"/orders/?from={day}&amp;to={day}", f"/upstream/charges/?day={day}"):
        assert f'href="{address}"' in page
    rows = viewer.get(f"/orders/?from={day}&to={day}").content.decode()
    assert rows.count('role="row" data-v') == 1
    assert "+$0.30" in page


def test_older_days_follow_by_key_and_empty_days_are_skipped(viewer: Browser) -> None:
    now = timezone.now()
    old = order_at(now - timedelta(days=400), "1.20")
    page = viewer.get("/upstream/charges/").content.decode()
    assert "No charges in these days" in page
    older = f"/upstream/charges/?until={old.created_at.date()}"
    assert older in page
    assert "+$0.30" in viewer.get(older).content.decode()


@pytest.mark.parametrize("query", ["day=soon", "until=x", "day=9999-12-31", "until=%00", "day="])
def test_nonsense_in_the_address_is_ignored(viewer: Browser, query: str) -> None:
    assert "No charges yet" in viewer.get(f"/upstream/charges/?{query}").content.decode()


def test_the_queries_do_not_grow(viewer: Browser) -> None:
    counts, now = [], timezone.now()
    for rows in (1, 49):
        for n in range(rows):
            order_at(now - timedelta(days=n), "1.20")
        for address in ("/upstream/charges/", f"/upstream/charges/?day={now.date()}"):
            with CaptureQueriesContext(connection) as queries:
                assert viewer.get(address).status_code == 200
            counts.append(len(queries))
    assert counts[:2] == counts[2:]


@pytest.mark.skipif(connection.vendor != "sqlite", reason="counts the steps of SQLite's virtual machine")
def test_it_takes_the_same_steps_with_a_hundred_times_the_orders() -> None:
    """As at a desk that grew: as many days, and a hundred times the orders on each, as the triggers left them."""
    reader = as_user(make_user())
    now_slot = charge_totals.slot_of(timezone.now())

    def fill(times: int) -> None:
        Charged.objects.bulk_create(
            Charged(slot=now_slot - n * 8, orders=times, expected=times, charged=times, given_back=0, elsewhere=0)
            for n in range(1_000)
        )  # fmt: skip
        compact()

    def steps() -> int:
        reader.get("/upstream/charges/")
        return measure.vm_steps(lambda: reader.get("/upstream/charges/"))

    fill(1)
    few = steps()
    fill(99)
    assert Charged.objects.aggregate(all=Sum("orders"))["all"] == 100_000
    assert steps() <= few * 1.05

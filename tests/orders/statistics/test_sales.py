"""The sums of sales equal a recount of the orders, whatever happens to them and in whatever order."""

import random
import uuid
from decimal import Decimal

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import User
from catalog.models import Service
from orders.following.poll import apply_reports
from orders.models import Order, SaleLine, SaleSum, Task
from orders.models.order import OrderQuerySet
from orders.statistics import sales
from orders.statistics.triggers import install
from panel.notpanel.shapes import Reports
from tests.benchmarks.sales import NOON, counted_again, earned_of, kept, make_orders, play, wrong_levels
from tests.makers import make_order, make_report, make_service, make_user, minutes

pytestmark = pytest.mark.django_db


def figures() -> dict[str, int]:
    """All figures of the desk, over all times."""
    totals = [sum(column) for column in zip(*kept().values(), strict=True)] or [0] * len(sales.FIGURES)
    return dict(zip(sales.FIGURES, totals, strict=True))


# ── Exact ────────────────────────────────────────────────────────────────────────────────────────
def test_a_recount_equals_the_sums_of_every_level_after_random_events() -> None:
    services, people = [make_service().pk for _ in range(3)], [make_user().pk, make_user().pk]
    assert play(1_500, 60, random.Random(20), services, people) == []
    assert not SaleLine.objects.exists()


happened = st.tuples(
    st.sampled_from(("pending", "partial", "completed", "refunded", "cancelled", "rejected")),
    st.integers(min_value=-1, max_value=8), st.one_of(st.none(), st.decimals("0", "9", places=6)),
)  # fmt: skip


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(events=st.lists(happened, max_size=5), sold_for=st.decimals("0", "99999", places=6), quantity=st.integers(1, 7))
def test_any_order_of_partials_refunds_and_prices_adds_up_to_the_sixth_decimal(
    events: list[tuple[str, int, Decimal | None]], sold_for: Decimal, quantity: int
) -> None:
    services, people = list(Service.objects.all()[:1]), list(User.objects.all()[:1])
    service, by = services[0] if services else make_service(), people[0] if people else make_user()
    [pk] = make_orders(1, [service.pk], [by.pk], random.Random(quantity))
    Order.objects.filter(pk=pk).update(quantity=quantity, runs=None, sold_for=sold_for)
    for status, remains, charge in events:
        Order.objects.filter(pk=pk).update(status=status, remains=remains, charge=charge, currency="USD")
    assert kept() == counted_again()


@pytest.mark.parametrize(
    ("quantity", "remains", "sold_for", "earned"),
    [
        (3, 1, "1.000000", "0.666667"),
        (3, 2, "1.000000", "0.333333"),
        (2, 1, "0.000001", "0.000001"),  # half a millionth is rounded up
        (7, 0, "1.000001", "1.000001"),
        (7, 7, "1.000001", "0"),
        (1_999_999_993, 1_000_000_000, "999999999.999999", "499999998.249999"),
    ],
)
def test_a_partial_order_is_sold_for_the_share_that_was_delivered(
    quantity: int, remains: int, sold_for: str, earned: str
) -> None:
    order = make_order("partial", charge=Decimal(0), currency="USD")
    Order.objects.filter(pk=order.pk).update(quantity=quantity, remains=remains, sold_for=Decimal(sold_for))
    order.refresh_from_db()
    assert figures()["sold"] == figures()["margin"] == int(earned_of(order).scaleb(6)) == int(Decimal(earned).scaleb(6))


def test_huge_numbers_break_no_order_and_no_sum() -> None:
    order = make_order("partial")
    most = 2**62
    Order.objects.filter(pk=order.pk).update(quantity=most, remains=most // 3, runs=9, sold_for=Decimal("9" * 12))
    Order.objects.filter(pk=order.pk).update(charge=Decimal(10) ** 11, currency="USD", status="completed")
    sales.fold()
    assert figures()["units"] == sales.MOST_UNITS
    assert figures()["elsewhere"] == 1


# ── What counts ──────────────────────────────────────────────────────────────────────────────────
def test_an_order_in_another_currency_is_counted_and_its_money_is_not() -> None:
    make_order("completed", charge=Decimal("0.90"), currency="EUR", sold_for=Decimal(2))
    totals = figures()
    assert (totals["orders"], totals["elsewhere"], totals["charged"], totals["margin"]) == (1, 1, 0, 0)


def test_refusals_and_refills_count_for_the_service_of_their_order() -> None:
    refused, order = make_order("rejected"), make_order("completed")
    Task.objects.create(order=order, kind="refill", asked_by=order.placed_by, due_at=NOON)
    task = Task.objects.create(order=order, kind="refill", settled_at=NOON, over_at=NOON, over_how="refused")
    by_service = {key[1]: dict(zip(sales.FIGURES, values, strict=True)) for key, values in kept().items()}
    assert by_service[refused.service_id]["refused"] == 1
    assert (by_service[order.service_id]["refills"], by_service[order.service_id]["refilled"]) == (2, 0)
    Task.objects.filter(pk=task.pk).update(over_how="marked")
    assert figures()["refilled"] == 1


def test_an_order_that_ends_late_stays_known_as_late() -> None:
    late, timely = (make_order("in_progress", late_from=NOON + minutes(n)) for n in (-90, 10**6))
    reports = {order.upstream_id: make_report(order, "completed", remains=0) for order in (late, timely)}
    apply_reports([str(key) for key in reports], Reports(reports, {}), NOON)  # type: ignore[arg-type]
    late.refresh_from_db()
    timely.refresh_from_db()
    assert (late.ended_late, timely.ended_late) == (True, False)
    assert (figures()["ended"], figures()["late"]) == (2, 1)


# ── Lines and sums ───────────────────────────────────────────────────────────────────────────────
def test_many_orders_at_once_append_few_lines_on_postgresql() -> None:
    service, by = make_service(), make_user()
    SaleLine.objects.all().delete()
    Order.objects.bulk_create(
        Order(service=service, placed_by=by, link="https://example.org/x", quantity=100, rate_seen=1, expected_charge=1,
              body={}, created_at=NOON, form_token=uuid.uuid4()) for _ in range(50)
    )  # fmt: skip
    assert SaleLine.objects.count() == (1 if connection.vendor == "postgresql" else 50)
    assert figures()["orders"] == 50


def test_an_update_that_changes_no_figure_appends_no_line() -> None:
    order = make_order("in_progress", remains=5)
    SaleLine.objects.all().delete()
    Order.objects.filter(pk=order.pk).update(remains=4, charge=None, version=7)
    assert not SaleLine.objects.exists()


def test_folding_in_pieces_or_twice_changes_no_total() -> None:
    for _ in range(4):
        make_order("completed", charge=Decimal("0.90"), currency="USD")
    before = figures()
    assert sales.fold_some(3) == 3
    assert figures() == before
    assert sales.fold() > 0
    assert sales.fold() == 0
    assert figures() == before
    assert wrong_levels() == []


def test_old_orders_are_counted_when_the_triggers_are_installed() -> None:
    for status in ("completed", "rejected", "partial"):
        make_order(status, charge=Decimal("0.90"), currency="USD")
    before = figures()
    with connection.cursor() as cursor:
        for name in sales.NAMES:
            table = "orders_task" if "task" in name else "orders_order"
            on_table = f" ON {table}" if connection.vendor == "postgresql" else ""
            cursor.execute(f"DROP TRIGGER {name}{on_table}")
    SaleSum.objects.all().delete()
    SaleLine.objects.all().delete()
    orders: OrderQuerySet = Order.objects.all()
    assert orders.count() == 3
    install(sales.TRIGGERS)
    assert figures() == before
    assert wrong_levels() == []

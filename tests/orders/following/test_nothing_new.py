"""A poll that tells nothing new writes one narrow row, and whatever tells something new is saved whole."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from orders.following.absorb import REPORTED_FIELDS, absorb, tells_nothing_new
from orders.following.poll import apply_reports
from orders.models import Order, Poll
from orders.models.poll import Queue
from orders.rules.statuses import Status
from panel.notpanel.shapes import Reports
from tests.benchmarks.measure import of_transaction
from tests.makers import claimed_ids, make_order, make_report, make_service, make_user

pytestmark = pytest.mark.django_db

ORDERS = 100
# Changes with every report, whatever it tells.
OF_EVERY_REPORT = {"said", "reported_at"}


def known_order(**fields: Any) -> Order:
    """An order in progress of which upstream has reported before, as `make_report` reports by itself."""
    order = make_order(Status.IN_PROGRESS, **fields)
    apply_reports([order.upstream_id or ""], reports_of([order]), timezone.now())
    return Order.objects.get(pk=order.pk)


def reports_of(orders: list[Order], **said: Any) -> Reports:
    """A report about each of the orders."""
    reports = [make_report(order, **said) for order in orders]
    return Reports({report.upstream_id: report for report in reports}, {})


# What the report says, or what stands in the order's row → whether the report tells nothing new.
CASES: list[tuple[dict[str, Any], dict[str, Any], bool]] = [
    ({}, {}, True),
    ({"charge": None}, {}, True),
    ({"charge": Decimal("0.9000000")}, {}, True),
    ({"raw": {"status": "in_progress", "note": "again"}}, {}, True),
    ({"status": "processing"}, {}, False),
    ({"status": "completed"}, {}, False),
    ({"status": "weighing anchor"}, {}, False),
    ({"charge": Decimal("0.91")}, {}, False),
    ({"currency": "EUR"}, {}, False),
    ({"start_count": 1}, {}, False),
    ({"start_count": None}, {}, False),
    ({"remains": 649}, {}, False),
    ({"remains": None}, {}, False),
    ({"raw": {"status": "in_progress", "remains": "many"}}, {}, False),
    ({}, {"left_out": 1}, False),
    ({}, {"left_out": 4}, False),
    ({}, {"missing_since": timezone.now()}, False),
    ({}, {"failing_since": timezone.now()}, False),
    ({}, {"reported_at": None}, False),
    ({}, {"reported_at": timezone.now() + timedelta(hours=1)}, False),
    ({}, {"status": "completed"}, False),
    ({"status": "completed"}, {"status": "completed"}, False),
]


@pytest.mark.parametrize(("said", "kept", "nothing_new"), CASES)
def test_what_counts_as_nothing_new(said: dict[str, Any], kept: dict[str, Any], *, nothing_new: bool) -> None:
    order = known_order()
    Order.objects.filter(pk=order.pk).update(**kept)
    order = Order.objects.select_related("service").get(pk=order.pk)
    report = make_report(order, **said)
    assert tells_nothing_new(order, report) is nothing_new
    before = {name: getattr(order, name) for name in REPORTED_FIELDS}
    happened, reading = absorb(order, report)
    changed = {name for name in REPORTED_FIELDS if getattr(order, name) != before[name]} - OF_EVERY_REPORT
    if nothing_new:
        assert (happened, reading, changed) == ([], None, set())


def test_no_report_is_never_nothing_new() -> None:
    assert not tells_nothing_new(known_order(), None)


def test_a_hundred_unchanged_orders_are_polled_in_few_statements_and_their_rows_stay() -> None:
    by, service = make_user(), make_service()
    orders = [make_order(Status.IN_PROGRESS, by=by, service=service) for _ in range(ORDERS)]
    asked = [order.upstream_id or "" for order in orders]
    apply_reports(asked, reports_of(orders), timezone.now())
    Poll.objects.update(next_poll_at=timezone.now())
    before = list(Order.objects.order_by("pk").values())
    with CaptureQueriesContext(connection) as claims:
        assert claimed_ids(timezone.now()) == asked
    with CaptureQueriesContext(connection) as applies:
        apply_reports(asked, reports_of(orders), timezone.now())
    statements = [query["sql"] for query in [*claims, *applies]]
    assert list(Order.objects.order_by("pk").values()) == before
    assert not [sql for sql in statements if 'UPDATE "orders_order"' in sql or ("FOR UPDATE" in sql and "order" in sql
                and "orders_poll" not in sql and "orders_sending" not in sql)]  # fmt: skip
    assert len([sql for sql in statements if not of_transaction(sql)]) <= 10
    assert all(poll.reported_at and poll.next_poll_at > poll.reported_at for poll in Poll.objects.all())


def test_a_hundred_changed_orders_take_as_many_statements_as_one() -> None:
    by, service = make_user(), make_service()
    counts = []
    known_order()  # the first answer of a desk makes a row of its own
    for count in (1, ORDERS):
        orders = [make_order(Status.PENDING, by=by, service=service) for _ in range(count)]
        with CaptureQueriesContext(connection) as queries:
            apply_reports([order.upstream_id or "" for order in orders], reports_of(orders), timezone.now())
        assert {order.status for order in Order.objects.filter(pk__in=[each.pk for each in orders])} == {"in_progress"}
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_a_poll_that_told_nothing_new_shows_when_it_was() -> None:
    order = known_order()
    later = timezone.now() + timedelta(minutes=3)
    apply_reports([order.upstream_id or ""], reports_of([order], asked_at=later), later)
    fresh = Order.objects.get(pk=order.pk)
    assert (fresh.reported_at, fresh.checked_at) == (order.reported_at, later)


@pytest.mark.parametrize(("status", "polled"), [("in_progress", True), ("completed", False)])
def test_only_live_orders_have_a_poll(status: str, *, polled: bool) -> None:
    order = known_order()
    apply_reports([order.upstream_id or ""], reports_of([order], status=status), timezone.now())
    assert Poll.objects.filter(order=order).exists() is polled


def test_an_order_that_ended_while_a_report_without_news_was_under_way_stays_ended() -> None:
    order = known_order()
    Poll.objects.filter(order=order).delete()
    apply_reports([order.upstream_id or ""], reports_of([order]), timezone.now())
    assert not Poll.objects.exists()


def test_an_order_left_out_three_times_moves_to_the_queue_of_its_own_and_back() -> None:
    order = known_order()
    for _ in range(3):
        apply_reports([order.upstream_id or ""], Reports({}, {}), timezone.now())
    assert Poll.objects.get().queue == Queue.ALONE
    apply_reports([order.upstream_id or ""], reports_of([order]), timezone.now(), alone=True)
    assert Poll.objects.get().queue == Queue.TOGETHER

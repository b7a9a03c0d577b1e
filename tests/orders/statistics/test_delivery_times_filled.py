"""The migration that fills in when older orders were taken, started and ended."""

from importlib import import_module

import pytest
from django.apps import apps
from django.utils import timezone

from orders.models import Order, Reading, Task
from orders.rules.statuses import Status
from tests.makers import make_order, minutes

pytestmark = pytest.mark.django_db
migration = import_module("orders.migrations.0012_times_of_the_latest_orders")
NOW = timezone.now()


def read_order(status: str, *readings: tuple[float, str]) -> Order:
    """An order that upstream took an hour ago, with readings so many minutes after that."""
    order, began = make_order(status), NOW - minutes(60)
    order.tasks.filter(kind=Task.Kind.PLACE).update(settled_at=began)
    for after, status_then in readings:
        Reading.objects.create(order=order, at=began + minutes(after), status=status_then)
    return order


def filled(order: Order) -> list[float | None]:
    """When the order was taken, started and ended, in minutes after upstream took it; None for what is not known."""
    order.refresh_from_db()
    times = (order.taken_at, order.started_at, order.ended_at)
    return [None if at is None else (at - (NOW - minutes(60))) / minutes(1) for at in times]


def test_times_come_from_the_task_and_from_the_first_readings_with_that_status() -> None:
    done = read_order(Status.COMPLETED, (1, "pending"), (5, "in_progress"), (9, "in_progress"), (30, "completed"))
    back = read_order(Status.IN_PROGRESS, (5, "in_progress"), (9, "partial"), (12, "in_progress"))
    never = read_order(Status.CANCELLED, (1, "pending"), (8, "cancelled"))
    unread, queued = read_order(Status.COMPLETED), make_order(Status.QUEUED)
    migration.fill(apps, None)
    assert filled(done) == [0, 5, 30]
    assert filled(back) == [0, 5, None]
    assert filled(never) == [0, None, 8]
    assert filled(unread) == [0, None, None]
    assert filled(queued) == [None, None, None]


def test_all_live_orders_are_filled_and_of_ended_orders_only_the_latest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migration, "LATEST", 1)
    monkeypatch.setattr(migration, "AT_ONCE", 1)
    live, old, new = read_order(Status.PENDING), read_order(Status.COMPLETED), read_order(Status.COMPLETED)
    migration.fill(apps, None)
    assert [filled(order)[0] for order in (live, old, new)] == [0, None, 0]

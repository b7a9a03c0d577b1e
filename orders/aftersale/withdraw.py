"""Withdrawing an order before it is sent: nothing reaches upstream."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from orders.aftersale.settle import settle_needless_cancels
from orders.models import Bulk, Event, Order, Task
from orders.rules.refusal import Refusal, allowed
from orders.rules.statuses import Status


def withdraw(order: Order, *, by: Any) -> None:
    """Takes an order back that upstream cannot have. A worker that has just claimed it wins."""
    allowed(by, "place")
    with transaction.atomic():
        if not withdraw_all([order], by=by, at=timezone.now()):
            raise Refusal("Too late to undo: it is on its way to upstream, or settled already.")


def withdraw_all(orders: Iterable[Order], *, by: Any, at: datetime, bulk: Bulk | None = None) -> set[int]:
    """Takes back those that upstream cannot have; gives their ids. `bulk`: the job that did it."""
    unsent = Task.objects.filter(order__in=orders, kind=Task.Kind.PLACE, settled_at=None, unclear_since=None)
    # SKIP LOCKED: one that a worker has in its hands is on its way.
    gone = dict(unsent.select_for_update(skip_locked=True).values_list("order_id", "pk"))
    words = f"Withdrawn by {by} before it was sent."
    Task.objects.filter(pk__in=gone.values()).update(
        settled_at=at, due_at=None, needs=None, outcome=Task.Outcome.WITHDRAWN, answer=words, bulk=bulk
    )
    Order.objects.filter(pk__in=gone).change(status=Status.REJECTED)
    Event.objects.bulk_create([Event(order_id=pk, kind="withdrawn", by=by, at=at) for pk in gone])
    settle_needless_cancels(gone, at)
    return set(gone)

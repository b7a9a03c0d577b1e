"""Withdraws orders before they are sent: nothing reaches upstream."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from orders.aftersale.settle import settle_needless_cancels
from orders.models import Bulk, Event, Order, Task
from orders.models.team import last_decision
from orders.rules.refusal import Refusal, require_allowed
from orders.rules.statuses import Status

TOO_LATE = "Too late to undo: it is on its way to the supplier, or already there."


def withdraw(order: Order, *, by: Any) -> None:
    """Withdraws an order that upstream cannot have. Raises a Refusal if a worker has claimed it already."""
    require_allowed(by, "place")
    with transaction.atomic():
        if not withdraw_all([order], by=by, at=timezone.now()):
            raise Refusal(TOO_LATE + last_decision(order, "withdrawn"))


def withdraw_all(orders: Iterable[Order], *, by: Any, at: datetime, bulk: Bulk | None = None) -> set[int]:
    """Withdraws those of these orders that upstream cannot have. Returns their ids. `bulk` is the job that asked."""
    unsent = Task.objects.filter(order__in=orders, kind=Task.Kind.PLACE, settled_at=None, unclear_since=None)
    # SKIP LOCKED: a task that a worker is just claiming is on its way.
    gone = dict(unsent.select_for_update(skip_locked=True).values_list("order_id", "pk"))
    answer = f"Withdrawn by {by} before it was sent."
    Task.objects.filter(pk__in=gone.values()).update(
        settled_at=at, due_at=None, needs=None, outcome=Task.Outcome.WITHDRAWN, answer=answer, bulk=bulk
    )
    Order.objects.filter(pk__in=gone).change(status=Status.REJECTED)
    Event.objects.bulk_create([Event(order_id=pk, kind="withdrawn", by=by, at=at) for pk in gone])
    settle_needless_cancels(gone, at)
    return set(gone)

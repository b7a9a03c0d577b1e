"""Withdraws orders before they are sent, and ends those that wait for approval: nothing reaches upstream."""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from orders.aftersale.settle import settle_needless_cancels
from orders.models import Approval, Bulk, Event, Order, Task
from orders.models.team import last_decision
from orders.rules.refusal import Refusal, require_allowed
from orders.rules.statuses import Status

TOO_LATE = "Too late to undo: it is on its way to the supplier, or already there."


def withdraw(order: Order, *, by: Any) -> None:
    """Withdraws an order that upstream cannot have. Raises a Refusal if a worker has claimed it already."""
    require_allowed(by, "place")
    take_back(order, by=by)


def take_back(order: Order, *, by: Any) -> None:
    """The same for a person whom the caller has checked: who may cancel orders takes them back as well."""
    with transaction.atomic():
        if not withdraw_all([order], by=by, at=timezone.now()):
            raise Refusal(TOO_LATE + last_decision(order, "withdrawn"))


def withdraw_all(orders: Iterable[Order], *, by: Any, at: datetime, bulk: Bulk | None = None) -> set[int]:
    """Withdraws those of these orders that upstream cannot have. Returns their ids. `bulk` is the job that asked."""
    orders, answer = list(orders), f"Withdrawn by {by} before it was sent."
    asked = [order.pk for order in orders if order.status == Status.APPROVAL]
    ended = end_asked(asked, Approval.Outcome.WITHDRAWN, answer, by=by, at=at, bulk=bulk) if asked else []
    unsent = Task.objects.filter(order__in=orders, kind=Task.Kind.PLACE, settled_at=None, unclear_since=None)
    # SKIP LOCKED: a task that a worker is just claiming is on its way.
    gone = dict(unsent.select_for_update(skip_locked=True).values_list("order_id", "pk"))
    Task.objects.filter(pk__in=gone.values()).update(
        settled_at=at, due_at=None, needs=None, outcome=Task.Outcome.WITHDRAWN, answer=answer, bulk=bulk
    )
    Order.objects.filter(pk__in=gone).change(status=Status.REJECTED)
    Event.objects.bulk_create([Event(order_id=pk, kind="withdrawn", by=by, at=at) for pk in (*ended, *gone)])
    settle_needless_cancels(gone, at)
    return {*ended, *gone}


def end_asked(
    order_ids: Collection[int],
    outcome: str,
    answer: str,
    *,
    by: Any,
    at: datetime,
    bulk: Bulk | None = None,
    **facts: Any,
) -> list[int]:
    """Ends as never sent those of these orders that wait for approval, in the caller's transaction. Returns their ids.

    `outcome` is an Approval.Outcome and a Task.Outcome: a settled task says why, as of each order that was not placed.
    """
    waiting = Approval.objects.filter(order__in=order_ids, decided_at=None)
    # SKIP LOCKED: what somebody is just deciding is theirs.
    ids = sorted(waiting.select_for_update(skip_locked=True).values_list("pk", flat=True))
    Approval.objects.filter(pk__in=ids).update(outcome=outcome, decided_by=by, decided_at=at, **facts)
    orders = Order.objects.filter(pk__in=ids)
    orders.change(status=Status.REJECTED)
    Task.objects.bulk_create(
        Task(order_id=order.pk, kind=Task.Kind.PLACE, asked_by_id=order.placed_by_id, asked_at=order.created_at,
             settled_at=at, outcome=outcome, answer=answer, bulk=bulk)
        for order in orders.only("placed_by", "created_at")
    )  # fmt: skip
    settle_needless_cancels(ids, at)
    return ids

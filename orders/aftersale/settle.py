"""Ends refills and cancels: by the clock, by upstream's last word on the order, or because it was never placed."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction

from orders.models import Event, Order, Task, TaskQuerySet
from orders.rules.statuses import Status
from panel.ops.failpoints import fp

Kind, Outcome, Settled = Task.Kind, Task.Outcome, Task.Settled

REFILLS_PRESUMED_AT_ONCE = 100
# How a cancel ended, by the last status of its order. Any other status: otherwise.
CANCEL_ENDS = {Status.CANCELLED: Settled.AGREED, Status.COMPLETED: Settled.DELIVERED}


def presume_settled(now: datetime) -> bool:
    """Presumes refills settled of which upstream has said nothing for too long. Returns whether there were any."""
    old = now - timedelta(hours=settings.REFILL_PRESUMED_SETTLED_AFTER)
    silent = dict(silent_refills(now).values_list("pk", "order_id")[:REFILLS_PRESUMED_AT_ONCE])
    if not silent:
        return False
    fp("presume.found")
    with transaction.atomic():
        # Orders are locked before their tasks change, and in one order by everybody, so that no two wait for each
        # other. Each refill is read once more, for somebody may have sent it again meanwhile.
        Order.objects.filter(pk__in=silent.values()).lock()
        still = {task.pk: task.order_id for task in Task.objects.filter(pk__in=silent) if task.silent_since(old)}
        Task.objects.filter(pk__in=still).update(over_at=now, over_how=Settled.PRESUMED)
        Order.objects.filter(pk__in=still.values()).change()
        facts = {"hours": f"{settings.REFILL_PRESUMED_SETTLED_AFTER:g}"}
        Event.objects.bulk_create(
            [Event(order_id=pk, kind="refill_presumed", at=now, facts=facts) for pk in still.values()]
        )
        fp("presume.commit")
    fp("presume.committed")
    return True


def silent_refills(now: datetime) -> TaskQuerySet:
    """Pending refills of which upstream has said nothing for too long."""
    return Task.objects.silent_refills(now - timedelta(hours=settings.REFILL_PRESUMED_SETTLED_AFTER))


def settle_cancels(orders: Iterable[Order], at: datetime) -> list[Event]:
    """Ends the cancels of these orders, which have come to their own end. Returns events for the caller to save."""
    ended = {order.pk: order for order in orders}
    events = []
    for task in Task.objects.pending().filter(order__in=ended, kind=Kind.CANCEL):
        order = ended[task.order_id]
        how = CANCEL_ENDS.get(Status(order.status), Settled.OTHERWISE)
        # Even if a worker has claimed the task just now: the answer that it brings comes too late.
        settled = {"settled_at": task.settled_at or at, "due_at": None, "outcome": task.outcome or Outcome.UNCLEAR}
        Task.objects.filter(pk=task.pk).update(over_at=at, over_how=how, **settled)
        kind = "cancel_agreed" if how == Settled.AGREED else "cancel_late"
        events.append(Event(order=order, kind=kind, at=at, facts={"to": order.label}))
    return events


def settle_needless_cancels(order_ids: Iterable[int], at: datetime) -> None:
    """Ends the cancels that wait for these orders, which were never placed."""
    # Asked of the database: an order in hand may have been read before somebody asked for the cancel.
    waiting = dict(Task.objects.pending().filter(order__in=order_ids, kind=Kind.CANCEL).values_list("pk", "order_id"))
    Task.objects.filter(pk__in=waiting).update(
        settled_at=at, due_at=None, outcome=Outcome.WITHDRAWN, over_at=at, over_how=Settled.WITHDRAWN
    )
    Event.objects.bulk_create([Event(order_id=pk, kind="cancel_needless", at=at) for pk in waiting.values()])

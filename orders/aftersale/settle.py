"""How refills and cancels come to their end: by the clock, by what upstream says of the order, or for want of one."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from orders.models import Event, Order, Task
from orders.rules.statuses import Status
from panel.ops.failpoints import fp

Kind, Outcome, Settled = Task.Kind, Task.Outcome, Task.Settled
PRESUMED_AT_ONCE = 100  # refills that one statement of the clock settles

# How a cancel ended, by what upstream says of the order in the end.
CANCEL_ENDS = {Status.CANCELLED: Settled.AGREED, Status.COMPLETED: Settled.DELIVERED}


def presume_settled(now: datetime) -> bool:
    """Refills without a word for too long are presumed settled, and called so; says whether there were any."""
    hours = settings.REFILL_PRESUMED_SETTLED_AFTER
    old = now - timedelta(hours=hours)
    unheard = Q(known_at__lte=old) | Q(known_at=None, settled_at__lte=old)
    silent = Task.objects.pending().filter(unheard, kind=Kind.REFILL, settled_at__isnull=False)
    orders = list(silent.values_list("order_id", flat=True)[:PRESUMED_AT_ONCE])
    if not orders:
        return False
    fp("presume.found")
    with transaction.atomic():
        # Orders first, as with everybody who changes them and their tasks; somebody may have asked again meanwhile.
        for order in Order.objects.filter(pk__in=orders).order_by("pk").select_for_update(no_key=True):
            if silent.filter(order=order).update(over_at=now, over_how=Settled.PRESUMED):
                order.change()
                order.record("refill_presumed", at=now, hours=f"{hours:g}")
        fp("presume.commit")
    fp("presume.committed")
    return True


def settle_cancels(orders: Iterable[Order], at: datetime) -> list[Event]:
    """What upstream says of these orders in the end is the answer to their cancels. The caller saves the events."""
    ended = {order.pk: order for order in orders}
    events = []
    for task in Task.objects.pending().filter(order__in=ended, kind=Kind.CANCEL) if ended else ():
        order = ended[task.order_id]
        how = CANCEL_ENDS.get(Status(order.status), Settled.OTHERWISE)
        # Also one that is in the worker's hand just now: the answer that it brings comes too late.
        settled = {"settled_at": task.settled_at or at, "due_at": None, "outcome": task.outcome or Outcome.UNCLEAR}
        Task.objects.filter(pk=task.pk).update(over_at=at, over_how=how, **settled)
        kind = "cancel_agreed" if how == Settled.AGREED else "cancel_late"
        events.append(Event(order=order, kind=kind, at=at, facts={"to": order.label}))
    return events


def settle_needless_cancels(orders: Iterable[int], at: datetime) -> None:
    """These orders never came to be: a cancel that waited for one ends too."""
    # Asked of the database: an order in hand may have been read before somebody asked for the cancel.
    waiting = dict(Task.objects.pending().filter(order__in=orders, kind=Kind.CANCEL).values_list("pk", "order_id"))
    Task.objects.filter(pk__in=waiting).update(
        settled_at=at, due_at=None, outcome=Outcome.WITHDRAWN, over_at=at, over_how=Settled.WITHDRAWN
    )
    Event.objects.bulk_create([Event(order_id=pk, kind="cancel_needless", at=at) for pk in waiting.values()])

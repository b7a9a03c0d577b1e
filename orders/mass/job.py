"""What people do about a list that was placed: hold back what is not sent, let it go, or take it back.

Only orders that upstream cannot have are touched. The worker's claim and each of these are one UPDATE of the same row
with a condition, so that of a claim and a stop at the same moment one comes first and the other finds nothing.
"""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from orders.aftersale import withdraw
from orders.models import Event, MassJob, Order, Task
from orders.rules.refusal import Refusal, require_allowed
from orders.rules.retry import HELD_UNTIL
from panel.ops.database import batches

AT_ONCE = 500  # orders in one statement
NONE_WAITING = "No order of this list waits any more: each is on its way to the supplier, or ended."
NONE_HELD = "No order of this list is held back."


def stop(job: MassJob, *, by: Any) -> int:
    """Holds back all orders of the list that were not sent. Returns how many. What is sent stays sent."""
    return hold(job, "list_stopped", ~Q(due_at=HELD_UNTIL), HELD_UNTIL, NONE_WAITING, by=by)


def send_on(job: MassJob, *, by: Any) -> int:
    """Lets go what is held back, and what waits for its first try, without the rest of its time to undo."""
    now = timezone.now()
    return hold(job, "list_resumed", Q(due_at=HELD_UNTIL) | Q(due_at__gt=now, attempts=0), now, NONE_HELD, by=by)


def hold(job: MassJob, kind: str, which: Q, due_at: datetime, why: str, *, by: Any) -> int:
    """Sets when the waiting tasks that match are due, and records it; raises the refusal where there are none."""
    require_allowed(by, "place")
    count = 0
    with transaction.atomic():
        for order_ids in batches(waiting(job).filter(which).order_by("order_id").values_list("order_id", flat=True),
                                 AT_ONCE):  # fmt: skip
            orders = Order.objects.filter(pk__in=order_ids)
            orders.lock()
            unsent = Task.objects.filter(order__in=order_ids, kind=Task.Kind.PLACE, settled_at=None, unclear_since=None)
            count += unsent.filter(which).update(due_at=due_at)
            orders.change()
        if not count:
            raise Refusal(why)
        Event(kind=kind, by=by, at=timezone.now(), facts={"count": f"{count:,}", "job": job.pk}).save()
    return count


def take_back(job: MassJob, *, by: Any) -> int:
    """Withdraws all orders of the list that were not sent. Returns how many."""
    require_allowed(by, "place")
    count, now = 0, timezone.now()
    with transaction.atomic():
        for order_ids in batches(waiting(job).order_by("order_id").values_list("order_id", flat=True), AT_ONCE):
            orders = Order.objects.filter(pk__in=order_ids)
            orders.lock()
            count += len(withdraw.withdraw_all(orders.order_by("pk"), by=by, at=now))
        if not count:
            raise Refusal(NONE_WAITING)
        Event(kind="list_taken_back", by=by, at=now, facts={"count": f"{count:,}", "job": job.pk}).save()
    return count


def waiting(job: MassJob) -> Any:
    """The placing tasks of the list that upstream cannot have heard of."""
    return Task.objects.filter(order__mass_line__job=job, kind=Task.Kind.PLACE, settled_at=None, unclear_since=None)

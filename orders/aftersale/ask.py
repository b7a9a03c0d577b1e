"""Asks for a refill or a cancel of an order, and lets people act on a task that got no clear answer or no end."""

from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from orders.aftersale.withdraw import take_back
from orders.models import Event, Order, Task, TaskQuerySet
from orders.models.team import last_decision
from orders.rules.eligibility import WHY_NOT
from orders.rules.refusal import Refusal, require_allowed, require_reason
from panel.ops.failpoints import fp

Kind, Outcome, Settled = Task.Kind, Task.Outcome, Task.Settled


# ── Asking ───────────────────────────────────────────────────────────────────────────────────────
def ask(order: Order, kind: str, *, by: Any) -> Task | None:
    """Creates the task, which the worker sends. None for the cancel of an unsent order, which is withdrawn instead.

    Raises a Refusal that says why not, and who was first when two people pressed at once.
    """
    require_allowed(by, kind)
    if kind == Kind.CANCEL and try_to_withdraw(order, by=by):
        return None
    try:
        with transaction.atomic():
            fresh = locked(order)
            if why := WHY_NOT[kind](fresh):
                raise Refusal(why)
            task = create_task(fresh, kind, by=by, at=timezone.now())
            fp("ask.commit")
        fp("ask.committed")
    except IntegrityError:  # two people asked at once, and the database lets only one of them pass
        fresh = Order.objects.for_table().get(pk=order.pk)
        raise Refusal(WHY_NOT[kind](fresh) or "Somebody else was faster: check the order again.") from None
    return task


def locked(order: Order) -> Order:
    """The order as it stands now. Nobody else can ask for anything of it until this transaction ends."""
    return Order.objects.for_table().select_for_update(of=("self",), no_key=True).get(pk=order.pk)


def try_to_withdraw(order: Order, *, by: Any) -> bool:
    """Withdraws an unsent order. False for an order that is on its way: its cancel waits for upstream's answer."""
    if not order.unsent:
        return False
    try:
        take_back(order, by=by)
    except Refusal:
        return False
    return True


def create_task(order: Order, kind: str, *, by: Any, at: datetime) -> Task:
    """Creates a task for an order that the rule lets pass, and records who asked for it."""
    task = new_task(order, kind, by=by, at=at)
    task.save(force_insert=True)
    order.change()
    asked_event(task).save()
    return task


def new_task(order: Order, kind: str, *, by: Any, at: datetime) -> Task:
    """The task, not saved yet. A refill takes the next of its order's slots."""
    slots = {"slot": order.refills.used + 1, "slots": settings.REFILLS_PER_ORDER} if kind == Kind.REFILL else {}
    return Task(order=order, kind=kind, asked_by=by, asked_at=at, due_at=at, **slots)


def asked_event(task: Task) -> Event:
    """The event that tells who asked for a task, not saved yet."""
    kind = "cancel_waits" if task.order.upstream_id is None else f"{task.kind}_asked"
    facts = {"slot": task.slot, "slots": task.slots} if task.slot else {}
    return Event(order=task.order, kind=kind, by=task.asked_by, at=task.asked_at, facts=facts)


# ── Acting on a task without a clear answer, or without an end ───────────────────────────────────
def ask_again(order: Order, kind: str, *, by: Any) -> None:
    """Sends a task once more that got no clear answer. With a refill only a person may do that, never the worker."""
    require_allowed(by, kind)
    with transaction.atomic():
        if not resend(Task.objects.filter(order=order, kind=kind), by=by):
            earlier = last_decision(order, f"{kind}_again")
            raise Refusal(f"There is no {kind} of this order without a clear answer.{earlier}")
        fp("again.commit")
    fp("again.committed")


def resend(tasks: TaskQuerySet, *, by: Any) -> int:
    """Makes those of these tasks due again that got no clear answer. Returns how many there were."""
    now = timezone.now()
    unclear = tasks.pending().filter(outcome=Outcome.UNCLEAR)
    Order.objects.filter(pk__in=unclear.values("order_id")).lock()
    resent = list(unclear)
    # The tries stay: after them, “already pending” means that the first one went through.
    again = Task.objects.filter(pk__in=[task.pk for task in resent])
    again.update(settled_at=None, due_at=now, outcome="", unclear_since=None)
    Order.objects.filter(pk__in=[task.order_id for task in resent]).change()
    events = [Event(order_id=task.order_id, kind=f"{task.kind}_again", by=by, at=now) for task in resent]
    Event.objects.bulk_create(events)
    return len(resent)


def ask_anew(order: Order, *, by: Any) -> None:
    """Asks for the next refill although one is pending, since upstream's answer tells whether that one is settled."""
    require_allowed(by, "decide")
    with transaction.atomic():
        fresh = locked(order)
        refills = fresh.refills
        if not refills.left:
            raise Refusal(f"All {refills.cap} refills are used, so asking again would tell nothing.")
        now = timezone.now()
        end_pending(fresh, Settled.DOUBTED, at=now)
        fresh.record("refill_anew", by=by, at=now)
        create_task(fresh, Kind.REFILL, by=by, at=now)
        fp("anew.commit")
    fp("anew.committed")


def mark_settled(order: Order, reason: str, *, by: Any) -> None:
    """Marks the pending refill as settled, because a manager knows that it is. The reason says how they know."""
    require_allowed(by, "decide")
    reason = require_reason(reason, "Write how you know that it is done. The reason is kept.")
    with transaction.atomic():
        now = timezone.now()
        locked(order)
        end_pending(order, Settled.MARKED, at=now)
        order.change()
        order.record("refill_marked", by=by, at=now, reason=reason)
        fp("mark.commit")
    fp("mark.committed")


def end_pending(order: Order, how: str, *, at: datetime) -> None:
    """Ends the pending refill that upstream has or may have. Raises a Refusal when there is none."""
    refill = Task.objects.pending().filter(order=order, kind=Kind.REFILL, outcome__in=(Outcome.DONE, Outcome.UNCLEAR))
    if not refill.update(over_at=at, over_how=how):
        raise Refusal(f"This order has no pending refill.{last_decision(order, 'refill_marked', 'refill_anew')}")

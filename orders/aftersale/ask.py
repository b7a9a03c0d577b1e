"""What people ask of a placed order: a refill, a cancel; and what they do about one whose end nobody told."""

from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from orders.aftersale.withdraw import withdraw
from orders.models import Event, Order, Task, TaskQuerySet
from orders.rules.eligibility import WHY_NOT
from orders.rules.refusal import Refusal, allowed, reason_given
from panel.ops.failpoints import fp

Kind, Outcome, Settled = Task.Kind, Task.Outcome, Task.Settled


# ── Asking ───────────────────────────────────────────────────────────────────────────────────────
def ask(order: Order, kind: str, *, by: Any) -> Task | None:
    """Writes the wish down; the worker sends it. None: the order had not been sent, and is simply withdrawn.

    A Refusal says why not, and who was first when two people pressed at once.
    """
    allowed(by, "place")
    if kind == Kind.CANCEL and could_withdraw(order, by=by):
        return None
    try:
        with transaction.atomic():
            fresh = locked(order)
            if why := WHY_NOT[kind](fresh):
                raise Refusal(why)
            task = create_task(fresh, kind, by=by, at=timezone.now())
            fp("ask.commit")
        fp("ask.committed")
    except IntegrityError:  # whatever came in between, the database lets only one of them pass
        raise Refusal(WHY_NOT[kind](reloaded(order)) or "Somebody was quicker: look at the order again.") from None
    return task


def reloaded(order: Order) -> Order:
    return Order.objects.for_table().get(pk=order.pk)


def locked(order: Order) -> Order:
    """As it stands now; nobody else asks anything of it until this transaction ends."""
    return Order.objects.for_table().select_for_update(of=("self",), no_key=True).get(pk=order.pk)


def could_withdraw(order: Order, *, by: Any) -> bool:
    """Takes back what upstream cannot have. False when it is on its way: then the cancel waits for the answer."""
    if not (order.placing_task and order.placing_task.unsent):
        return False
    try:
        withdraw(order, by=by)
    except Refusal:
        return False
    return True


def create_task(order: Order, kind: str, *, by: Any, at: datetime) -> Task:
    """The task, for an order that the rule lets pass."""
    task = new_task(order, kind, by=by, at=at)
    task.save(force_insert=True)
    order.change()
    asked_event(task).save()
    return task


def new_task(order: Order, kind: str, *, by: Any, at: datetime) -> Task:
    """The task, not written down yet."""
    slot = order.refills.used + 1 if kind == Kind.REFILL else None
    slots = settings.REFILLS_PER_ORDER if kind == Kind.REFILL else None
    return Task(order=order, kind=kind, asked_by=by, asked_at=at, due_at=at, slot=slot, slots=slots)


def asked_event(task: Task) -> Event:
    """The sentence of the wish, not written down yet."""
    kind = "cancel_waits" if task.order.upstream_id is None else f"{task.kind}_asked"
    facts = {"slot": task.slot, "slots": task.slots} if task.slot else {}
    return Event(order=task.order, kind=kind, by=task.asked_by, at=task.asked_at, facts=facts)


# ── When no clear answer came, or no end ─────────────────────────────────────────────────────────
def ask_again(order: Order, kind: str, *, by: Any) -> None:
    """Sends once more what got no clear answer: the machine never does this with a refill, a person may."""
    allowed(by, "place")
    with transaction.atomic():
        if not resend(Task.objects.filter(order=order, kind=kind), by=by):
            raise Refusal(f"There is no {kind} of this order without a clear answer.")
        fp("again.commit")
    fp("again.committed")


def resend(tasks: TaskQuerySet, *, by: Any) -> int:
    """Lets those of these tasks go once more that got no clear answer; says how many there were."""
    now = timezone.now()
    doubtful = tasks.pending().filter(outcome=Outcome.UNCLEAR)
    # Orders first, as with everybody who changes them and their tasks, and in one order.
    locked_too = Order.objects.filter(pk__in=doubtful.values("order_id")).order_by("pk")
    list(locked_too.select_for_update(no_key=True).values_list("pk"))
    unclear = list(doubtful)
    # The tries stay, so that “already pending” is known for what it is: the first one went through.
    again = Task.objects.filter(pk__in=[task.pk for task in unclear])
    again.update(settled_at=None, due_at=now, outcome="", unclear_since=None)
    Order.objects.filter(pk__in=[task.order_id for task in unclear]).change()
    Event.objects.bulk_create(
        [Event(order_id=task.order_id, kind=f"{task.kind}_again", by=by, at=now) for task in unclear]
    )
    return len(unclear)


def ask_anew(order: Order, *, by: Any) -> None:
    """Asks upstream for the next refill although one is pending: only so does it tell whether that one is settled."""
    allowed(by, "decide")
    with transaction.atomic():
        fresh = locked(order)
        refills = fresh.refills
        if not refills.left:
            raise Refusal(f"All {refills.cap} refills are used, so upstream would tell nothing.")
        now = timezone.now()
        end_pending(fresh, Settled.DOUBTED, at=now)
        fresh.record("refill_anew", by=by, at=now)
        create_task(fresh, Kind.REFILL, by=by, at=now)
        fp("anew.commit")
    fp("anew.committed")


def mark_settled(order: Order, reason: str, *, by: Any) -> None:
    """A manager knows that the pending refill is settled, and says how."""
    allowed(by, "decide")
    reason = reason_given(reason, "Say how you know that it is settled; the reason is kept.")
    with transaction.atomic():
        now = timezone.now()
        locked(order)
        end_pending(order, Settled.MARKED, at=now)
        order.change()
        order.record("refill_marked", by=by, at=now, reason=reason)
        fp("mark.commit")
    fp("mark.committed")


def end_pending(order: Order, how: str, *, at: datetime) -> None:
    """The refill that upstream has, or may have, is pending no more."""
    if (
        not Task.objects.pending()
        .filter(order=order, kind=Kind.REFILL, outcome__in=(Outcome.DONE, Outcome.UNCLEAR))
        .update(over_at=at, over_how=how)
    ):
        raise Refusal("This order has no refill that waits for its end.")

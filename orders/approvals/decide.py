"""Asks for a second person's approval of an order, and ends the waiting: approved, declined, expired or withdrawn.

While it waits an order has no task, so there is nothing that a worker could send. One UPDATE of its row of Approval
decides who ends the waiting: of two people who press at once, the second gets a sentence.
"""

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from accounts.access import why_not
from accounts.desk_settings import current, undo_window
from catalog.models import Service
from orders.aftersale.withdraw import end_asked
from orders.approvals.current_terms import Terms, terms_of
from orders.limits.check import Limits, Over, over_with
from orders.limits.day import desk_day
from orders.models import Approval, Event, Order, Task
from orders.rules.refusal import REASON_CHARACTERS, Refusal, require_allowed, require_reason
from orders.rules.statuses import Status
from panel.format.locale import for_the_record
from panel.format.money import money
from panel.format.numbers import number
from panel.format.times import clock
from panel.ops.failpoints import fp

Outcome = Approval.Outcome
LAPSE_EVERY_SECONDS = 15
LAPSED_AT_ONCE = 100  # orders
OWN_ORDER = "You asked for this order yourself, so somebody else decides."
NOTHING_SENT = "Nothing was sent."


def ask(order: Order, above: Over, reason: str, *, at: datetime) -> None:
    """Has the order wait for a second person, in the transaction of `place` that has just written it."""
    order.change(status=Status.APPROVAL)
    order.status = Status.APPROVAL
    Approval.objects.create(
        order=order, asked_by=order.placed_by, asked_at=at, expires_at=at + approval_time(), why=above.why,
        limit=above.limit, reason=reason.strip()[:REASON_CHARACTERS], rate=order.rate_seen,
        charge=order.expected_charge,
    )  # fmt: skip
    order.record("approval_asked", by=order.placed_by, at=at)
    fp("approval.half")


def approval_time() -> timedelta:
    """How long an order waits before it expires."""
    return timedelta(hours=float(current().approval_hours))


def why_not_decide(order: Order, by: Any) -> str:
    """Why this person may not decide about this order, whatever their role; "" when they may."""
    return OWN_ORDER if order.placed_by_id == by.pk else ""


def why_not_send(order: Order, by: Any) -> str:
    """Why this person may not have the order sent after all; "" when they may.

    Where old books ended the waiting, nobody has approved it: whoever sends it then is the second person.
    """
    approval = getattr(order, "approval", None)
    if approval is None or approval.outcome == Outcome.APPROVED:
        return ""
    return why_not_decide(order, by) or why_not(by, "approve")


def approve_late(order: Order, *, by: Any, at: datetime) -> None:
    """Writes down who approved an order by having it sent after old books ended its waiting, in their transaction."""
    ended = Approval.objects.filter(order=order, outcome=Outcome.WITHDRAWN)
    ended.update(
        outcome=Outcome.APPROVED, decided_by=by, decided_at=at, words="", approved_charge=order.expected_charge
    )


def approve(order: Order, seen: str, *, by: Any) -> None:
    """Approves the order at the terms that the person's page showed, and lets it go to the queue.

    `seen` is the mark of those terms. When they have moved since, nothing happens and the page shows the new ones.
    """
    require_allowed(by, "approve")
    if why := why_not_decide(order, by):
        raise Refusal(why)
    now = timezone.now()
    with transaction.atomic():
        # Its terms stay as they are checked here, as while an order is placed.
        Service.objects.select_for_update(no_key=True).filter(pk=order.service_id).first()
        order = Order.objects.select_related("service__held_over", "placed_by").get(pk=order.pk)
        terms = terms_of(order)
        waiting = Approval.objects.filter(order=order, decided_at=None)
        if not waiting.update(outcome=Outcome.APPROVED, decided_by=by, decided_at=now, approved_charge=terms.charge):
            raise Refusal(faster_sentence(order))
        if why := order.service.why_no_order():
            raise Refusal(f"{why} Decline it, or let it expire.")
        if seen != terms.mark:
            raise Refusal(moved_sentence(order, terms))
        queue(order, terms, at=now)
        if above := over_with(order, desk_limits(), at=now):
            raise Refusal(above.sentence(by))
        with for_the_record():
            order.record("approved", by=by, at=now, price=money(terms.charge))
        fp("approve.commit")
    fp("approve.committed")


def moved_sentence(order: Order, terms: Terms) -> str:
    """What is said when the terms are not those that the page showed."""
    moved = f"The terms of order {order.pk} have moved since you looked. {NOTHING_SENT} Look at the new ones."
    return " ".join([moved, *terms.doubts])


def queue(order: Order, terms: Terms, *, at: datetime) -> None:
    """Lets an approved order go to be sent: it counts on today at the approved price, and can be undone as usual."""
    Order.objects.filter(pk=order.pk, status=Status.APPROVAL).change(
        status=Status.QUEUED, rate_seen=terms.rate, expected_charge=terms.charge, counts_on=desk_day(at)
    )
    order.rate_seen, order.expected_charge = terms.rate, terms.charge
    order.tasks.create(
        kind=Task.Kind.PLACE, asked_by=order.placed_by, asked_at=at, due_at=at + undo_window(order.placed_by)
    )
    fp("approve.half")


def desk_limits() -> Limits:
    """The limits that hold although a second person approves: those of the team, and of services on hold."""
    values = current()
    return Limits(None, None, None, values.team_day_limit, values.held_limit)


def decline(order: Order, reason: str, *, by: Any) -> None:
    """Declines the order. Who asked reads the reason."""
    require_allowed(by, "approve")
    if why := why_not_decide(order, by):
        raise Refusal(why)
    reason = require_reason(reason, f"Write why you decline it. {order.placed_by} reads it.")
    now, words = timezone.now(), f"Declined by {by}: {reason}"
    with transaction.atomic():
        if not end_asked([order.pk], Outcome.DECLINED, words, by=by, at=now, words=reason):
            raise Refusal(faster_sentence(order))
        order.record("declined", by=by, at=now, reason=reason)
        fp("decline.commit")
    fp("decline.committed")


def lapse(now: datetime) -> int:
    """Lets what nobody decided in time expire; returns how many orders that were. Runs in the worker."""
    late = Approval.objects.filter(decided_at=None, expires_at__lte=now).order_by("expires_at")
    count = 0
    for pk, asked_at, expires_at in list(late.values_list("pk", "asked_at", "expires_at")[:LAPSED_AT_ONCE]):
        span = hours_words(expires_at - asked_at)
        with transaction.atomic():
            ended = end_asked([pk], Outcome.EXPIRED, f"Nobody decided within {span}. {NOTHING_SENT}", by=None, at=now)
            Event.objects.bulk_create(
                [Event(order_id=order, kind="expired", at=now, facts={"span": span}) for order in ended]
            )
            fp("lapse.commit")
        fp("lapse.committed")
        count += len(ended)
    return count


def hours_words(span: timedelta) -> str:
    """`2 hours`, `1 hour`, `0.5 hours`."""
    hours = span.total_seconds() / 3600
    return f"{number(int(hours)) if hours == int(hours) else f'{hours:g}'} hour{'s' * (hours != 1)}"


def faster_sentence(order: Order) -> str:
    """Who ended the waiting of this order before."""
    ended = Approval.objects.select_related("decided_by").filter(order=order.pk).first()
    if ended is None:
        return f"Order {order.pk} waits for no approval."
    if ended.decided_at is None:
        return f"Somebody else is just deciding about order {order.pk}: look at it again."
    how = ended.get_outcome_display().lower()
    who = f"{ended.decided_by} {how} it" if ended.decided_by else f"It {how}"
    return f"{who} at {clock(ended.decided_at)} already."

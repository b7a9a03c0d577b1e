"""What a person decides about an order: to take it back before it goes, and what to make of it when no machine can."""

from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from orders.aftersale.settle import settle_needless_cancels
from orders.models import Order, Task
from orders.rules.refusal import Refusal, allowed, reason_given
from orders.rules.statuses import Status
from panel.notpanel.shapes import safe_id

# Of an id that changes, nothing is known yet.
NOTHING_KNOWN: dict[str, Any] = {
    "left_out": 0,
    "missing_since": None,
    "hurry": None,
    "started_at": None,
    "ended_at": None,
    "late_from": None,
}


# ── Before it is sent ────────────────────────────────────────────────────────────────────────────


# ── What upstream says of it ─────────────────────────────────────────────────────────────────────


# ── When no machine can tell whether upstream has it ─────────────────────────────────────────────
def undecided() -> "QuerySet[Order]":
    """In review, or adopted under an id that upstream has not confirmed: a wrong id must not be the end."""
    adopted = Q(status=Status.QUEUED, reported_at=None, tasks__outcome=Task.Outcome.ADOPTED)
    return Order.objects.filter(Q(status=Status.REVIEW, upstream_id=None) | adopted)


def why_not_again(order: Order) -> str:
    """Empty while the same request_id may be sent once more; otherwise the reason."""
    task = order.placing_task
    if order.status != Status.REVIEW or task is None:
        return "Only an order that needs a look is asked for again."
    if not task.trusted(timezone.now()):
        hours = settings.TRUST_WINDOW_HOURS
        return (
            f"It has been unclear for more than {hours:g} hours. Upstream may have forgotten the request id by now, so "
            "that asking again could order twice. Look for it at the supplier; then adopt its id, or close it here."
        )
    return ""


def ask_again(order: Order, *, by: Any) -> None:
    """Sends the same request_id once more. The doubt stays: a refusal comes back here."""
    allowed(by, "decide")
    if why := why_not_again(order):
        raise Refusal(why)
    settled = {"settled_at": None, "due_at": timezone.now(), "outcome": ""}
    with transaction.atomic():
        apply_decision(
            order, Order.objects.filter(status=Status.REVIEW, upstream_id=None), settled, status=Status.QUEUED
        )
        order.record("asked_again", by=by)


def adopt(order: Order, upstream_id: str, *, by: Any) -> None:
    """Somebody found it at the supplier: that id is taken, and the next look tells whether it is true."""
    allowed(by, "decide")
    known = safe_id(upstream_id.strip())
    if not known:
        raise Refusal("Write upstream’s id of the order, such as ord_3f9a1c.")
    settled = {"outcome": Task.Outcome.ADOPTED, "answer": known}
    now, placing = timezone.now(), order.placing_task
    taken_at = placing and placing.unclear_since  # by the first try that upstream may have heard
    found = {**NOTHING_KNOWN, "upstream_id": known, "next_look_at": now, "taken_at": taken_at or now}
    try:
        with transaction.atomic():
            apply_decision(order, undecided(), settled, **found, status=Status.QUEUED)
            order.record("adopted", by=by, upstream_id=known)
    except IntegrityError:
        other = Order.objects.filter(upstream_id=known).values_list("pk", flat=True).first()
        raise Refusal(f"Order {other} already has {known}. Two orders cannot be one upstream.") from None


def close(order: Order, reason: str, *, by: Any) -> None:
    """A person is sure that upstream does not have it, and says why."""
    allowed(by, "decide")
    reason = reason_given(reason, "Say how you know that it was not placed; the reason is kept.")
    settled = {"outcome": Task.Outcome.CLOSED, "answer": reason}
    with transaction.atomic():
        gone = {**NOTHING_KNOWN, "upstream_id": None, "next_look_at": None, "taken_at": None}
        apply_decision(order, undecided(), settled, **gone, status=Status.REJECTED)
        order.record("closed", by=by, reason=reason)
        settle_needless_cancels([order.pk], timezone.now())


@transaction.atomic
def apply_decision(order: Order, as_seen: "QuerySet[Order]", settled: dict[str, Any], **facts: Any) -> None:
    """Changes order and task together, if the order still stands as it was seen: of two deciders one is first."""
    # Locked in a statement of its own: PostgreSQL would not ask the inner query again after it had waited.
    list(Order.objects.filter(pk=order.pk).select_for_update(no_key=True).values_list("pk"))
    standing = Order.objects.filter(pk__in=as_seen.filter(pk=order.pk).values("pk"))
    if not standing.change(**facts):
        raise Refusal("Somebody, or upstream, was quicker: look at the order again.")
    Task.objects.filter(order=order, kind=Task.Kind.PLACE).update(**settled)

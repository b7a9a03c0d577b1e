"""What a person decides about an order that upstream may have: ask again now; and in review ask again, adopt, close."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from orders.aftersale.settle import settle_needless_cancels
from orders.approvals import decide as approvals
from orders.models import Event, Order, Poll, Task
from orders.models.team import last_decision
from orders.rules.refusal import Refusal, require_allowed, require_reason
from orders.rules.statuses import Status
from panel.notpanel.shapes import safe_id

# What polls have found out about an order is forgotten when its upstream id changes.
POLLED_FIELDS = ("missing_since", "failing_since", "started_at", "ended_at", "ended_late", "late_from")
DECISIONS = ("adopted", "asked_again", "closed")  # the events of what is decided here
NOT_POLLED_YET: dict[str, Any] = {"left_out": 0, **dict.fromkeys(POLLED_FIELDS)}


def undecided() -> "QuerySet[Order]":
    """Orders in review, and those adopted under an id that upstream has not confirmed, for that id may be wrong."""
    adopted = Q(status=Status.QUEUED, reported_at=None, tasks__outcome=Task.Outcome.ADOPTED)
    return Order.objects.filter(Q(status=Status.REVIEW, upstream_id=None) | adopted)


def ask_now(order: Order, *, by: Any) -> None:
    """Has an order asked for now that waits for another try. A press while it is due already changes nothing."""
    require_allowed(by, "place")
    now = timezone.now()
    placing = Task.objects.filter(order=order, kind=Task.Kind.PLACE, settled_at=None)
    if placing.filter(due_at__lte=now).exists():
        return
    with transaction.atomic():
        # Locked before its task changes, as everybody does.
        list(Order.objects.filter(pk=order.pk).select_for_update(no_key=True).values_list("pk"))
        if not placing.waiting_again(now).hurry(now):
            raise Refusal("It is being sent just now, or waits until the supplier’s limit ends.")
        order.change()
        order.record("asked_now", by=by)


def why_not_again(order: Order) -> str:
    """The reason why the same request_id may not be sent once more; "" when it may."""
    task = order.placing_task
    if order.status != Status.REVIEW or task is None:
        return "Only an order that needs a look can be sent again."
    if not task.trusted(timezone.now()):
        hours = settings.TRUST_WINDOW_HOURS
        return (
            f"It has been unclear for more than {hours:g} hour{'s' * (hours != 1)}. "
            "The supplier may have forgotten the request id by now, so sending it again could order twice. "
            "Look for it at the supplier; then enter its id, or close it here."
        )
    return ""


def put_in_review(tasks: Collection[Task], why: str, *, at: datetime) -> None:
    """Leaves these placements to a person, in the caller's transaction, because upstream may have their orders."""
    facts = {"settled_at": at, "due_at": None, "needs": None, "outcome": Task.Outcome.REVIEW}
    Task.objects.filter(pk__in=[task.pk for task in tasks], settled_at=None).update(**facts)
    order_ids = [task.order_id for task in tasks]
    Order.objects.filter(pk__in=order_ids, upstream_id=None).change(status=Status.REVIEW)
    Event.objects.bulk_create([Event(order_id=pk, kind="review", at=at, facts={"why": why}) for pk in order_ids])


def ask_again(order: Order, *, by: Any) -> None:
    """Sends the same request_id once more. If upstream refuses it, the order comes back to review.

    An order that waited for approval when books turned out to be old needs a second person here as well.
    """
    require_allowed(by, "decide")
    if why := why_not_again(order):
        raise Refusal(why if order.status == Status.REVIEW else f"{why}{last_decision(order, *DECISIONS)}")
    if why := approvals.why_not_send(order, by):
        raise Refusal(why)
    now = timezone.now()
    task_facts = {"settled_at": None, "due_at": now, "outcome": ""}
    in_review = Order.objects.filter(status=Status.REVIEW, upstream_id=None)
    with transaction.atomic():
        apply_decision(order, in_review, task_facts, status=Status.QUEUED)
        approvals.approve_late(order, by=by, at=now)
        order.record("asked_again", by=by)


def adopt(order: Order, upstream_id: str, *, by: Any) -> None:
    """Gives the order the id that somebody found at the supplier. The next poll tells whether that id is right."""
    require_allowed(by, "decide")
    if not (known_id := safe_id(upstream_id.strip())):
        raise Refusal("Write the supplier’s id of the order, such as ord_3f9a1c.")
    task_facts = {"outcome": Task.Outcome.ADOPTED, "answer": known_id}
    now, placing = timezone.now(), order.placing_task
    taken_at = placing and placing.unclear_since  # by the first try that upstream may have heard
    order_facts = {**NOT_POLLED_YET, "upstream_id": known_id, "taken_at": taken_at or now}
    try:
        with transaction.atomic():
            apply_decision(order, undecided(), task_facts, **order_facts, status=Status.QUEUED)
            Poll.objects.create(order=order, next_poll_at=now)
            order.record("adopted", by=by, upstream_id=known_id)
    except IntegrityError:
        other = Order.objects.filter(upstream_id=known_id).values_list("pk", flat=True).first()
        raise Refusal(f"Order {other} already has {known_id}. Two orders cannot have the same id.") from None


def close(order: Order, reason: str, *, by: Any) -> None:
    """Rejects an order of which a person is sure that upstream does not have it. The reason says how they know."""
    require_allowed(by, "decide")
    reason = require_reason(reason, "Write how you know that it was not placed. The reason is kept.")
    task_facts = {"outcome": Task.Outcome.CLOSED, "answer": reason}
    order_facts = {**NOT_POLLED_YET, "upstream_id": None, "taken_at": None}
    with transaction.atomic():
        apply_decision(order, undecided(), task_facts, **order_facts, status=Status.REJECTED)
        order.record("closed", by=by, reason=reason)
        settle_needless_cancels([order.pk], timezone.now())


@transaction.atomic
def apply_decision(order: Order, candidates: "QuerySet[Order]", task_facts: dict[str, Any], **order_facts: Any) -> None:
    """Changes order and task together, if the order is still among the candidates: of two deciders the first wins."""
    Order.objects.filter(pk=order.pk).lock()
    if not Order.objects.filter(pk__in=candidates.filter(pk=order.pk).values("pk")).change(**order_facts):
        raise Refusal(f"The order has changed meanwhile: check it again.{last_decision(order, *DECISIONS)}")
    Poll.objects.filter(order=order).delete()  # what it was polled for is decided now
    Task.objects.filter(order=order, kind=Task.Kind.PLACE).update(**task_facts)

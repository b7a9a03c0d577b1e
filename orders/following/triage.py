"""What a manager decides about an order that is followed: anomalies seen, or no more polling."""

from typing import Any

from django.db import transaction

from orders.following.anomalies import kind_labels
from orders.models import Order
from orders.models.order import IS_MISSING
from orders.rules.refusal import Refusal, allowed, reason_given


def mark_seen(order: Order, doubts: str, *, by: Any) -> None:
    """A person has looked at these kinds of doubt; a kind that came meanwhile stays."""
    allowed(by, "decide")
    with transaction.atomic():
        if not doubts or not Order.objects.filter(pk=order.pk, doubts=doubts).change(doubts=None):
            raise Refusal("Something else has come to surprise meanwhile, or somebody was quicker: look again.")
        order.record("seen", by=by, what=kind_labels(doubts.split()))


def give_up(order: Order, reason: str, *, by: Any) -> None:
    """Ends the asking after an order that upstream says it does not know. If it is ever heard of again, that wins."""
    allowed(by, "decide")
    reason = reason_given(reason, "Say why it need not be asked after; the reason is kept.")
    with transaction.atomic():
        if not Order.objects.filter(IS_MISSING, pk=order.pk).change(missing_since=None, next_look_at=None, hurry=None):
            raise Refusal("Only an order that upstream says it does not know is given up.")
        order.record("given_up", by=by, reason=reason)

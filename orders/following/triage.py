"""What a manager decides about an order that is followed: its anomalies are seen, or it is polled no more."""

from typing import Any

from django.db import transaction
from django.db.models import OuterRef
from django.db.models.functions import Coalesce

from orders.following.anomalies import kind_labels
from orders.models import Order, Poll
from orders.models.order import IS_MISSING
from orders.models.team import last_decision
from orders.rules.refusal import Refusal, require_allowed, require_reason


def mark_seen(order: Order, kinds: str, *, by: Any) -> None:
    """Marks these kinds of anomalies as seen: all that `Order.doubts` held when the page was loaded.

    Raises a Refusal if another kind has come since, so that nobody marks what they could not read.
    """
    require_allowed(by, "decide")
    with transaction.atomic():
        if not kinds or not Order.objects.filter(pk=order.pk, doubts=kinds).change(doubts=None):
            raise Refusal(f"Something changed since you loaded the page: check again.{last_decision(order, 'seen')}")
        order.record("seen", by=by, what=kind_labels(kinds))


def give_up(order: Order, reason: str, *, by: Any) -> None:
    """Stops polling an order that upstream says it does not know. A later report about it is applied as usual."""
    require_allowed(by, "decide")
    reason = require_reason(reason, "Write why it need not be checked any more. The reason is kept.")
    with transaction.atomic():
        known = Coalesce(Poll.objects.filter(order=OuterRef("pk")).values("reported_at"), "reported_at")
        if not Order.objects.filter(IS_MISSING, pk=order.pk).change(missing_since=None, reported_at=known):
            earlier = last_decision(order, "given_up", "adopted", "closed")
            raise Refusal(f"Only an order that the supplier does not know can be given up.{earlier}")
        Poll.objects.filter(order=order).delete()
        order.record("given_up", by=by, reason=reason)

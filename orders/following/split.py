"""Decides how polls go on after a call about many orders failed, until the order that fails it stands alone.

A call is made smaller only where upstream answers other polls well. So while upstream itself is away, one order is sent
ahead as a scout, the others wait together, and polls cost no more than twice as many calls as ever.
"""

import random
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from orders.following.anomalies import add_anomaly
from orders.models import Event, Order, Poll, Sending
from orders.models.poll import Queue, Urgency
from orders.rules.poll_schedule import POLLED_ALONE_FROM
from orders.rules.retry import smaller_share
from panel.notpanel.errors import NotPanelError

STATUS = "status"  # the action by which Sending knows polls
ALONE_AGAIN_AFTER = timedelta(minutes=5)  # the first time; then once an hour, as all that are polled by themselves


def split(upstream_ids: Collection[str], trouble: NotPanelError, now: datetime) -> None:
    """Plans the next calls about these orders, whose call failed. Those that it leaves alone wait for their lease.

    The caller's transaction holds the orders' locks.
    """
    named = Order.objects.filter(upstream_id__in=upstream_ids, poll__isnull=False)
    orders = list(named.order_by("pk").select_for_update(of=("self",)))
    again = [order for order in orders if order.failing_since]
    named.filter(failing_since=None).update(failing_since=now)
    if again:
        plan_again(orders, again, trouble, now)


def plan_again(orders: Sequence[Order], again: Sequence[Order], trouble: NotPanelError, now: datetime) -> None:
    """Plans the next calls about the orders of a call that failed, of which those in `again` had failed before."""
    if Sending.answered_since(STATUS, max(order.failing_since or now for order in again)):
        if len(orders) == 1:
            leave_alone(orders[0], trouble, now)
        else:
            poll_apart(again, smaller_share(len(again)), now)
    elif len(orders) == 1:  # a scout that came back without an answer joins the others
        Poll.objects.filter(order=orders[0]).update(share=None, urgency=Urgency.NONE)
    else:
        poll_apart([random.choice(again)], 1, now)  # noqa: S311  no secret


def poll_apart(orders: Sequence[Order], share: int, now: datetime) -> None:
    """Makes these orders due at once, in calls that name at most so many."""
    Poll.objects.filter(order__in=orders).update(share=share, urgency=Urgency.SUSPECT, next_poll_at=now)


def leave_alone(order: Order, trouble: NotPanelError, now: datetime) -> None:
    """Has an order polled by itself from now on, because upstream answers polls well until they name this order."""
    add_anomaly(order, "silent")
    order.change(left_out=POLLED_ALONE_FROM, doubts=order.doubts)
    Poll.objects.filter(order=order).update(
        share=None, urgency=Urgency.NONE, queue=Queue.ALONE, next_poll_at=now + ALONE_AGAIN_AFTER
    )
    Event.objects.create(order=order, kind="silent", at=now, facts={"trouble": str(trouble), "said": trouble.said})

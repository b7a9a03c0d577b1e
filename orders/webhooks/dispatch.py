"""Rings for what deliveries name: an order is looked at soon, the balance is asked for. No call upstream here.

A delivery is done with when its order has been looked at since it came, so no ring is lost to a look that was under
way. The order may not be known yet, for upstream rings as soon as it has one, and the answer to `add` takes its time.
"""

from collections import defaultdict
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from orders.models import Delivery, Endpoint, Order
from orders.rules.poll_schedule import POLLED_ALONE_FROM, WEBHOOKS_TOGETHER
from panel.ops.failpoints import fp

DELIVERIES_AT_ONCE = 500  # deliveries a transaction
POLLED_WITHIN = 2 * WEBHOOKS_TOGETHER  # a ring that nobody followed within this time is rung again
LOST_AFTER = timedelta(hours=24)  # an order that is not known by then will not be, nor one be looked at
# Up to this age → so long until an unknown order is looked for again.
RETRY_PAUSES = (
    (timedelta(minutes=1), timedelta(seconds=5)),
    (timedelta(hours=1), timedelta(minutes=1)),
    (LOST_AFTER, timedelta(minutes=10)),
)
KEPT_FOR = timedelta(days=30)
FORGOTTEN_AT_ONCE = 5_000  # rows

How = Delivery.How
BALANCE_LOW = "balance.low"


def dispatch_due(now: datetime, hurry_balance: Callable[[datetime], object]) -> bool:
    """Takes up what came in; says whether there was any. Rings and what is noted of them stand or fall together."""
    if not Delivery.objects.due(now).exists():
        return False
    with transaction.atomic():
        # SKIP LOCKED where there are row locks, as when orders are claimed.
        waiting = list(Delivery.objects.due(now).select_for_update(skip_locked=True).defer("body")[:DELIVERIES_AT_ONCE])
        named = {delivery.upstream_id for delivery in waiting}
        # In the order in which reports lock them, or the two could wait for each other.
        locked = Order.objects.filter(upstream_id__in=named).order_by("pk").select_for_update()
        known = {order.upstream_id: order for order in locked.only("upstream_id", "reported_at", "left_out")}
        fates: defaultdict[tuple[str, datetime | None], list[int]] = defaultdict(list)
        for delivery in waiting:
            fates[outcome_of(delivery, known.get(delivery.upstream_id), now)].append(delivery.pk)
        for (how, due_at), pks in fates.items():
            facts: dict[str, Any] = {"how": how, "due_at": due_at, "handled_at": None if due_at else now}
            Delivery.objects.filter(pk__in=pks).update(**facts)
        rung = {pk for (how, _), pks in fates.items() if how == How.RUNG for pk in pks}
        ids = {delivery.upstream_id for delivery in waiting if delivery.pk in rung}
        Order.objects.filter(pk__in=[order.pk for order in known.values() if order.upstream_id in ids]).poll_soon(now)
        if any(how == How.BALANCE for how, _ in fates):
            hurry_balance(now)
        record_endpoints(waiting)
        fp("bell.commit")
    fp("bell.committed")
    return bool(waiting)


def outcome_of(delivery: Delivery, order: Order | None, now: datetime) -> tuple[str, datetime | None]:
    """What becomes of it now, and when it is taken up again; None: not any more."""
    age = now - delivery.received_at
    if delivery.event == BALANCE_LOW:
        return How.BALANCE, None
    if not delivery.upstream_id:
        return How.KEPT, None
    if order is None:
        pause = next((pause for until, pause in RETRY_PAUSES if age < until), None)
        return (How.PARKED, now + pause) if pause else (How.UNKNOWN, None)
    if delivery.polled_since(order.reported_at):
        return How.LOOKED, None
    if order.left_out >= POLLED_ALONE_FROM and delivery.how == How.RUNG:  # asked for alone, which takes its time
        return How.UNANSWERED, None
    return (How.RUNG, now + POLLED_WITHIN) if age < LOST_AFTER else (How.UNANSWERED, None)


def record_endpoints(deliveries: list[Delivery]) -> None:
    """Each secret belongs to one address; that one was delivered to."""
    newest: dict[str, datetime] = {}
    for delivery in deliveries:
        if delivery.how == How.CAME:
            newest[delivery.mark] = max(delivery.received_at, newest.get(delivery.mark, delivery.received_at))
    for mark, at in sorted(newest.items()):  # in one order by everybody, so that no two wait for each other
        Endpoint.objects.filter(mark=mark).exclude(last_delivery_at__gte=at).update(last_delivery_at=at)


def delete_old(now: datetime) -> bool:
    """Deletes a portion of what came long ago; says whether there was any."""
    # The oldest are the first, so those alone are looked at.
    oldest = Delivery.objects.order_by("pk").values_list("pk", "received_at")[:FORGOTTEN_AT_ONCE]
    old = [pk for pk, received_at in oldest if received_at < now - KEPT_FOR]
    if old:
        Delivery.objects.filter(pk__in=old).delete()
    return bool(old)

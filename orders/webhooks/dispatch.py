"""Dispatches deliveries: polls the order that a delivery names soon, reads a low balance. Makes no call to upstream.

A delivery is handled once its order was polled after it came in, so a poll that was under way does not count. The
order may not be known yet: upstream delivers as soon as it has the order, and its answer to `add` takes a while.
"""

from collections import defaultdict
from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import transaction

from orders.models import Delivery, Endpoint, Order
from orders.rules.poll_schedule import POLLED_ALONE_FROM, WEBHOOKS_TOGETHER
from panel.ops.failpoints import fp

DELIVERIES_AT_ONCE = 500  # in one transaction
POLLED_WITHIN = 2 * WEBHOOKS_TOGETHER  # an order that was not polled by then is dispatched again
LOST_AFTER = timedelta(hours=24)  # a delivery whose order is unknown or not polled by then is given up
# Up to this age of the delivery → how long until its unknown order is looked for again.
RETRY_PAUSES = (
    (timedelta(minutes=1), timedelta(seconds=5)),
    (timedelta(hours=1), timedelta(minutes=1)),
    (LOST_AFTER, timedelta(minutes=10)),
)
KEPT_FOR = timedelta(days=30)
DELETED_AT_ONCE = 5_000  # rows
OLDEST_READ = 10  # rows, to see whether there are old ones: of two that came at once, the later may stand before

How = Delivery.How
BALANCE_LOW = "balance.low"


def dispatch_due(now: datetime, hurry_balance: Callable[[datetime], object]) -> bool:
    """Dispatches the deliveries that are due, in one transaction. False if none was due."""
    if not Delivery.objects.due(now).exists():
        return False
    with transaction.atomic():
        # SKIP LOCKED where there are row locks, as when orders are claimed.
        due = list(Delivery.objects.due(now).select_for_update(skip_locked=True).defer("body")[:DELIVERIES_AT_ONCE])
        named = Order.objects.filter(upstream_id__in={delivery.upstream_id for delivery in due}).order_by("pk")
        facts = named.select_related("poll").only("upstream_id", "reported_at", "left_out", "poll__reported_at")
        orders = {order.upstream_id: order for order in facts}
        outcomes: defaultdict[tuple[str, datetime | None], list[Delivery]] = defaultdict(list)
        for delivery in due:
            outcomes[outcome_of(delivery, orders.get(delivery.upstream_id), now)].append(delivery)
        polled: set[int] = set()
        for (how, due_at), deliveries in outcomes.items():
            pks = [delivery.pk for delivery in deliveries]
            Delivery.objects.filter(pk__in=pks).update(how=how, due_at=due_at, handled_at=None if due_at else now)
            if how == How.RUNG:
                polled |= {orders[delivery.upstream_id].pk for delivery in deliveries}
        Order.objects.filter(pk__in=polled).poll_soon(now)
        if (How.BALANCE, None) in outcomes:
            hurry_balance(now)
        record_endpoints(due)
        fp("bell.commit")
    fp("bell.committed")
    return bool(due)


def outcome_of(delivery: Delivery, order: Order | None, now: datetime) -> tuple[str, datetime | None]:
    """What becomes of a delivery, and when it is due again, or None if it is handled. `order`: the one it names."""
    age = now - delivery.received_at
    if delivery.event == BALANCE_LOW:
        return How.BALANCE, None
    if not delivery.upstream_id:
        return How.KEPT, None
    if order is None:
        pause = next((pause for until, pause in RETRY_PAUSES if age < until), None)
        return (How.PARKED, now + pause) if pause else (How.UNKNOWN, None)
    if delivery.polled_since(order.checked_at):
        return How.LOOKED, None
    if order.left_out >= POLLED_ALONE_FROM and delivery.how == How.RUNG:  # polled alone, once an hour
        return How.UNANSWERED, None
    return (How.RUNG, now + POLLED_WITHIN) if age < LOST_AFTER else (How.UNANSWERED, None)


def record_endpoints(deliveries: list[Delivery]) -> None:
    """Notes for each endpoint when it was last delivered to. The secret that signed a delivery tells its endpoint."""
    came = sorted((delivery.received_at, delivery.mark) for delivery in deliveries if delivery.how == How.CAME)
    newest = {mark: received_at for received_at, mark in came}
    for mark, at in sorted(newest.items()):  # by every worker in the same order, so that no two deadlock
        Endpoint.objects.filter(mark=mark).exclude(last_delivery_at__gte=at).update(last_delivery_at=at)


def delete_old(now: datetime) -> bool:
    """Deletes a batch of the deliveries that came in long ago. False if there was none."""
    # Ids grow with time, so reading the first ones finds the oldest without an index on the time.
    oldest = Delivery.objects.order_by("pk").values_list("pk", "received_at")
    if not any(received_at < now - KEPT_FOR for _, received_at in oldest[:OLDEST_READ]):  # as nearly always
        return False
    old = [pk for pk, received_at in oldest[:DELETED_AT_ONCE] if received_at < now - KEPT_FOR]
    if old:
        Delivery.objects.filter(pk__in=old).delete()
    return bool(old)

"""The books: what this supplier knows to be true, for an oracle that trusts nobody else."""

import json

from panel.notpanel.sandbox.world import charges, events
from panel.notpanel.sandbox.world.outbox import Delivery
from panel.notpanel.sandbox.world.store import Order
from panel.notpanel.sandbox.world.supplier import Supplier


def books(supplier: Supplier, newest: int = -1) -> dict[str, object]:
    """Everything at one moment, as JSON will hold it; `newest` limits the orders and deliveries (-1: every one).

    Money is text in USD. Always: balance + what each order charged − what each gave back = deposited.
    Counts of calls are since this sandbox was started; all else is from the store.
    """
    store = supplier.store
    with store.writing():  # one moment for all of it
        now = supplier.clock.now()
        balance = supplier.balance()
        orders = store.all_orders(newest)
        refills = store.refills()
        remembered = store.count("requests")
        placed = store.count("orders")
        webhooks, counts, low = supplier.outbox.endpoints(), supplier.outbox.counts(), events.threshold(store)
        deliveries = supplier.outbox.deliveries(newest)
        deposited, suspended = supplier.deposited(), supplier.suspended
    with supplier.calls.lock:
        calls, refused = dict(supplier.calls.by_action), dict(supplier.calls.refused)
        named: dict[str, dict[str, int]] = {}
        for (action, order), count in supplier.calls.named.items():
            named.setdefault(action, {})[order] = count
        recent = [call._asdict() for call in supplier.calls.recent]
    return {
        "now": now,
        "speed": supplier.clock.speed,
        "suspended": suspended,
        "balance": charges.shown(balance),
        "deposited": charges.shown(deposited),
        "placed": placed,
        "remembered_request_ids": remembered,
        "orders": [_order(order, now) for order in orders],
        "refills": [
            {
                "refill": id,
                "order": order,
                "asked_at": asked_at,
                "settles_at": settles_at,
                "state": settles_as if settles_at <= now else "pending",
            }
            for id, order, asked_at, settles_at, settles_as in refills
        ],
        "webhooks": [
            {
                "webhook": id,
                "url": url,
                "events": wanted,
                "deliveries": {state: count for (to, state), count in counts.items() if to == id},
            }
            for id, url, wanted in webhooks
        ],
        "deliveries": [_delivery(delivery) for delivery in deliveries],
        "low_balance": charges.shown(low),
        "calls": calls,
        "refused": {action: count for action, count in refused.items() if count},
        "named": named,
        "elsewhere": supplier.calls.elsewhere,
        "recent": recent,
        "webhook_faults": [rule.as_row() for rule in supplier.mischief.rules()],
        "faults": [rule.as_row() for rule in supplier.faults.rules()],
        "limits": {"ip": supplier.limits.ip, "key": supplier.limits.key, "tier": supplier.limits.tier},
    }


def _order(order: Order, now: float) -> dict[str, object]:
    status, delivered = order.state(now)
    asked = json.loads(order.form)
    return {
        "order": order.id,
        "request_id": order.request_id,
        "service": order.service,
        "link": asked.get("link") or asked.get("username", ""),
        "quantity": order.life.total,
        "runs": order.life.runs,
        "form": asked,
        "charge": charges.shown(order.charge),
        "refunded": charges.shown(order.refunded),
        "status": status,
        "remains": order.life.total - delivered,
        "created_at": order.created_at,
        "cancel_asked_at": order.cancel_asked_at,
        "put_by_hand": order.forced is not None,
        "will_end": None if order.forced else order.life.end,
        "ends_at": None if order.forced else order.life.end_at,
    }


def _delivery(delivery: Delivery) -> dict[str, object]:
    return {
        "delivery": delivery.id,
        "webhook": delivery.webhook,
        "event": delivery.event,
        "order": delivery.order_id,
        "created_at": delivery.created_at,
        "tries": delivery.tries,
        "state": delivery.state,
        "said": delivery.said,
        "due_at": delivery.due_at if delivery.state == "waiting" else None,
    }

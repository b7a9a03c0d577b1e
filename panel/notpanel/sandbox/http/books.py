"""The books: what this supplier knows to be true, for the tests' oracle and for the control page."""

import json
from dataclasses import asdict

from panel.notpanel.sandbox.world import charges, events
from panel.notpanel.sandbox.world.outbox import Delivery
from panel.notpanel.sandbox.world.store import Order
from panel.notpanel.sandbox.world.supplier import Supplier


def books(supplier: Supplier, newest: int = -1) -> dict[str, object]:
    """Everything at one moment, as JSON will hold it; `newest` limits the orders and deliveries (-1: all).

    Money is text in USD. Always: balance + what each order charged − what each gave back = deposited.
    Counts of calls are since this sandbox was started; all else is from the store.
    """
    store, outbox, calls = supplier.store, supplier.outbox, supplier.calls
    with store.writing():  # one moment for all of it
        now = supplier.clock.now()
        counts = outbox.counts()
        lasting = {
            "now": now,
            "speed": supplier.clock.speed,
            "suspended": supplier.suspended,
            "balance": charges.shown(supplier.balance()),
            "deposited": charges.shown(supplier.deposited()),
            "placed": store.count("orders"),
            "remembered_request_ids": store.count("requests"),
            "orders": [_order(order, now) for order in store.all_orders(newest)],
            "refills": [
                {
                    "refill": id,
                    "order": order,
                    "asked_at": asked_at,
                    "settles_at": settles_at,
                    "state": settles_as if settles_at <= now else "pending",
                }
                for id, order, asked_at, settles_at, settles_as in store.refills()
            ],
            "webhooks": [
                {
                    "webhook": id,
                    "url": url,
                    "events": chosen,
                    "deliveries": {state: count for (to, state), count in counts.items() if to == id},
                }
                for id, url, chosen in outbox.endpoints()
            ],
            "deliveries": [_delivery(delivery) for delivery in outbox.deliveries(newest)],
            "low_balance": charges.shown(events.low_balance(store)),
        }
    named: dict[str, dict[str, int]] = {}
    with calls.lock:
        for (action, order_id), count in calls.named.items():
            named.setdefault(action, {})[order_id] = count
        counted = {
            "calls": dict(calls.by_action),
            "refused": {action: count for action, count in calls.refused.items() if count},
            "named": named,
            "elsewhere": calls.elsewhere,
            "recent": [call._asdict() for call in calls.recent],
        }
    return {
        **lasting,
        **counted,
        "webhook_faults": [asdict(rule) for rule in supplier.delivery_faults.in_force()],
        "faults": [asdict(rule) for rule in supplier.faults.in_force()],
        "limits": dict(supplier.limits.per_minute),
    }


def _order(order: Order, now: float) -> dict[str, object]:
    status, delivered = order.state(now)
    form = json.loads(order.form)
    return {
        "order": order.id,
        "request_id": order.request_id,
        "service": order.service,
        "link": form.get("link") or form.get("username", ""),
        "quantity": order.life.total,
        "runs": order.life.runs,
        "form": form,
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
    same = {name: getattr(delivery, name) for name in ("webhook", "event", "created_at", "tries", "state", "said")}
    due_at = delivery.due_at if delivery.state == "waiting" else None
    return {"delivery": delivery.id, "order": delivery.order_id, "due_at": due_at, **same}

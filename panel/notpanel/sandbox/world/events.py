"""What endpoints are told: an order's end, and that the balance has become low. Only real changes, and each once."""

import json
import time

from panel.notpanel.sandbox.world import charges
from panel.notpanel.sandbox.world.outbox import Delivery, Outbox
from panel.notpanel.sandbox.world.store import Store, token

OF_STATUS = {
    "completed": "order.completed",
    "partial": "order.failed",
    "cancelled": "order.failed",
    "refunded": "order.refunded",
}
BALANCE_LOW = "balance.low"
PING = "ping"
EVENTS = ("order.completed", "order.failed", "order.refunded", BALANCE_LOW)
LOW_BALANCE_USD = "20"
AT_ONCE = 500  # ends told in one transaction: so long, at most, an `add` waits


def happen(outbox: Outbox, now: float) -> bool:
    """Queue the ends that have come to pass by the sandbox's clock; whether there may be more of them.

    That an end is told and that it is queued is one transaction: neither a kill nor a jump of the clock tells it twice.
    """
    # While nobody listens nothing is kept: whoever comes later hears only of what happens later.
    if not outbox.endpoints() or not outbox.store.ends(now, 1):
        return False
    store = outbox.store
    with store.writing():
        ended = store.ends(now, AT_ONCE)
        for order, end in ended:
            of_order(outbox, order, end)
        store.tell_ends(ended)
    return len(ended) == AT_ONCE


def catch_up(outbox: Outbox, now: float) -> None:
    """Before something is changed by hand: all that has happened until now has been told, or was for nobody."""
    with outbox.store.writing():
        while happen(outbox, now):
            pass
        outbox.store.tell_all_ends(now)


def of_order(outbox: Outbox, order: str, status: str, event: str = "") -> str:
    """The event's id. `event` overrules the name that goes with the status."""
    return queue(outbox, event or OF_STATUS.get(status, PING), {"order": order, "status": status}, order)


def balance_moved(outbox: Outbox, before: int, after: int) -> None:
    """Once for each crossing: below is low, the threshold itself is not."""
    if before >= threshold(outbox.store) > after:
        queue(outbox, BALANCE_LOW, {"balance": charges.shown(after), "currency": charges.CURRENCY})


def threshold(store: Store) -> int:
    return int(store.setting("low_balance") or charges.units(LOW_BALANCE_USD))


def queue(outbox: Outbox, event: str, data: object, order: str = "") -> str:
    """One delivery for each endpoint that wants this event; a ping is for all. The event's id, the same for each."""
    id, now = token("evt"), time.time()
    body = json.dumps({"id": id, "event": event, "created": int(now), "data": data}, ensure_ascii=False)
    wanted = [webhook for webhook, _, events in outbox.endpoints() if event not in EVENTS or event in events.split(",")]
    outbox.add(
        Delivery(
            number=None,
            id=id,
            webhook=webhook,
            event=event,
            order_id=order,
            body=body,
            created_at=now,
            tries=0,
            due_at=now,
            state="waiting",
            said="",
            plain=0,
        )
        for webhook in wanted
    )
    return id

"""The events that endpoints get: an order's end, and a low balance. Only real changes, and each once."""

import json
import time

from panel.notpanel.sandbox.world import charges
from panel.notpanel.sandbox.world.outbox import Delivery, Outbox
from panel.notpanel.sandbox.world.store import Store, token

EVENT_OF_STATUS = {
    "completed": "order.completed",
    "partial": "order.failed",
    "cancelled": "order.failed",
    "refunded": "order.refunded",
}
BALANCE_LOW = "balance.low"
PING = "ping"
EVENTS = ("order.completed", "order.failed", "order.refunded", BALANCE_LOW)
LOW_BALANCE_USD = "20"
ENDS_TOGETHER = 500  # announced in one transaction: an `add` waits for no more


def announce_ends(outbox: Outbox, now: float) -> bool:
    """Queues the ends that have come to pass by the sandbox's clock; whether there may be more of them.

    An end is noted as announced in the same transaction: neither a kill nor a jump of the clock announces it twice.
    """
    store = outbox.store
    # Without endpoints nothing is queued: an endpoint gets only what happens after it was added.
    if not outbox.endpoints() or not store.new_ends(now, 1):
        return False
    with store.writing():
        ended = store.new_ends(now, ENDS_TOGETHER)
        for order, end in ended:
            queue_status(outbox, order, end)
        store.note_announced(ended)
    return len(ended) == ENDS_TOGETHER


def catch_up(outbox: Outbox, now: float) -> None:
    """Queues every end until now, before an order or the list of endpoints is changed by hand."""
    with outbox.store.writing():
        while announce_ends(outbox, now):
            pass
        outbox.store.note_all_announced(now)


def queue_status(outbox: Outbox, order: str, status: str, event: str = "") -> str:
    """Queues the event of an order's status; its id. `event` overrules the name that goes with the status."""
    return queue(outbox, event or EVENT_OF_STATUS.get(status, PING), {"order": order, "status": status}, order)


def queue_low_balance(outbox: Outbox, before: int, after: int) -> None:
    """Queues an event when a change of the balance crosses the threshold downwards; the threshold itself is not low."""
    if before >= low_balance(outbox.store) > after:
        queue(outbox, BALANCE_LOW, {"balance": charges.shown(after), "currency": charges.CURRENCY})


def low_balance(store: Store) -> int:
    """The threshold in units below which the balance is low."""
    return int(store.setting("low_balance") or charges.units(LOW_BALANCE_USD))


def queue(outbox: Outbox, event: str, data: object, order: str = "") -> str:
    """Queues one delivery for each endpoint that chose this event, or for all if it is none of EVENTS, as a ping; the
    event's id, the same for each."""
    id, now = token("evt"), time.time()
    body = json.dumps({"id": id, "event": event, "created": int(now), "data": data}, ensure_ascii=False)
    outbox.add(
        Delivery(None, id, webhook, event, order, body, created_at=now, tries=0, due_at=now)
        for webhook, _, chosen in outbox.endpoints()
        if event not in EVENTS or event in chosen.split(",")
    )
    return id

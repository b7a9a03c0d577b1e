"""The seven actions of the contract: every documented rule, error text and status code."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from panel.notpanel.sandbox.api import add_order
from panel.notpanel.sandbox.webhooks import endpoints
from panel.notpanel.sandbox.world import charges, lives
from panel.notpanel.sandbox.world.limits import Standing
from panel.notpanel.sandbox.world.refusal import Refused
from panel.notpanel.sandbox.world.store import Order, token
from panel.notpanel.sandbox.world.supplier import Supplier

MOST_IDS = 100
REFILLS_PER_ORDER = 3
WEBHOOKS_PER_KEY = 5

TERMINAL = "Order cannot be cancelled (already completed)"

# What the contract does not say, and what this sandbox does. Nothing outside may rely on any of it.
ASSUMED = (
    "wrong or missing key: 401 Invalid API key",
    "unknown action: 400 Unknown action; anything but a POST: 405; another content type or a query string: 400",
    "a suspended account is refused every action with 403, after its key was checked",
    "429 says Rate limit exceeded; windows are fixed minutes; every answer from the key check on has the headers,"
    " and they speak of the key, or of the layer that denied; an IP that is denied shows the IP's own numbers",
    "the tier allows 200 calls a minute over all keys",
    "same request_id with another body: 400, and the first order stays; the key does not belong to the body",
    "a request_id is remembered for ever; only accepted orders are remembered, so a refused one may try again",
    "vanished services are left out of `services` and are Service not found for `add`;"
    " orders that have one can still be refilled and cancelled",
    "rate × quantity ÷ 1000 × runs, kept to five decimals; a Package costs rate × min",
    "quantity outside the bounds, link, runs, interval, type fields and coupons: texts of our own (adding.py)",
    "runs only where dripfeed is true; runs > 1 needs an interval; an interval without runs > 1 is refused",
    "Custom Comments count the lines of `comments`; Mentions need quantity and `usernames`;"
    " Poll needs quantity and `answer_number`; Subscriptions need `username`, `min`, `max`",
    "`charge` in `status` is what is kept after refunds; `start_count` is 0 until delivery starts",
    "an order cancelled in flight or ended partial gives back what was not delivered; refunded gives back all",
    "order and orders together: 400; `orders` of unknown ids alone: an empty object",
    "a refill settles after 2 to 12 hours as completed or rejected; each accepted one counts against the cap;"
    " it does not change the order",
    "a partial order cannot be cancelled; a second cancel while one is queued succeeds and changes nothing",
    "three of four queued cancels are honoured within 20 minutes, the others come too late",
    "webhook.add answers webhook, url, events and secret; an unknown event is refused",
    "a delivery is a POST of JSON {id, event, created, data}: data is {order, status}, or {balance, currency} for"
    " balance.low; `created` is Unix seconds of the wall clock; one event has the same id at every endpoint",
    "X-NotPanel-Signature is t=<Unix seconds of the sending>,v1=<hex HMAC-SHA256 with the endpoint's secret over"
    " `<t>.` and the raw body>; X-NotPanel-Delivery is the event's id, X-NotPanel-Event its name",
    "order.completed for completed, order.failed for partial and cancelled, order.refunded for refunded;"
    " balance.low once for each time that the balance falls below 20 USD",
    "any answer but 2xx, or none within 5 seconds: again after 5, 30, 120, 600, 1800, 3600 and 7200 seconds, each time"
    " signed anew; given up after 8 tries; a redirect is not followed",
    "an endpoint hears only what happens after it was added, one delivery at a time, oldest first",
)

Form = dict[str, str]


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back: HTTP status, JSON body as text, rate-limit headers, and the error text for the log."""

    status: int
    body: str
    headers: dict[str, str]
    error: str = ""


def answer(supplier: Supplier, form: Form, ip: str) -> Answer:
    """One call from beginning to end: limits, key, suspension, action."""
    standing = supplier.limits.admit_ip(ip)
    try:
        if standing.denied_by:
            raise Refused("Rate limit exceeded", 429)
        key = form.get("key", "")
        if key not in supplier.keys:
            raise Refused("Invalid API key", 401)
        standing = supplier.limits.admit_key(key)
        if standing.denied_by:
            raise Refused("Rate limit exceeded", 429)
        if supplier.suspended:
            raise Refused("Account suspended", 403)
        action = ACTIONS.get(form.get("action", ""))
        if action is None:
            raise Refused("Unknown action")
        said = action(supplier, form)
    except Refused as no:
        return refusal(str(no), no.status, standing)
    # `services` comes as text already, because it is long and seldom changes.
    body = said if isinstance(said, str) else json.dumps(said, ensure_ascii=False)
    return Answer(200, body, standing.headers())


def refusal(text: str, status: int, standing: Standing | None = None) -> Answer:
    """`{"error": text}` with its status."""
    return Answer(status, json.dumps({"error": text}), standing.headers() if standing else {}, text)


def _services(supplier: Supplier, form: Form) -> str:
    return supplier.store.catalog(lambda: json.dumps(_catalog(supplier), ensure_ascii=False))


def _catalog(supplier: Supplier) -> object:
    store = supplier.store
    if raw := store.setting("catalog"):  # told word for word from the control page
        return json.loads(raw)
    rows = [
        {
            "service": service.id,
            "name": service.name,
            "type": service.type,
            "category": service.category,
            "rate": service.rate,
            "min": str(service.minimum),
            "max": str(service.maximum),
            "refill": bool(service.refill),
            "cancel": bool(service.cancel),
            "dripfeed": bool(service.dripfeed),
        }
        for service in store.services()
        if service.active
    ]
    keep = store.setting("catalog_keep")
    return rows if keep is None else rows[: int(keep)]


def _add(supplier: Supplier, form: Form) -> object:
    return {"order": add_order.add(supplier, form)}


def _status(supplier: Supplier, form: Form) -> object:
    ids, many = _ids(form)
    now = supplier.clock.now()
    told = {order.id: _report(order, now) for order in supplier.store.orders(ids)}
    if many:
        return {id: told[id] for id in ids if id in told}
    if not told:
        raise Refused("Order not found")
    return told[ids[0]]


def _report(order: Order, now: float) -> dict[str, object]:
    status, delivered = order.state(now)
    given_back = order.refund if order.refund_at is not None and now >= order.refund_at else order.refunded
    started = now >= order.life.in_progress_at
    report: dict[str, object] = {
        "status": status,
        "charge": charges.shown(order.charge - given_back),
        "start_count": str(order.life.start_count if started else 0),
        "remains": str(order.life.total - delivered),
        "currency": charges.CURRENCY,
    }
    return report | json.loads(order.forced)["told"] if order.forced else report


def _refill(supplier: Supplier, form: Form) -> object:
    return _each(form, lambda id: _refill_one(supplier, id), "refill")


def _refill_one(supplier: Supplier, id: str) -> str:
    now = supplier.clock.now()
    with supplier.store.writing():
        order = supplier.store.order(id)
        if order is None:
            raise Refused("Order not found")
        if order.state(now)[0] not in ("completed", "partial"):
            raise Refused("Refill only available for completed or partial orders")
        service = supplier.store.service(order.service)
        if service is None or not service.refill:
            raise Refused("Service does not support refills")
        asked = supplier.store.refills(id)
        if any(settles_at > now for _, _, _, settles_at, _ in asked):
            raise Refused("A refill request is already pending for this order")
        if len(asked) >= REFILLS_PER_ORDER:
            raise Refused(f"Refill limit reached ({REFILLS_PER_ORDER} per order)")
        refill = token("ref")
        settles_at, settles_as = lives.refill_plan(f"{supplier.seed(order.number)}/{len(asked)}", now)
        supplier.store.add_refill(refill, id, now, settles_at, settles_as)
    return refill


def _cancel(supplier: Supplier, form: Form) -> object:
    return _each(form, lambda id: _cancel_one(supplier, id), "cancel")


def _cancel_one(supplier: Supplier, id: str) -> str:
    now = supplier.clock.now()
    with supplier.store.writing():
        order = supplier.store.order(id)
        if order is None:
            raise Refused("Order not found")
        status, delivered = order.state(now)
        if status in lives.ENDS:
            raise Refused(TERMINAL)
        # A cancel takes an order out of the hand of whoever put it where it stands.
        life = lives.resumed(order.life, delivered, now) if order.forced else order.life
        if status == "pending":
            life = lives.cancelled_now(life, now)
        else:
            service = supplier.store.service(order.service)
            if service is None or not service.cancel:
                raise Refused("Service does not support cancellation")
            if order.cancel_asked_at is not None:
                return id
            life = lives.cancel_queued(life, supplier.seed(order.number), now)
        changed = order._replace(
            life=life,
            cancel_asked_at=now,
            refund=lives.refund_due(life, order.charge),
            refund_at=life.end_at,
            forced=None,
        )
        supplier.store.save_order(changed)
        supplier.store.credit_refunds(now)
    return id


def _balance(supplier: Supplier, form: Form) -> object:
    return {"balance": charges.shown(supplier.balance_as_told()), "currency": charges.CURRENCY}


def _add_webhook(supplier: Supplier, form: Form) -> object:
    url = form.get("url", "").strip()
    if not url:
        raise Refused("Missing required parameter: url")
    if not endpoints.may_be(url, local=supplier.local_webhooks):
        raise Refused("Webhook URL must be a public https address")
    # The store has no use for the key itself.
    owner = hashlib.sha256(form["key"].encode()).hexdigest()
    with supplier.store.writing():
        if len(supplier.outbox.endpoints(owner)) >= WEBHOOKS_PER_KEY:
            raise Refused(f"Webhook limit reached ({WEBHOOKS_PER_KEY} per key)")
        return endpoints.add(supplier, url, _words(form.get("events", "")), owner=owner)


ACTIONS: dict[str, Callable[[Supplier, Form], Any]] = {
    "services": _services,
    "add": _add,
    "status": _status,
    "refill": _refill,
    "cancel": _cancel,
    "balance": _balance,
    "webhook.add": _add_webhook,
}


def _each(form: Form, one: Callable[[str], str], word: str) -> object:
    """Do it for the one order, or for each of many: a row for each id, its own error included."""
    ids, many = _ids(form)
    if not many:
        return {word: one(ids[0])}
    rows = []
    for id in ids:
        try:
            rows.append({"order": id, word: one(id)})
        except Refused as no:
            rows.append({"order": id, "error": str(no)})
    return rows


def _ids(form: Form) -> tuple[list[str], bool]:
    """(ids, whether the caller sent `orders`); the two ways exclude each other."""
    one, many = form.get("order", "").strip(), _words(form.get("orders", ""))
    if one and many:
        raise Refused("Use either order or orders, not both")
    if not one and not many:
        raise Refused("Missing parameter: order")
    if len(many) > MOST_IDS:
        raise Refused(f"Maximum {MOST_IDS} orders per request")
    return (many, True) if many else ([one], False)


def named(form: Form) -> list[str]:
    """The orders that a call is about, however it names them."""
    return _words(f"{form.get('order', '')},{form.get('orders', '')}")


def _words(text: str) -> list[str]:
    return [word for part in text.split(",") if (word := part.strip())]

"""The seven actions of the contract: every documented rule, error text and status code."""

import hashlib
import json
from collections.abc import Callable

from panel.notpanel.sandbox.api import add_order, after_sale
from panel.notpanel.sandbox.api.answer import Answer, refusal
from panel.notpanel.sandbox.api.form import Form, order_ids, required, words
from panel.notpanel.sandbox.webhooks import endpoints
from panel.notpanel.sandbox.world import charges
from panel.notpanel.sandbox.world.refusal import Refused
from panel.notpanel.sandbox.world.store import Order, Service
from panel.notpanel.sandbox.world.supplier import Supplier

WEBHOOKS_PER_KEY = 5

# What this sandbox does where the contract is silent. Nothing outside may rely on any of it.
ASSUMED = (
    "Invalid API key, for a wrong key and a missing one, goes with 401",
    "unknown action: 400 Unknown action; anything but a POST: 405; another content type or a query string: 400",
    "a suspended account is refused every action with 403, after its key was checked",
    "Rate limit exceeded goes with 429; windows are fixed minutes; every answer from the key check on has the headers,"
    " and they speak of the key, or of the layer that denied; an IP that is denied shows the IP's own numbers",
    "the tier allows 200 calls a minute over all keys",
    "same request_id with another body: 400, and the first order stays; the key does not belong to the body",
    "a request_id is remembered for ever; only accepted orders are remembered, so a refused one may try again",
    "vanished services are left out of `services` and are Service not found for `add`;"
    " orders that have one can still be refilled and cancelled",
    "rate × quantity ÷ 1000 × runs, kept to five decimals; a Package costs rate × min",
    "quantity outside the bounds, link, runs, interval, type fields and coupons: texts of our own (add_order.py)",
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

ACTIONS: dict[str, Callable[[Supplier, Form], object]] = {
    "services": lambda supplier, form: _catalog(supplier),
    "add": lambda supplier, form: {"order": add_order.add(supplier, form)},
    "status": lambda supplier, form: _status(supplier, form),
    "refill": after_sale.refill,
    "cancel": after_sale.cancel,
    "balance": lambda supplier, form: {
        "balance": charges.shown(supplier.cached_balance()),
        "currency": charges.CURRENCY,
    },
    "webhook.add": lambda supplier, form: _add_webhook(supplier, form),
}


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
        result = action(supplier, form)
    except Refused as refused:
        return refusal(str(refused), refused.status, standing.headers)
    return Answer(200, json.dumps(result, ensure_ascii=False), standing.headers)


def _catalog(supplier: Supplier) -> object:
    store = supplier.store
    with store.writing():  # one moment for all of it
        if raw := store.setting("catalog"):  # set word for word from the control page
            return json.loads(raw)
        rows = [_service(service) for service in store.services() if service.active]
        keep = store.setting("catalog_keep")
    return rows if keep is None else rows[: int(keep)]


def _service(service: Service) -> dict[str, object]:
    flags = {name: bool(getattr(service, name)) for name in ("refill", "cancel", "dripfeed")}
    return {
        "service": service.id,
        "name": service.name,
        "type": service.type,
        "category": service.category,
        "rate": service.rate,
        "min": str(service.minimum),
        "max": str(service.maximum),
        **flags,
    }


def _status(supplier: Supplier, form: Form) -> object:
    ids, many = order_ids(form)
    now = supplier.clock.now()
    reports = {order.id: _report(order, now) for order in supplier.store.orders(ids)}
    if many:
        return {id: reports[id] for id in ids if id in reports}
    if not reports:
        raise Refused("Order not found")
    return reports[ids[0]]


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


def _add_webhook(supplier: Supplier, form: Form) -> object:
    url = required(form, "url")
    if not endpoints.may_be(url, local=supplier.local_webhooks):
        raise Refused("Webhook URL must be a public https address")
    owner = hashlib.sha256(form["key"].encode()).hexdigest()  # the store has no use for the key itself
    with supplier.store.writing():
        if len(supplier.outbox.endpoints(owner)) >= WEBHOOKS_PER_KEY:
            raise Refused(f"Webhook limit reached ({WEBHOOKS_PER_KEY} per key)")
        return endpoints.add(supplier, url, words(form.get("events", "")), owner=owner)

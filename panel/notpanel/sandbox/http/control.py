"""The control commands: what a person or a test may do to the supplier past its API."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict
from decimal import Decimal, InvalidOperation
from typing import Any

from panel.notpanel.sandbox.faults.delivery_faults import FORGERIES
from panel.notpanel.sandbox.faults.rules import Rules, is_on
from panel.notpanel.sandbox.webhooks import endpoints
from panel.notpanel.sandbox.world import charges, events, lives, services
from panel.notpanel.sandbox.world.refusal import Refused
from panel.notpanel.sandbox.world.store import Order, Service
from panel.notpanel.sandbox.world.supplier import Supplier

FLAGS = ("refill", "cancel", "dripfeed")  # of a service

Fields = Mapping[str, Any]
Result = dict[str, object]


def run(supplier: Supplier, command: str, fields: Fields) -> Result:
    """Runs one control command; values as JSON has them or as a form sends them.

    Raises ValueError or LookupError, with a sentence, for what cannot be done.
    """
    if command not in COMMANDS:
        raise LookupError(f"There is no {command!r} to control; there are {', '.join(COMMANDS)}")
    return COMMANDS[command](supplier, fields)


def _faults(supplier: Supplier, fields: Fields) -> Result:
    """{fault, action?, times?, skip?, chance?, …}: inject a fault; `details` may hold more, as `name=value` words."""
    values = _with_details(fields)
    return asdict(supplier.faults.add(values.pop("fault", ""), **values))


def _lift_faults(supplier: Supplier, fields: Fields) -> Result:
    """{id?}: lift one rule, or all."""
    return {"lifted": _lift(supplier.faults, fields)}


def _clock(supplier: Supplier, fields: Fields) -> Result:
    """{speed?, advance?}: set how many seconds pass in a second, and jump so many seconds forward."""
    changes = {"speed": supplier.clock.run_at, "advance": supplier.clock.advance}
    for name in _given(fields, *changes):
        changes[name](_decimal(fields, name))
    return {"now": supplier.clock.now(), "speed": supplier.clock.speed}


def _balance(supplier: Supplier, fields: Fields) -> Result:
    """{amount}: set the balance, in USD."""
    supplier.set_balance(charges.units(str(fields.get("amount", ""))))
    return {"balance": charges.shown(supplier.balance())}


def _low_balance(supplier: Supplier, fields: Fields) -> Result:
    """{amount}: set the USD below which the balance counts as low."""
    supplier.store.set("low_balance", str(charges.units(str(fields.get("amount", "")))))
    return {"low": charges.shown(events.low_balance(supplier.store))}


def _suspension(supplier: Supplier, fields: Fields) -> Result:
    """{on}: suspend the account or lift the suspension."""
    supplier.suspend(is_on(fields.get("on")))
    return {"suspended": supplier.suspended}


def _prices(supplier: Supplier, fields: Fields) -> Result:
    """{service, rate}: set a price in USD per 1000, as text that `services` repeats word for word."""
    rate = str(fields.get("rate", ""))
    if charges.units(rate) < 0:
        raise ValueError("A rate cannot be negative")
    return _changed_service(supplier, fields, {"rate": rate})


def _services(supplier: Supplier, fields: Fields) -> Result:
    """{service, active?, refill?, cancel?, dripfeed?, minimum?, maximum?, name?, …}: change one service."""
    changes: dict[str, object] = {name: int(is_on(fields.get(name))) for name in ("active", *FLAGS) if name in fields}
    changes |= {name: _whole(fields, name) for name in ("minimum", "maximum") if name in fields}
    changes |= {name: str(fields[name]) for name in ("name", "category", "type") if name in fields}
    return _changed_service(supplier, fields, changes)


def _catalog(supplier: Supplier, fields: Fields) -> Result:
    """{keep: n} answers with the first n rows only; {rows: …} answers exactly that; {} puts the usual list back.

    Of `rows`, those that can be read can be ordered too, and all other services have vanished.
    """
    store, rows, keep = supplier.store, fields.get("rows"), fields.get("keep")
    if isinstance(rows, str):
        rows = json.loads(rows) if rows.strip() else None
    with store.writing():
        was_replaced = store.setting("catalog") is not None
        store.set("catalog", None if rows is None else json.dumps(rows, ensure_ascii=False))
        store.set("catalog_keep", None if keep in (None, "") else str(_whole(fields, "keep")))
        if rows is not None or was_replaced:
            store.put_services(service._replace(active=0) for service in store.services())
            store.put_services(services.catalog() if rows is None else _readable_services(rows))
    return {"rows": None if rows is None else len(rows), "keep": store.setting("catalog_keep")}


def _orders(supplier: Supplier, fields: Fields) -> Result:
    """{order, status, remains?, charge?, start_count?, currency?}: put an order somewhere, and leave it there.

    Any word and any value will do. Money follows: cancelled and partial give back what was not delivered,
    refunded gives back all, every other status nothing.
    """
    status, id = str(fields.get("status", "")), str(fields.get("order", ""))
    if not status:
        raise ValueError("A status is needed")
    answered = ("remains", "charge", "start_count", "currency")
    answered_values = {name: fields[name] for name in answered if fields.get(name, "") != ""}
    store, now = supplier.store, supplier.clock.now()
    with store.writing():
        store.credit_refunds(now)
        events.catch_up(supplier.outbox, now)
        order = store.order(id)
        if order is None:
            raise LookupError(f"There is no order {id!r}")
        delivered = _delivered(order, status, answered_values.get("remains"), now)
        if status in ("cancelled", "partial"):
            refund = lives.undelivered(order.charge, delivered, order.life.total)
        else:
            refund = order.charge if status == "refunded" else 0
        supplier.move_balance(refund - order.refunded)
        forced = json.dumps({"status": status, "delivered": delivered, "told": answered_values})
        end = status if status in lives.ENDS else ""
        store.save_order(order._replace(refund=refund, refunded=refund, refund_at=None, forced=forced, told=end))
        if end and end != order.state(now)[0]:
            events.queue_status(supplier.outbox, order.id, end)
    return {"order": order.id, "status": status, "remains": order.life.total - delivered}


def _limits(supplier: Supplier, fields: Fields) -> Result:
    """{ip?, key?, tier?}: set how many calls a minute each layer allows."""
    per_minute = supplier.limits.per_minute
    per_minute |= {name: _whole(fields, name) for name in _given(fields, *per_minute)}
    return dict(per_minute)


def _keys(supplier: Supplier, fields: Fields) -> Result:
    """{add?, revoke?}: activate a key, or revoke one, which stops working at once."""
    if fields.get("add"):
        supplier.add_key(str(fields["add"]))
    supplier.keys.discard(str(fields.get("revoke", "")))
    return {"active": len(supplier.keys)}


def _forgotten(supplier: Supplier, fields: Fields) -> Result:
    """{request_id?}: forget one request_id or all, as a supplier with a short memory would."""
    return {"forgotten": supplier.store.forget_requests(fields.get("request_id") or None)}


def _webhooks(supplier: Supplier, fields: Fields) -> Result:
    """{url, secret?, events?}: add an endpoint, public https or on loopback; a made-up secret is answered once."""
    url, secret = str(fields.get("url", "")).strip(), str(fields.get("secret", ""))
    if not endpoints.may_be(url, local=True):
        raise ValueError("url must be a public https address, or http on loopback")
    chosen = fields.get("events") or ""
    words = [str(word) for word in chosen] if isinstance(chosen, list) else str(chosen).replace(",", " ").split()
    try:
        added = endpoints.add(supplier, url, words, secret=secret)
    except Refused as refused:
        raise ValueError(str(refused)) from None
    return {name: value for name, value in added.items() if name != "secret"} if secret else added


def _remove_webhook(supplier: Supplier, fields: Fields) -> Result:
    """{id}: remove an endpoint, as a person would on the supplier's own page; what waits for it is given up."""
    id = str(fields.get("id", ""))
    if not supplier.outbox.remove_endpoint(id):
        raise LookupError(f"There is no endpoint {id!r}")
    return {"removed": id}


def _send_event(supplier: Supplier, fields: Fields) -> Result:
    """{order?, status?, event?}: deliver an event now: of an order, whose status may be a lie, or else a ping."""
    id, event = str(fields.get("order", "")).strip(), str(fields.get("event", "")).strip()
    if not re.fullmatch(r"[\x21-\x7e]*", event):
        raise ValueError("An event's name is one word")
    if id:
        order = supplier.store.order(id)
        true_status = order.state(supplier.clock.now())[0] if order else "completed"
        event_id = events.queue_status(supplier.outbox, id, str(fields.get("status", "")) or true_status, event)
    else:
        event_id = events.queue(supplier.outbox, event or events.PING, {})
    return {"delivery": event_id, "endpoints": len(supplier.outbox.endpoints())}


def _delivery_faults(supplier: Supplier, fields: Fields) -> Result:
    """{fault, event?, times?, skip?, chance?, …}: as for faults of calls."""
    values = _with_details(fields)
    if values.get("how", FORGERIES[0]) not in FORGERIES:
        raise ValueError(f"how is one of {', '.join(FORGERIES)}")
    return asdict(supplier.delivery_faults.add(values.pop("fault", ""), values.pop("event", ""), **values))


def _lift_delivery_faults(supplier: Supplier, fields: Fields) -> Result:
    """{id?}: lift one of these rules, or all. What was held back goes out, in reverse order."""
    lifted = _lift(supplier.delivery_faults, fields)
    supplier.outbox.changed.set()
    return {"lifted": lifted}


def _patience(supplier: Supplier, fields: Fields) -> Result:
    """{pauses?, answer?}: set a factor on the pauses between tries, and the seconds for an answer, until a restart."""
    changes = {name: _decimal(fields, name) for name in _given(fields, "pauses", "answer")}
    if not all(0 <= value < float("inf") for value in changes.values()) or changes.get("answer") == 0:
        raise ValueError("pauses must not be negative, and answer takes some time")
    supplier.patience = supplier.patience._replace(**changes)
    return supplier.patience._asdict()


COMMANDS: dict[str, Callable[[Supplier, Fields], Result]] = {
    "faults": _faults,
    "faults/lifted": _lift_faults,
    "clock": _clock,
    "balance": _balance,
    "suspension": _suspension,
    "prices": _prices,
    "services": _services,
    "catalog": _catalog,
    "orders": _orders,
    "limits": _limits,
    "keys": _keys,
    "forgotten": _forgotten,
    "webhooks": _webhooks,
    "webhooks/removed": _remove_webhook,
    "webhooks/ring": _send_event,
    "webhooks/faults": _delivery_faults,
    "webhooks/faults/lifted": _lift_delivery_faults,
    "webhooks/patience": _patience,
    "balance/low": _low_balance,
}


def _with_details(fields: Fields) -> dict[str, Any]:
    """A fault's fields, with the `name=value` words of its `details` among them."""
    values = dict(fields)
    for word in str(values.pop("details", "")).split():
        name, _, value = word.partition("=")
        values[name] = value
    return values


def _lift(rules: Rules, fields: Fields) -> int:
    return rules.clear(_whole(fields, "id") if fields.get("id") else None)


def _changed_service(supplier: Supplier, fields: Fields, changes: Mapping[str, object]) -> Result:
    service = supplier.store.change_service(_whole(fields, "service"), **changes)
    return {"service": service.id, "rate": service.rate, "active": bool(service.active)}


def _readable_services(rows: Any) -> list[Service]:
    """The services that the rows of a catalog name in such a way that they can be ordered."""
    readable = []
    for row in rows if isinstance(rows, list) else []:
        try:
            service = Service(
                id=int(row["service"]),
                name=str(row["name"]),
                type=str(row.get("type", "Default")),
                category=str(row.get("category", "")),
                rate=str(Decimal(str(row["rate"]))),
                minimum=int(row.get("min", 1)),
                maximum=int(row.get("max", 1)),
                **{flag: int(is_on(row.get(flag))) for flag in FLAGS},
            )
            charges.units(service.rate)
        except (AttributeError, InvalidOperation, KeyError, TypeError, ValueError):
            continue  # a row that was made to be unreadable: it is in the answer, but cannot be ordered
        readable.append(service)
    return readable


def _delivered(order: Order, status: str, remains: object, now: float) -> int:
    """Units delivered when an order is put into `status`: by `remains` if that can be, else what fits the status."""
    total, text = order.life.total, str(remains).strip()
    if text.isascii() and text.isdigit() and int(text) <= total:
        return total - int(text)
    if status in ("pending", "processing"):
        return 0
    delivered = order.state(now)[1]
    if status == "partial" and delivered in (0, total):
        return total // 2
    return total if status == "completed" else delivered


def _given(fields: Fields, *names: str) -> list[str]:
    """The names whose fields hold something; a form sends the others as empty text."""
    return [name for name in names if fields.get(name) not in (None, "")]


def _whole(fields: Fields, name: str) -> int:
    try:
        number = int(str(fields.get(name, "")))
    except ValueError:
        raise ValueError(f"{name} must be a whole number") from None
    if number < 0:
        raise ValueError(f"{name} must not be negative")
    return number


def _decimal(fields: Fields, name: str) -> float:
    try:
        return float(str(fields[name]))
    except ValueError:
        raise ValueError(f"{name} must be a number") from None

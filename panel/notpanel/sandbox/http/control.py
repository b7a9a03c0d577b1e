"""The control calls: what a person or a test may do to the supplier behind its back."""

import json
import re
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from panel.notpanel.sandbox.faults.delivery_faults import FORGERIES
from panel.notpanel.sandbox.faults.rules import EVERY_ACTION
from panel.notpanel.sandbox.webhooks import endpoints
from panel.notpanel.sandbox.world import charges, events, lives, services
from panel.notpanel.sandbox.world.refusal import Refused
from panel.notpanel.sandbox.world.store import Order, Service
from panel.notpanel.sandbox.world.supplier import Supplier

Fields = Mapping[str, Any]


def do(supplier: Supplier, thing: str, fields: Fields) -> dict[str, object]:
    """One control call; values as JSON has them or as a form sends them.

    Raises ValueError or LookupError, with a sentence, for a wish that cannot be granted.
    """
    if thing not in THINGS:
        raise LookupError(f"There is no {thing!r} to control; there are {', '.join(THINGS)}")
    return THINGS[thing](supplier, fields)


def _faults(supplier: Supplier, fields: Fields) -> dict[str, object]:
    """{fault, action?, times?, skip?, chance?, …}: `details` may hold more, as `name=value` words."""
    wish = _wish(fields)
    return supplier.faults.add(wish.pop("fault", ""), **wish).as_row()


def _lift(supplier: Supplier, fields: Fields) -> dict[str, object]:
    """{id?}: one rule, or all."""
    return {"lifted": supplier.faults.clear(_whole(fields, "id") if fields.get("id") else None)}


def _clock(supplier: Supplier, fields: Fields) -> dict[str, object]:
    """{speed?, advance?}: seconds of the sandbox a second, seconds to jump forward."""
    if fields.get("speed") not in (None, ""):
        supplier.clock.run_at(_decimal(fields, "speed"))
    if fields.get("advance") not in (None, ""):
        supplier.clock.advance(_decimal(fields, "advance"))
    return {"now": supplier.clock.now(), "speed": supplier.clock.speed}


def _balance(supplier: Supplier, fields: Fields) -> dict[str, object]:
    """{amount}: USD on the account from now on."""
    supplier.set_balance(charges.units(str(fields.get("amount", ""))))
    return {"balance": charges.shown(supplier.balance())}


def _suspension(supplier: Supplier, fields: Fields) -> dict[str, object]:
    """{on}: suspend the account or lift it."""
    supplier.suspend(_flag(fields, "on"))
    return {"suspended": supplier.suspended}


def _prices(supplier: Supplier, fields: Fields) -> dict[str, object]:
    """{service, rate}: USD per 1000, as text that `services` will repeat word for word."""
    rate = str(fields.get("rate", ""))
    if charges.units(rate) < 0:
        raise ValueError("A rate cannot be negative")
    return _told(supplier.store.change_service(_whole(fields, "service"), rate=rate))


def _services(supplier: Supplier, fields: Fields) -> dict[str, object]:
    """{service, active?, refill?, cancel?, dripfeed?, minimum?, maximum?, name?}: change one service."""
    changes: dict[str, object] = {
        name: int(_flag(fields, name)) for name in ("active", "refill", "cancel", "dripfeed") if name in fields
    }
    changes |= {name: _whole(fields, name) for name in ("minimum", "maximum") if name in fields}
    changes |= {name: str(fields[name]) for name in ("name", "category", "type") if name in fields}
    return _told(supplier.store.change_service(_whole(fields, "service"), **changes))


def _catalog(supplier: Supplier, fields: Fields) -> dict[str, object]:
    """{keep: n} answers with the first n rows only; {rows: …} answers exactly that; {} puts the usual list back.

    Of `rows`, those that can be read can be ordered too, and all other services have vanished.
    """
    store, rows, keep = supplier.store, fields.get("rows"), fields.get("keep")
    if isinstance(rows, str):
        rows = json.loads(rows) if rows.strip() else None
    with store.writing():
        was_told = store.setting("catalog") is not None
        store.set("catalog", None if rows is None else json.dumps(rows, ensure_ascii=False))
        store.set("catalog_keep", None if keep in (None, "") else str(_whole(fields, "keep")))
        if rows is not None or was_told:
            store.put_services(service._replace(active=0) for service in store.services())
            store.put_services(services.catalog() if rows is None else _readable(rows))
    store.catalog_changed()
    return {"rows": None if rows is None else len(rows), "keep": store.setting("catalog_keep")}


def _orders(supplier: Supplier, fields: Fields) -> dict[str, object]:
    """{order, status, remains?, charge?, start_count?, currency?}: put an order somewhere, and leave it there.

    Any word and any value will do. Money follows: cancelled and partial give back what was not delivered,
    refunded gives back all, every other status nothing.
    """
    status = str(fields.get("status", ""))
    if not status:
        raise ValueError("A status is needed")
    told = {
        name: fields[name] for name in ("remains", "charge", "start_count", "currency") if fields.get(name, "") != ""
    }
    store, now = supplier.store, supplier.clock.now()
    with store.writing():
        store.credit_refunds(now)
        events.catch_up(supplier.outbox, now)
        order = store.order(str(fields.get("order", "")))
        if order is None:
            raise LookupError(f"There is no order {fields.get('order', '')!r}")
        delivered = _delivered(order, status, told.get("remains"), now)
        if status in ("cancelled", "partial"):
            refund = lives.undelivered(order.charge, delivered, order.life.total)
        else:
            refund = order.charge if status == "refunded" else 0
        supplier.move_balance(refund - order.refunded)
        put = json.dumps({"status": status, "delivered": delivered, "told": told})
        end = status if status in lives.ENDS else ""
        store.save_order(order._replace(refund=refund, refunded=refund, refund_at=None, forced=put, told=end))
        if end and end != order.state(now)[0]:
            events.of_order(supplier.outbox, order.id, end)
    return {"order": order.id, "status": status, "remains": order.life.total - delivered}


def _delivered(order: Order, status: str, remains: object, now: float) -> int:
    """Units delivered when an order is put into `status`: by `remains` if that can be, else what fits the word."""
    total, text = order.life.total, str(remains).strip()
    if text.isascii() and text.isdigit() and int(text) <= total:
        return total - int(text)
    if status in ("pending", "processing"):
        return 0
    delivered = order.state(now)[1]
    if status == "partial" and delivered in (0, total):
        return total // 2
    return total if status == "completed" else delivered


def _limits(supplier: Supplier, fields: Fields) -> dict[str, object]:
    """{ip?, key?, tier?}: calls a minute."""
    limits = supplier.limits
    for name in ("ip", "key", "tier"):
        if fields.get(name) not in (None, ""):
            setattr(limits, name, _whole(fields, name))
    return {"ip": limits.ip, "key": limits.key, "tier": limits.tier}


def _keys(supplier: Supplier, fields: Fields) -> dict[str, object]:
    """{add?, revoke?}: a revoked key stops working at once."""
    if fields.get("add"):
        supplier.add_key(str(fields["add"]))
    supplier.keys.discard(str(fields.get("revoke", "")))
    return {"active": len(supplier.keys)}


def _forgotten(supplier: Supplier, fields: Fields) -> dict[str, object]:
    """{request_id?}: forget one request_id or all, as a supplier with a short memory would."""
    return {"forgotten": supplier.store.forget_requests(fields.get("request_id") or None)}


def _webhooks(supplier: Supplier, fields: Fields) -> dict[str, object]:
    """{url, secret?, events?}: an endpoint, public https or on loopback; a secret of its own is answered once."""
    url, secret = str(fields.get("url", "")).strip(), str(fields.get("secret", ""))
    if not endpoints.may_be(url, local=True):
        raise ValueError("url must be a public https address, or http on loopback")
    chosen = fields.get("events") or ""
    words = [str(word) for word in chosen] if isinstance(chosen, list) else str(chosen).replace(",", " ").split()
    try:
        added = endpoints.add(supplier, url, words, secret=secret)
    except Refused as no:
        raise ValueError(str(no)) from None
    return added if not secret else {name: value for name, value in added.items() if name != "secret"}


def _remove_webhook(supplier: Supplier, fields: Fields) -> dict[str, object]:
    """{id}: as a person would on the supplier's own page; what waits for it is given up."""
    id = str(fields.get("id", ""))
    if not supplier.outbox.remove_endpoint(id):
        raise LookupError(f"There is no endpoint {id!r}")
    return {"removed": id}


def _ring(supplier: Supplier, fields: Fields) -> dict[str, object]:
    """{order?, status?, event?}: deliver an event now: a ping, or what there is to say of an order; a lie will do."""
    id, event = str(fields.get("order", "")).strip(), str(fields.get("event", "")).strip()
    if not re.fullmatch(r"[\x21-\x7e]*", event):
        raise ValueError("An event's name is one word")
    order = supplier.store.order(id)
    real = order.state(supplier.clock.now())[0] if order else "completed"
    if id:
        rung = events.of_order(supplier.outbox, id, str(fields.get("status", "")) or real, event)
    else:
        rung = events.queue(supplier.outbox, event or events.PING, {})
    return {"delivery": rung, "endpoints": len(supplier.outbox.endpoints())}


def _misbehave(supplier: Supplier, fields: Fields) -> dict[str, object]:
    """{fault, event?, times?, skip?, chance?, …} as for faults; see mischief.KINDS."""
    wish = _wish(fields)
    if wish.get("how", FORGERIES[0]) not in FORGERIES:
        raise ValueError(f"how is one of {', '.join(FORGERIES)}")
    return supplier.mischief.add(wish.pop("fault", ""), wish.pop("event", "") or EVERY_ACTION, **wish).as_row()


def _behave(supplier: Supplier, fields: Fields) -> dict[str, object]:
    """{id?}: one of these rules, or all. What was held back goes out, in reverse order."""
    lifted = supplier.mischief.clear(_whole(fields, "id") if fields.get("id") else None)
    supplier.outbox.bell.set()
    return {"lifted": lifted}


def _patience(supplier: Supplier, fields: Fields) -> dict[str, object]:
    """{pauses?, answer?}: a factor on the pauses between tries, seconds for one answer; until it is started anew."""
    asked = {name: _decimal(fields, name) for name in ("pauses", "answer") if fields.get(name) not in (None, "")}
    if not all(0 <= value < float("inf") for value in asked.values()) or asked.get("answer") == 0:
        raise ValueError("pauses must not be negative, and answer takes some time")
    supplier.patience = supplier.patience._replace(**asked)
    return dict(supplier.patience._asdict())


def _low_balance(supplier: Supplier, fields: Fields) -> dict[str, object]:
    """{amount}: `balance.low` is told when the balance falls below so many USD."""
    supplier.store.set("low_balance", str(charges.units(str(fields.get("amount", "")))))
    return {"low": charges.shown(events.threshold(supplier.store))}


THINGS: dict[str, Callable[[Supplier, Fields], dict[str, object]]] = {
    "faults": _faults,
    "faults/lifted": _lift,
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
    "webhooks/ring": _ring,
    "webhooks/faults": _misbehave,
    "webhooks/faults/lifted": _behave,
    "webhooks/patience": _patience,
    "balance/low": _low_balance,
}


def _wish(fields: Fields) -> dict[str, Any]:
    """A fault's fields, with the words of its `details` among them."""
    wish = dict(fields)
    for word in str(wish.pop("details", "")).split():
        name, _, value = word.partition("=")
        wish[name] = value
    return wish


def _readable(rows: Any) -> list[Service]:
    """Those rows of a catalog that name a service one could order."""
    found = []
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
                refill=int(_flag(row, "refill")),
                cancel=int(_flag(row, "cancel")),
                dripfeed=int(_flag(row, "dripfeed")),
            )
            charges.units(service.rate)
        except (AttributeError, InvalidOperation, KeyError, TypeError, ValueError):
            continue  # a row that was made to be unreadable: it is told, but cannot be ordered
        found.append(service)
    return found


def _told(service: Service) -> dict[str, object]:
    return {"service": service.id, "rate": service.rate, "active": bool(service.active)}


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


def _flag(fields: Fields, name: str) -> bool:
    return str(fields.get(name, "")).lower() in ("1", "true", "yes", "on")

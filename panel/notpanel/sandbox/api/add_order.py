"""`add`: read the form by the rules of the service's type, take the money once, plan the order's life."""

import json
import re
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import parse_qs, urlencode, urlsplit

from panel.notpanel.sandbox.world import charges, lives
from panel.notpanel.sandbox.world.refusal import Refused
from panel.notpanel.sandbox.world.store import Order, Service, token
from panel.notpanel.sandbox.world.supplier import Supplier

REQUEST_ID_LENGTH = 128  # documented
LINK_LENGTH = 1000  # documented
MOST_RUNS = 1000  # not documented
LONGEST_INTERVAL = 7 * 24 * 60  # minutes; not documented
LARGEST_DIGITS = 10  # no service takes more; longer numbers are not worth reading

BILLED_AT_MINIMUM = ("Package", "Subscriptions")
FATES = {fate for fate, _ in lives.FATES}
FATE_PARAMETER = "sandbox"  # https://example.com/p/1?sandbox=partial : a link may choose how its order ends


class Coupon(NamedTuple):
    """Not documented beyond "limits apply": one coupon for each kind of limit."""

    percent: int
    uses: int | None = None
    network: str = ""


COUPONS = {
    "SANDBOX10": Coupon(10),
    "ONCE25": Coupon(25, uses=1),
    "TIKTOK15": Coupon(15, network="TikTok"),
}


class _Wish(NamedTuple):
    quantity: int
    runs: int
    interval: int


def add(supplier: Supplier, form: Mapping[str, str]) -> str:
    """The order's id; the same one for the same request_id and body, whatever has changed since."""
    request_id = form.get("request_id", "")
    if not request_id:
        raise Refused("Missing required parameter: request_id")
    if len(request_id) > REQUEST_ID_LENGTH:
        raise Refused(f"request_id must be at most {REQUEST_ID_LENGTH} characters")
    asked = {name: value for name, value in sorted(form.items()) if name not in ("key", "action")}
    body, store = urlencode(asked), supplier.store
    with store.writing():
        if known := store.request(request_id):
            if known[0] != body:
                raise Refused("request_id was already used with other parameters")
            return known[1]
        service = _service(supplier, form)
        wish = _wish(form, service)
        percent, code = _coupon(supplier, form, service)
        charge = charges.charge(
            service.rate,
            quantity=wish.quantity,
            runs=wish.runs,
            package=service.type == "Package",
            percent_off=percent,
        )
        if charge > supplier.balance():
            raise Refused("Insufficient balance")
        order = _order(supplier, service, wish, charge, asked)
        store.add_order(order)
        store.remember_request(request_id, body, order.id)
        supplier.move_balance(-charge)
        if code:
            store.use_coupon(code, order.id)
    return order.id


def _order(supplier: Supplier, service: Service, wish: _Wish, charge: int, asked: Mapping[str, str]) -> Order:
    now, number = supplier.clock.now(), supplier.store.next_number()
    life = lives.plan(
        supplier.seed(number),
        at=now,
        quantity=wish.quantity,
        runs=wish.runs,
        interval_minutes=wish.interval,
        fate=_fate(asked.get("link", "")),
    )
    refund = lives.refund_due(life, charge)
    return Order(
        number=number,
        id=token("ord"),
        request_id=asked["request_id"],
        service=service.id,
        created_at=now,
        form=json.dumps(asked, ensure_ascii=False),
        charge=charge,
        refund=refund,
        refund_at=life.end_at if refund else None,
        refunded=0,
        cancel_asked_at=None,
        forced=None,
        told="",
        life=life,
    )


def _service(supplier: Supplier, form: Mapping[str, str]) -> Service:
    asked = form.get("service", "").strip()
    if not asked:
        raise Refused("Missing required parameter: service")
    id = _number(asked)
    service = supplier.store.service(id) if id else None
    if service is None or not service.active:
        raise Refused("Service not found")
    return service


def _wish(form: Mapping[str, str], service: Service) -> _Wish:
    """What is to be delivered, by the rules of the service's type."""
    if service.type == "Subscriptions":
        _subscription(form, service)
    else:
        _link(form)
    if service.type == "Mentions" and not _lines(form, "usernames"):
        raise Refused("Missing required parameter: usernames")
    if service.type == "Poll":
        if not form.get("answer_number", "").strip():
            raise Refused("Missing required parameter: answer_number")
        if not _number(form["answer_number"]):
            raise Refused("answer_number must be a positive integer")
    runs, interval = _drip_feed(form, service)
    return _Wish(_quantity(form, service), runs, interval)


def _quantity(form: Mapping[str, str], service: Service) -> int:
    if service.type in BILLED_AT_MINIMUM:
        return service.minimum
    if service.type == "Custom Comments":
        quantity = len(_lines(form, "comments"))
        if not quantity:
            raise Refused("Missing required parameter: comments")
    else:
        quantity = _number(form.get("quantity", ""))
        if not quantity:
            raise Refused("Quantity must be a positive integer")
    if not service.minimum <= quantity <= service.maximum:
        raise Refused(f"Quantity must be between {service.minimum} and {service.maximum}")
    return quantity


def _link(form: Mapping[str, str]) -> None:
    link = form.get("link", "").strip()
    if not link:
        raise Refused("Missing required parameter: link")
    if len(link) > LINK_LENGTH:
        raise Refused(f"Link must be at most {LINK_LENGTH} characters")
    try:
        parts = urlsplit(link)
        good = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        good = False
    if not good or re.search(r"[\s\x00-\x1f\x7f]", link):
        raise Refused("Link must be a valid http(s) URL")


def _subscription(form: Mapping[str, str], service: Service) -> None:
    for name in ("username", "min", "max"):
        if not form.get(name, "").strip():
            raise Refused(f"Missing required parameter: {name}")
    least, most = _number(form["min"]), _number(form["max"])
    if not service.minimum <= least <= most <= service.maximum:
        raise Refused(f"min and max must be between {service.minimum} and {service.maximum}")
    for name in ("posts", "old_posts", "delay"):
        given = form.get(name, "").strip()
        if given and given != "0" and not _number(given):
            raise Refused(f"{name} must be a whole number")


def _drip_feed(form: Mapping[str, str], service: Service) -> tuple[int, int]:
    """(runs, interval in minutes): (1, 0) without drip-feed."""
    given, every = form.get("runs", "").strip(), form.get("interval", "").strip()
    runs = _number(given) if given else 1
    if given and not service.dripfeed:
        raise Refused("Service does not support drip-feed")
    if not 1 <= runs <= MOST_RUNS:
        raise Refused(f"Runs must be between 1 and {MOST_RUNS}")
    if runs == 1:
        if every:
            raise Refused("Interval is only allowed with more than one run")
        return 1, 0
    if not every:
        raise Refused("Missing required parameter: interval")
    if not 1 <= _number(every) <= LONGEST_INTERVAL:
        raise Refused(f"Interval must be between 1 and {LONGEST_INTERVAL} minutes")
    return runs, _number(every)


def _coupon(supplier: Supplier, form: Mapping[str, str], service: Service) -> tuple[int, str]:
    """(percent off, code): (0, "") without a coupon."""
    code = form.get("coupon", "").strip().upper()
    if not code:
        return 0, ""
    coupon = COUPONS.get(code)
    if coupon is None:
        raise Refused("Coupon not found")
    if coupon.uses is not None and supplier.store.coupon_uses(code) >= coupon.uses:
        raise Refused("Coupon usage limit reached")
    if not service.category.startswith(coupon.network):
        raise Refused("Coupon is not valid for this service")
    return coupon.percent, code


def _fate(link: str) -> str:
    try:
        wished = parse_qs(urlsplit(link).query).get(FATE_PARAMETER, [""])[0]
    except ValueError:
        return ""
    return wished if wished in FATES else ""


def _lines(form: Mapping[str, str], name: str) -> list[str]:
    return [line for line in form.get(name, "").splitlines() if line.strip()]


def _number(text: str) -> int:
    """A positive whole number in plain ASCII digits, or 0."""
    return int(text) if re.fullmatch(rf"[0-9]{{1,{LARGEST_DIGITS}}}", text.strip()) else 0

"""`add`: read the form by the rules of the service's type, take the money once, plan the order's life."""

import json
import re
from typing import NamedTuple
from urllib.parse import parse_qs, urlencode, urlsplit

from panel.notpanel.sandbox.api.form import Form, lines, required, whole_number
from panel.notpanel.sandbox.world import charges, lives
from panel.notpanel.sandbox.world.refusal import Refused
from panel.notpanel.sandbox.world.store import Order, Service, Store, token
from panel.notpanel.sandbox.world.supplier import Supplier

REQUEST_ID_CHARACTERS = 128  # documented
LINK_CHARACTERS = 1000  # documented
MOST_RUNS = 1000  # not documented
LONGEST_INTERVAL_MINUTES = 7 * 24 * 60  # not documented

BILLED_AT_MINIMUM = ("Package", "Subscriptions")
OUTCOME_PARAMETER = "sandbox"  # https://example.com/p/1?sandbox=partial : a link may choose how its order ends


class Coupon(NamedTuple):
    """How much a coupon takes off, how often it can be used (None: always), and on which network ("": on all)."""

    percent: int
    uses: int | None = None
    network: str = ""


# Not documented beyond "limits apply": one coupon for each kind of limit.
COUPONS = {
    "SANDBOX10": Coupon(10),
    "ONCE25": Coupon(25, uses=1),
    "TIKTOK15": Coupon(15, network="TikTok"),
}


def add(supplier: Supplier, form: Form) -> str:
    """The order's id; the same one for the same request_id and body, whatever has changed since."""
    request_id = form.get("request_id", "")
    if not request_id:
        raise Refused("Missing required parameter: request_id")
    if len(request_id) > REQUEST_ID_CHARACTERS:
        raise Refused(f"request_id must be at most {REQUEST_ID_CHARACTERS} characters")
    fields = {name: value for name, value in sorted(form.items()) if name not in ("key", "action")}
    body, store = urlencode(fields), supplier.store
    with store.writing():
        if known := store.request(request_id):
            known_body, order_id = known
            if known_body != body:
                raise Refused("request_id was already used with other parameters")
            return order_id
        service = _service(store, form)
        _check_type_fields(form, service)
        runs, interval = _drip_feed(form, service)
        quantity = _quantity(form, service)
        code = form.get("coupon", "").strip().upper()
        percent_off = _percent_off(store, code, service) if code else 0
        charge = charges.charge(
            service.rate, quantity * runs, package=service.type == "Package", percent_off=percent_off
        )
        if charge > supplier.balance():
            raise Refused("Insufficient balance")
        number, outcome = store.next_number(), _chosen_outcome(form.get("link", ""))
        now = supplier.clock.now()
        life = lives.plan(
            supplier.seed(number), at=now, quantity=quantity, runs=runs, interval_minutes=interval, outcome=outcome
        )
        refund = lives.refund_due(life, charge)
        order = Order(
            life=life,
            number=number,
            id=token("ord"),
            request_id=request_id,
            service=service.id,
            created_at=now,
            form=json.dumps(fields, ensure_ascii=False),
            charge=charge,
            refund=refund,
            refund_at=life.end_at if refund else None,
        )
        store.save_order(order)
        store.remember_request(request_id, body, order.id)
        supplier.move_balance(-charge)
        if code:
            store.use_coupon(code, order.id)
    return order.id


def _service(store: Store, form: Form) -> Service:
    id = whole_number(required(form, "service"))
    service = store.service(id) if id else None
    if service is None or not service.active:
        raise Refused("Service not found")
    return service


def _check_type_fields(form: Form, service: Service) -> None:
    """Refused when what the service's type needs besides a quantity is missing or wrong."""
    if service.type == "Subscriptions":
        _check_subscription(form, service)
    else:
        _check_link(required(form, "link"))
    if service.type == "Mentions":
        required(form, "usernames")
    if service.type == "Poll" and not whole_number(required(form, "answer_number")):
        raise Refused("answer_number must be a positive integer")


def _check_link(link: str) -> None:
    if len(link) > LINK_CHARACTERS:
        raise Refused(f"Link must be at most {LINK_CHARACTERS} characters")
    try:
        parts = urlsplit(link)
        good = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        good = False
    if not good or re.search(r"[\s\x00-\x1f\x7f]", link):
        raise Refused("Link must be a valid http(s) URL")


def _check_subscription(form: Form, service: Service) -> None:
    _, least, most = (required(form, name) for name in ("username", "min", "max"))
    if not service.minimum <= whole_number(least) <= whole_number(most) <= service.maximum:
        raise Refused(f"min and max must be between {service.minimum} and {service.maximum}")
    for name in ("posts", "old_posts", "delay"):
        text = form.get(name, "").strip()
        if text and text != "0" and not whole_number(text):
            raise Refused(f"{name} must be a whole number")


def _drip_feed(form: Form, service: Service) -> tuple[int, int]:
    """(runs, interval in minutes): (1, 0) without drip-feed."""
    given, every = form.get("runs", "").strip(), form.get("interval", "").strip()
    runs = whole_number(given) if given else 1
    if given and not service.dripfeed:
        raise Refused("Service does not support drip-feed")
    if not 1 <= runs <= MOST_RUNS:
        raise Refused(f"Runs must be between 1 and {MOST_RUNS}")
    if runs == 1:
        if every:
            raise Refused("Interval is only allowed with more than one run")
        return 1, 0
    interval = whole_number(required(form, "interval"))
    if not 1 <= interval <= LONGEST_INTERVAL_MINUTES:
        raise Refused(f"Interval must be between 1 and {LONGEST_INTERVAL_MINUTES} minutes")
    return runs, interval


def _quantity(form: Form, service: Service) -> int:
    if service.type in BILLED_AT_MINIMUM:
        return service.minimum
    if service.type == "Custom Comments":
        quantity = len(lines(form, "comments"))
    else:
        quantity = whole_number(form.get("quantity", ""))
        if not quantity:
            raise Refused("Quantity must be a positive integer")
    if not service.minimum <= quantity <= service.maximum:
        raise Refused(f"Quantity must be between {service.minimum} and {service.maximum}")
    return quantity


def _percent_off(store: Store, code: str, service: Service) -> int:
    coupon = COUPONS.get(code)
    if coupon is None:
        raise Refused("Coupon not found")
    if coupon.uses is not None and store.coupon_uses(code) >= coupon.uses:
        raise Refused("Coupon usage limit reached")
    if not service.category.startswith(coupon.network):
        raise Refused("Coupon is not valid for this service")
    return coupon.percent


def _chosen_outcome(link: str) -> str:
    """The outcome that a link asks for, or "" to leave it to chance."""
    try:
        chosen = parse_qs(urlsplit(link).query).get(OUTCOME_PARAMETER, [""])[0]
    except ValueError:
        return ""
    return chosen if chosen in lives.OUTCOMES else ""

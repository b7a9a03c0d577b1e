"""How the fields of a call's form are read."""

import re
from collections.abc import Mapping

from panel.notpanel.sandbox.world.refusal import Refused

ORDERS_PER_CALL = 100
LARGEST_DIGITS = 10  # no service takes more; longer numbers are not worth reading

Form = Mapping[str, str]


def required(form: Form, name: str) -> str:
    """The field without blanks around it; Refused when it is missing or blank."""
    text = form.get(name, "").strip()
    if not text:
        raise Refused(f"Missing required parameter: {name}")
    return text


def lines(form: Form, name: str) -> list[str]:
    """The lines of a field that are not blank; Refused when there are none."""
    return [line for line in required(form, name).splitlines() if line.strip()]


def whole_number(text: str) -> int:
    """A positive whole number in plain ASCII digits, or 0."""
    return int(text) if re.fullmatch(rf"[0-9]{{1,{LARGEST_DIGITS}}}", text.strip()) else 0


def words(text: str) -> list[str]:
    """What stands between commas, without blanks; empty words are left out."""
    return [word for part in text.split(",") if (word := part.strip())]


def order_ids(form: Form) -> tuple[list[str], bool]:
    """(ids, whether the caller sent `orders`); Refused for none, for too many, and for `order` beside `orders`."""
    single_id, ids = form.get("order", "").strip(), words(form.get("orders", ""))
    if single_id and ids:
        raise Refused("Use either order or orders, not both")
    if not single_id and not ids:
        raise Refused("Missing parameter: order")
    if len(ids) > ORDERS_PER_CALL:
        raise Refused(f"Maximum {ORDERS_PER_CALL} orders per request")
    return (ids, True) if ids else ([single_id], False)


def named_orders(form: Form) -> list[str]:
    """The orders that a call names, however it names them and however many there are."""
    return words(f"{form.get('order', '')},{form.get('orders', '')}")

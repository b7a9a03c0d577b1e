"""The fields of a service type that an order was placed with, to be read by a person."""

from collections.abc import Mapping
from typing import NamedTuple

from orders.rules.service_types import DRIP_FEED, FIELDS, Field
from panel.format.numbers import number

LONG_CHARACTERS = 200  # characters; a longer text stands in a box of its own
SHOWN_ELSEWHERE = frozenset(("service", "link", "quantity", *DRIP_FEED, "coupon"))  # what an order says of itself


class OrderedField(NamedTuple):
    """One of the type's own fields in an order, as a person reads it."""

    name: str
    label: str  # empty: no field of ours, so that only its name is known
    text: str
    lines: int  # of a text that stands in a box of its own; 0 of a short one


def ordered_fields(body: Mapping[str, str]) -> list[OrderedField]:
    """What an order's body says beyond link, quantity and the like; short texts first."""
    said = [ordered_field(name, str(text)) for name, text in body.items() if name not in SHOWN_ELSEWHERE]
    return sorted(said, key=lambda field: bool(field.lines))


def ordered_field(name: str, text: str) -> OrderedField:
    label, kind, _, unit = FIELDS.get(name, Field("", "line"))
    if kind == "lines" or "\n" in text or len(text) > LONG_CHARACTERS:
        return OrderedField(name, label, text, len(text.splitlines()))
    if kind == "number" and text.isascii() and text.isdecimal() and len(text) < 20:
        text = f"{number(int(text))} {unit}".rstrip()
    return OrderedField(name, label, f"@{text}" if kind == "name" else text, 0)

"""The fields of a service type that an order was placed with, as a person reads them."""

from collections.abc import Mapping
from typing import NamedTuple

from orders.rules.service_types import DRIP_FEED, FIELDS, Field
from panel.format.numbers import number

LONG_CHARACTERS = 200  # a longer text stands in a box of its own
NUMBER_DIGITS = 20  # a number with as many digits or more is shown as it was sent
SHOWN_ELSEWHERE = frozenset(("service", "link", "quantity", *DRIP_FEED, "coupon"))  # the page shows these by itself


class OrderedField(NamedTuple):
    """One of the type's own fields in an order, as a person reads it."""

    name: str
    label: str  # empty when we do not know the field: then only its name is known
    text: str
    lines: int  # of a text that stands in a box of its own; 0 for a short text


def ordered_fields(body: Mapping[str, str]) -> list[OrderedField]:
    """The fields in an order's body that the page does not show elsewhere, short texts first."""
    fields = [ordered_field(name, str(text)) for name, text in body.items() if name not in SHOWN_ELSEWHERE]
    return sorted(fields, key=lambda field: bool(field.lines))


def ordered_field(name: str, text: str) -> OrderedField:
    """One field of a body: a number gets the reader's marks and its unit, a user name an @."""
    label, kind, _, unit = FIELDS.get(name, Field("", "line"))
    if kind == "lines" or "\n" in text or len(text) > LONG_CHARACTERS:
        return OrderedField(name, label, text, len(text.splitlines()))
    if kind == "number" and text.isascii() and text.isdecimal() and len(text) < NUMBER_DIGITS:
        text = f"{number(int(text))} {unit}".rstrip()
    return OrderedField(name, label, f"@{text}" if kind == "name" else text, 0)

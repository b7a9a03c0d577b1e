"""Reads what was typed for one order: from texts to the values that go to upstream, or a sentence beside each field.

The form of one order and the list of a mass order read by this, so that both say the same about the same mistake.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from django.core.exceptions import ValidationError

from catalog.models import Service
from catalog.networks import Network
from orders.placing.form_fields import INTERVAL, LARGEST_NUMBER, READERS, UNITS, read_user_name, read_whole
from orders.rules import links
from orders.rules.service_types import FIELDS, form_fields_of, service_type_of
from panel.format.numbers import number

LONGEST_INTERVAL_MINUTES = 7 * 24 * 60  # our own limit, against a slip of the finger; the supplier documents none


class Delivery(NamedTuple):
    """Where a service is delivered: on which network, and whether to a profile or to a post."""

    network: Network | None
    profile: bool
    post: bool


@lru_cache(maxsize=4_096)
def delivery_of(category: str, name: str) -> Delivery:
    """Where a service of this category and name is delivered."""
    about = (category, name)
    return Delivery(links.network_of(*about), links.wants_profile(*about), links.wants_post(*about))


class TypedOrder:
    """One order as typed, read for its service: `values` as they go to upstream, and `errors`: field → sentence.

    `values` has every field of FIELDS, None where nothing was asked or typed. `repeats`: the order exists already, so
    that later changes of its service do not matter.
    """

    def __init__(self, service: Service | None, typed: Mapping[str, str], *, repeats: bool = False) -> None:
        self.service, self.repeats = service, repeats
        self.values: dict[str, Any] = dict.fromkeys(FIELDS)
        self.errors: dict[str, str] = {}
        self.checkup = links.Checkup("")
        required = service_type_of(service).required if service else ()
        for name in form_fields_of(service):
            text = typed.get(name, "")
            if text or name in required or name in ("link", "interval"):
                try:
                    self.values[name] = self._value(name, text)
                except ValidationError as error:
                    self.errors[name] = str(error.message)
        if service is not None:
            self._read_quantity(service)

    def _value(self, name: str, text: str) -> Any:
        """The field's value as it goes to upstream. Raises a ValidationError with a sentence for the person."""
        service = self.service
        if name == "link":
            return self._link(text)
        if name == "username":
            return read_user_name(text, delivery_of(service.category, service.name).network if service else None)
        if name == "interval":
            return self._interval(text)
        if name in ("min", "max") and service:
            return self._bound(name, text, service)
        return READERS[name](text)

    def _link(self, text: str) -> str:
        to = delivery_of(self.service.category, self.service.name) if self.service else delivery_of("", "")
        self.checkup = links.check(text, to.network, profile=to.profile, post=to.post)
        if self.checkup.refused:
            raise ValidationError(self.checkup.refused)
        return self.checkup.link

    def _interval(self, text: str) -> int | None:
        if not self.values["runs"]:
            if text and "runs" not in self.errors:
                raise ValidationError("Minutes between runs need at least 2 runs.")
            return None
        if not text:
            raise ValidationError(INTERVAL.question)
        return read_whole(text, 1, LONGEST_INTERVAL_MINUTES, INTERVAL)

    def _bound(self, name: str, text: str, service: Service) -> int:
        bound = read_whole(text, 1, LARGEST_NUMBER, UNITS)
        if not self.repeats and (why := service.outside(bound)):
            raise ValidationError(why)
        least = self.values["min"] if name == "max" else None
        if least and bound < least:
            raise ValidationError(f"The most per post is below the least, {number(least)}.")
        return bound

    def _read_quantity(self, service: Service) -> None:
        terms = service_type_of(service)
        name = terms.counts or "quantity"
        text = self.values[name] or ""
        quantity: int | None
        if terms.counts:
            quantity = len(text.splitlines())
            why = "" if name in self.errors else service.outside(quantity)
        elif "quantity" in terms.required or text:
            quantity, why = service.read_quantity(text)
        else:
            quantity, why = (service.least if service.bought_whole else None), ""
        if why and not (self.repeats and quantity):
            self.errors[name] = why
        self.values["quantity"] = quantity

    # ── What comes of it ─────────────────────────────────────────────────────────────────────────
    @property
    def target(self) -> str:
        """Where it is delivered: the link, or @name where a type asks for a name instead; "" while neither is right."""
        name = self.values["username"]
        return self.values["link"] or (f"@{name}" if name else "")

    @property
    def fields(self) -> dict[str, str]:
        """The service type's own fields, such as `comments`, as they are sent; for an order without errors only."""
        own = [name for name in service_type_of(self.service).fields if name not in ("link", "quantity", "other")]
        fields = {name: str(self.values[name]) for name in own if self.values[name] is not None}
        return {**fields, **(self.values["other"] or {})}

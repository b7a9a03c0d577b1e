"""The order form: what a person typed, checked against the service's own terms and against what the person saw."""

import json
import uuid
from collections.abc import Iterable
from decimal import Decimal
from typing import Any, cast

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils import timezone
from django.utils.functional import cached_property

from catalog.models import Service
from catalog.service_list import service_with_id
from orders.models import Order
from orders.placing.form_fields import LARGEST, READERS, whole
from orders.placing.place import similar_orders
from orders.rules import links
from orders.rules.service_types import DRIP_FEED, FIELDS, ServiceType, form_fields_of, may_drip, service_type_of
from panel.format.money import money
from panel.format.numbers import number
from panel.web.params import read_number

MOST_RUNS = 1000  # ours, against a slip of the finger; the supplier documents no limit
LONGEST_INTERVAL = 7 * 24 * 60  # minutes; likewise

INCOMPLETE = "This form is incomplete. Load the page again."
UNSEEN = "This form did not say which price it showed. Nothing was sent. Look at the receipt and place it again."
MOVED = "The terms of this service moved while the form was open. Nothing was sent. Place it again to agree to the new."


def _line() -> forms.CharField:
    return forms.CharField(required=False)


class OrderForm(forms.Form):
    """One order. `token` makes a double click, F5 and Back the same order.

    `seen` are the terms that stood on the page; `shown` the oddities of the link that did; `again` the newest similar
    order that the person was shown and ticked, and `despite_hold` the hold.
    """

    service = forms.CharField(error_messages={"required": "Choose a service."})
    link, quantity, comments, usernames, answer_number = _line(), _line(), _line(), _line(), _line()
    username, min, max, posts, old_posts, delay, expiry = (_line() for _ in range(7))
    other, runs, interval, coupon = _line(), _line(), _line(), _line()
    again = forms.CharField(required=False, label="The same again")
    despite_hold = forms.CharField(required=False, label="The hold")
    # A browser sends "0", and "1" after it when the tick is set; a form that knows no such tick says nothing.
    send_when_funded = _line()
    token = forms.UUIDField(widget=forms.HiddenInput, error_messages=dict.fromkeys(("required", "invalid"), INCOMPLETE))

    TYPED = ("service", *FIELDS)
    KEPT = (*TYPED, "token", "q", "again", "despite_hold", "send_when_funded")

    def __init__(self, data: Any = None, *, repeats: bool = False, **options: Any) -> None:
        """`repeats`: this form's order exists, so that what moved since is no matter."""
        super().__init__(data, **options)
        self.repeats = repeats
        self.checkup = links.Checkup("")
        self.similar: list[Order] = []
        self.moved: list[tuple[str, str, str]] = []  # what, was, is
        for name, field in FIELDS.items():
            self.fields[name].label = field.label

    @classmethod
    def blank(cls, typed: Any) -> "OrderForm":
        """A new form with what the address already says, and a token of its own unless it has one."""
        said = {name: typed.get(name, "") for name in cls.KEPT if name in cls.base_fields}
        return cls(initial={**said, "token": said["token"] or uuid.uuid4()})

    @staticmethod
    def fields_of(order: Order) -> dict[str, str]:
        """What is to be typed for the same once more; a coupon is not asked for again."""
        asked = {name: value for name, value in order.body.items() if name in FIELDS and name != "coupon"}
        others = {name: value for name, value in order.body.items() if name not in (*FIELDS, "service")}
        other = [f"{name}: {line}" for name, value in others.items() for line in value.splitlines()]
        return {**asked, "service": str(order.service.upstream_id), "other": "\n".join(other)}

    def clean_service(self) -> Service:
        service = service_with_id(self.cleaned_data["service"])
        if service is None:
            raise ValidationError("There is no such service. Choose one from the list.")
        if (why := service.why_no_order()) and not self.repeats:
            raise ValidationError(why)
        return service

    def clean(self) -> dict[str, Any]:
        """Every field that the chosen service asks for, in its limits; then what the person must have seen."""
        said = self.cleaned_data
        service = said.get("service")
        asked = form_fields_of(service)
        required = service_type_of(service).required if service else ()
        for name in FIELDS:
            text = said.get(name, "") if name in asked else ""
            said[name] = None
            if name in asked and (text or name in required or name in ("link", "interval")):
                self._read(name, text, service)
        if service is not None:
            self._read_quantity(service)
            if not self.repeats:
                self._lock_price(service)
                self._heed_hold(service)
                self._look_for_alike(service)
                self._warn_of_link()
        return said

    # ── Each field ───────────────────────────────────────────────────────────────────────────────
    def _read(self, name: str, text: str, service: Service | None) -> None:
        try:
            self.cleaned_data[name] = self._value(name, text, service)
        except ValidationError as no:
            self.add_error(name, no)

    def _value(self, name: str, text: str, service: Service | None) -> Any:
        """The field's value as it goes to upstream; ValidationError with the sentence for the person."""
        if name == "link":
            return self._link(text, service)
        if name == "quantity":
            return text  # by the service, later: it may be counted instead
        if name == "interval":
            return self._interval(text)
        if name == "runs":
            runs = whole(text, 1, MOST_RUNS, "runs")
            return runs if runs > 1 else None
        if name in ("min", "max") and service:
            return self._bound(name, text, service)
        return READERS[name](text)

    def _link(self, text: str, service: Service | None) -> str:
        about = (service.category, service.name) if service else ("", "")
        self.checkup = links.check(text, links.network_of(*about), profile=links.wants_profile(*about))
        if self.checkup.refused:
            raise ValidationError(self.checkup.refused)
        return self.checkup.link

    def _interval(self, text: str) -> int | None:
        runs = self.cleaned_data.get("runs")
        if not runs:
            if text and "runs" not in self.errors:
                raise ValidationError("Minutes between runs need at least 2 runs.")
            return None
        if not text:
            raise ValidationError("How many minutes between the runs?")
        return whole(text, 1, LONGEST_INTERVAL, "minutes")

    def _bound(self, name: str, text: str, service: Service) -> int:
        bound = whole(text, 1, LARGEST, "units a post")
        if not self.repeats and (why := service.outside(bound)):
            raise ValidationError(why)
        least = self.cleaned_data.get("min") if name == "max" else None
        if least and bound < least:
            raise ValidationError(f"The most per post is below the least, {number(least)}.")
        return bound

    def _read_quantity(self, service: Service) -> None:
        said, terms = self.cleaned_data, service_type_of(service)
        quantity: int | None
        if terms.counts:
            quantity = len((said.get(terms.counts) or "").splitlines())
            why, name = service.outside(quantity) if terms.counts not in self.errors else "", terms.counts
        elif "quantity" not in terms.required and not said.get("quantity"):
            quantity, why, name = (service.minimum if service.bought_whole else None), "", "quantity"
        else:
            quantity, why = service.read_quantity(said.get("quantity") or "")
            name = "quantity"
        said["quantity"] = quantity
        if why and not (self.repeats and quantity):
            self.add_error(name, why)
            said["quantity"] = quantity

    # ── What the person must have seen ───────────────────────────────────────────────────────────
    def _seen(self, service: Service) -> list[dict[str, str]]:
        """The terms of this service that stood on the page, in the picker and in the receipt."""
        return [terms for value in self._all("seen") if (terms := read_seen(value, service)) is not None]

    def _lock_price(self, service: Service) -> None:
        seen, now = self._seen(service), service.terms
        if not seen:
            self.add_error(None, UNSEEN)
        for terms in seen:
            moved = (what for what in now if terms.get(what) != now[what])
            self.moved += [
                (what, term_in_words(what, terms.get(what, "?")), term_in_words(what, now[what])) for what in moved
            ]
        self.moved = list(dict.fromkeys(self.moved))
        if self.moved:
            self.add_error(None, MOVED)

    def _heed_hold(self, service: Service) -> None:
        if service.held_over_id and read_number(self.data.get("despite_hold")) != service.held_over_id:
            self.add_error("despite_hold", service.why_held())

    def _look_for_alike(self, service: Service) -> None:
        link = self.target
        self.similar = similar_orders(service, link, timezone.now()) if link else []
        if self.similar and read_number(self.data.get("again")) < self.similar[0].pk:
            self.add_error("again", "The same was ordered lately. Say that you want it once more, or leave it.")

    def _warn_of_link(self) -> None:
        if any(odd not in self.shown_oddities for odd in self.checkup.odd):
            self.add_error("link", f"{' '.join(self.checkup.odd)} If that is right, place it again.")

    @property
    def shown_oddities(self) -> list[str]:
        """The oddities of the link that stood on the page."""
        return self._all("shown")

    def _all(self, name: str) -> list[str]:
        return cast(QueryDict, self.data).getlist(name)

    # ── What comes of it ─────────────────────────────────────────────────────────────────────────
    @property
    def target(self) -> str:
        """Where it is delivered: the link, or @name where a type takes a name instead."""
        name = self.cleaned_data.get("username")
        return self.cleaned_data.get("link") or (f"@{name}" if name else "")

    @property
    def order(self) -> dict[str, Any]:
        """What `place` takes, besides who asks."""
        said, service = self.cleaned_data, self.cleaned_data["service"]
        others = {"link", "quantity", "other", "coupon", *DRIP_FEED}
        fields = {
            name: str(said[name]) for name in form_fields_of(service) if name not in others and said[name] is not None
        }
        return {
            "service": service, "link": self.target, "quantity": said["quantity"], "token": said["token"],
            "runs": said["runs"], "interval": said["interval"], "coupon": said["coupon"] or "",
            "fields": {**fields, **(said["other"] or {})}, "send_when_funded": self.sends_when_funded,
            "despite_hold": bool(said["despite_hold"]),
        }  # fmt: skip

    def error_in(self, names: Iterable[str]) -> str:
        """The first thing wrong with one of these fields although something was typed there."""
        typed = (name for name in names if name in self.errors and str(self.data.get(name, "")).strip())
        return next((str(self.errors[name][0]) for name in typed), "")

    @property
    def sends_when_funded(self) -> bool:
        """Only an unticked box says no."""
        return str(self["send_when_funded"].value()) != "0"

    @property
    def shown_fields(self) -> tuple[str, ...]:
        """The fields to show, by the chosen service."""
        return form_fields_of(self.chosen_service)

    @property
    def carried_fields(self) -> list[str]:
        """Fields that this service does not ask for, and that hold something: they go along, for another choice."""
        return [name for name in FIELDS if name not in self.shown_fields and self[name].value()]

    @property
    def fields_version(self) -> str:
        """Changes when a choice asks for other fields."""
        return f"{service_type_of(self.chosen_service).fields}{self.may_drip}"

    @property
    def service_type(self) -> ServiceType:
        return service_type_of(self.chosen_service)

    @cached_property
    def chosen_service(self) -> Service | None:
        return service_with_id(str(self["service"].value() or ""))

    @property
    def may_drip(self) -> bool:
        return may_drip(self.chosen_service)


def read_seen(value: str, service: Service) -> dict[str, str] | None:
    """What a form carried of this service; None when it is of another, or unreadable."""
    try:
        said = json.loads(value)
    except (ValueError, RecursionError):
        return None
    if not isinstance(said, dict) or said.pop("service", None) != service.upstream_id:
        return None
    return {str(what): str(was)[:100] for what, was in said.items()}


def term_in_words(what: str, value: str) -> str:
    """One of a service's terms for a person; what a form sent may be anything."""
    if what in ("minimum", "maximum") and value.isascii() and value.isdecimal():
        return number(int(value))
    try:
        return money(Decimal(value)) if what == "rate" else value
    except ArithmeticError:
        return value


# ── Readers: text as typed → what goes to upstream; ValidationError with the sentence for the person ──

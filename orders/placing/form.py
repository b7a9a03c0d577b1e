"""The order form: what a person typed, checked against the service's terms and against what the person was shown."""

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

from accounts.desk_settings import current
from catalog.models import SEALED, Service
from catalog.service_list import service_with_id
from orders.customers.change import cleaned_reference
from orders.customers.find import ABOVE_CREDIT, Credit, credit_of, find_customer
from orders.models import Customer, Order
from orders.placing.form_fields import TypedOrder
from orders.placing.place import similar_orders
from orders.rules import links
from orders.rules.refusal import Refusal
from orders.rules.service_types import FIELDS, ServiceType, form_fields_of, may_drip, service_type_of
from orders.selling.prices import Sale, sale_of
from panel.format.money import HIDDEN, money, sees_money, stored
from panel.format.numbers import number
from panel.web.params import read_number

SEEN_TERM_CHARACTERS = 100  # of each term that a form says it showed; a form may say anything

INCOMPLETE_FORM = "This form is incomplete. Load the page again."
UNSEEN_TERMS = "This form did not say which price it showed. Nothing was sent. Look at the receipt and place it again."
MOVED_TERMS = (
    "The terms of this service moved while the form was open. Nothing was sent. Place it again to agree to the new."
)


class OrderForm(forms.Form):
    """One order as a person types it. It has every field of FIELDS; only those of the chosen service are read.

    `token` makes a double click, F5 and Back lead to the same order. `seen` holds the service's terms that stood on
    the page. What the person was shown and ticked: `again` is the newest similar order, `despite_hold` the hold,
    `despite_unread` the row that could not be read, `despite_price` the rise of the rate that nobody has decided about,
    and `despite_doubt` the link with what looks odd about it.
    """

    service = forms.CharField(error_messages={"required": "Choose a service."})
    again = forms.CharField(required=False, label="The same again")
    despite_hold = forms.CharField(required=False, label="The hold")
    despite_doubt = forms.CharField(required=False, label="The link")
    despite_unread = forms.CharField(required=False, label="The row that cannot be read")
    despite_price = forms.CharField(required=False, label="The price")
    # Whom it is for, by name, and what they call it by; nothing of it goes upstream.
    customer = forms.CharField(required=False, label="Customer")
    customer_reference = forms.CharField(required=False, label="Their reference")
    despite_credit = forms.CharField(required=False, label="The credit limit")
    # A browser sends "0", and "1" after it when the box is ticked; an old tab, which has no such box, sends nothing.
    send_when_funded = forms.CharField(required=False)
    # Of an order above the person's limits: the press that asks for approval, and why it is needed.
    ask = forms.CharField(required=False)
    reason = forms.CharField(required=False, label="Why it is needed")
    token = forms.UUIDField(
        widget=forms.HiddenInput, error_messages=dict.fromkeys(("required", "invalid"), INCOMPLETE_FORM)
    )

    KEPT_FIELDS = (
        "service", *FIELDS, "token", "q", "again",
        "despite_hold", "despite_unread", "despite_price", "despite_doubt", "send_when_funded", "reason",
        "customer", "customer_reference", "despite_credit",
    )  # fmt: skip

    def __init__(self, data: Any = None, *, repeats: bool = False, **options: Any) -> None:
        """`repeats`: this form's order exists already, so that later changes of its service do not matter."""
        super().__init__(data, **options)
        self.fields |= {name: forms.CharField(required=False, label=field.label) for name, field in FIELDS.items()}
        self.order_fields(("service", *FIELDS))
        self.repeats = repeats
        self.checkup = links.Checkup("")
        self.read = TypedOrder(None, {})
        self.similar: list[Order] = []
        self.moved: list[tuple[str, str, str]] = []  # what, was, is
        self.sale: Sale | None = None  # what the customer pays; None where no rule makes a price
        self.credit: Credit | None = None

    @classmethod
    def blank(cls, typed: Any) -> "OrderForm":
        """An unsent form that holds what is typed already, and a new token unless it has one."""
        initial = {name: typed.get(name, "") for name in cls.KEPT_FIELDS}
        return cls(initial={**initial, "token": initial["token"] or uuid.uuid4()})

    @staticmethod
    def fields_of(order: Order) -> dict[str, str]:
        """What to type for the same order again, by name of field. Leaves out the coupon, which is asked for anew."""
        asked = {name: value for name, value in order.body.items() if name in FIELDS and name != "coupon"}
        others = {name: value for name, value in order.body.items() if name not in (*FIELDS, "service")}
        other = [f"{name}: {line}" for name, value in others.items() for line in value.splitlines()]
        for_whom = {"customer": order.customer.name if order.customer else ""}
        return {**asked, **for_whom, "service": str(order.service.upstream_id), "other": "\n".join(other)}

    def clean_service(self) -> Service:
        """The chosen service, in place of its id. A repeated form is accepted even if its service has gone since."""
        service = self.chosen_service
        if service is None:
            raise ValidationError("There is no such service. Choose one from the list.")
        if (why := service.why_no_order()) and not self.repeats:
            raise ValidationError(why)
        return service

    def clean_customer(self) -> Customer | None:
        """The customer of this name. A name that nobody has is an error: nobody is added silently."""
        try:
            return find_customer(self.cleaned_data["customer"])
        except Refusal as refusal:
            raise ValidationError(str(refusal)) from None

    def clean_customer_reference(self) -> str:
        """What they call it by, on one line."""
        try:
            return cleaned_reference(self.cleaned_data["customer_reference"])
        except Refusal as refusal:
            raise ValidationError(str(refusal)) from None

    def clean(self) -> dict[str, Any]:
        """Reads every field that the chosen service asks for, then checks what the person must have been shown."""
        cleaned = self.cleaned_data
        service = cleaned.get("service")
        typed = {name: cleaned.get(name, "") for name in form_fields_of(service)}
        self.read = TypedOrder(service, typed, repeats=self.repeats)
        self.checkup = self.read.checkup
        cleaned.update(self.read.values)
        for name, why in self.read.errors.items():
            self.add_error(name, why)
        if service is not None:
            cleaned["quantity"] = self.read.values["quantity"]  # also one that is too small or too large
            if not self.repeats:
                self._lock_price(service)
                self._heed_hold(service)
                self._find_similar(service)
                self._doubt_link()
                self._heed_credit(service)
        return cleaned

    # ── What the person must have been shown ─────────────────────────────────────────────────────
    def _lock_price(self, service: Service) -> None:
        # The terms stood in the picker and in the receipt; the person may have looked at either.
        all_seen = [terms for text in self._values("seen") if (terms := read_seen(text, service)) is not None]
        moved = (
            (what, term_in_words(what, seen.get(what, "?")), term_in_words(what, now))
            for seen in all_seen
            for what, now in service.terms.items()
            if seen.get(what) != now
        )
        self.moved = list(dict.fromkeys(moved))
        if not all_seen:
            self.add_error(None, UNSEEN_TERMS)
        if self.moved:
            self.add_error(None, MOVED_TERMS)

    def _heed_hold(self, service: Service) -> None:
        if service.held_over_id and read_number(self.data.get("despite_hold")) != service.held_over_id:
            self.add_error("despite_hold", service.why_held())
        if service.unread_mark and self.data.get("despite_unread") != service.unread_mark:
            self.add_error("despite_unread", service.why_unread())
        dearer = service.why_dearer(current().price_jump_percent)
        if dearer and self.data.get("despite_price") != service.price_mark:
            self.add_error("despite_price", dearer)

    def _find_similar(self, service: Service) -> None:
        self.similar = similar_orders(service, self.target, timezone.now()) if self.target else []
        if self.similar and read_number(self.data.get("again")) < self.similar[0].pk:
            self.add_error("again", "The same was ordered lately. Say that you want it once more, or leave it.")

    def _doubt_link(self) -> None:
        if self.checkup.odd and self.data.get("despite_doubt") != self.checkup.doubt:
            self.add_error("despite_doubt", "Look at the link. Say that it is right, or write another.")

    def _heed_credit(self, service: Service) -> None:
        customer, quantity, runs = (self.cleaned_data.get(name) for name in ("customer", "quantity", "runs"))
        charge = service.expected_charge(quantity, runs or 1) if quantity else None
        self.sale = sale_of(customer, service, stored(charge)) if charge is not None else None
        self.credit = credit_of(customer, self.sale.price if self.sale else None)
        if self.credit and self.credit.is_above and self.data.get("despite_credit") != str(self.credit.customer.pk):
            self.add_error("despite_credit", ABOVE_CREDIT.format(customer=self.credit.customer))

    def _values(self, name: str) -> list[str]:
        return cast(QueryDict, self.data).getlist(name)

    # ── What comes of it ─────────────────────────────────────────────────────────────────────────
    @property
    def target(self) -> str:
        """Where it is delivered: the link, or @name where a type asks for a name instead; "" while neither is right."""
        return self.read.target

    @property
    def order(self) -> dict[str, Any]:
        """The arguments of `place`, all but `by`; for a valid form only."""
        cleaned, service = self.cleaned_data, self.cleaned_data["service"]
        return {
            "service": service, "link": self.target, "quantity": cleaned["quantity"], "token": cleaned["token"],
            "runs": cleaned["runs"], "interval": cleaned["interval"], "coupon": cleaned["coupon"] or "",
            "fields": self.read.fields, "send_when_funded": self.sends_when_funded,
            "despite_hold": bool(cleaned["despite_hold"]), "despite_unread": bool(cleaned["despite_unread"]),
            "despite_price": bool(cleaned["despite_price"]), "ask": bool(cleaned["ask"]),
            "reason": cleaned["reason"], "customer": cleaned["customer"],
            "customer_reference": cleaned["customer_reference"], "despite_credit": bool(cleaned["despite_credit"]),
        }  # fmt: skip

    def error_in(self, names: Iterable[str]) -> str:
        """The first error in one of these fields, or "". A field in which nothing was typed does not count."""
        typed = (name for name in names if name in self.errors and str(self.data.get(name, "")).strip())
        return next((str(self.errors[name][0]) for name in typed), "")

    @property
    def sends_when_funded(self) -> bool:
        """Whether the order is sent by itself when the balance covers it: always, unless its box was unticked."""
        return str(self["send_when_funded"].value()) != "0"

    @property
    def shown_fields(self) -> tuple[str, ...]:
        """Names of the fields that the chosen service asks for, in the order of the page."""
        return form_fields_of(self.chosen_service)

    @property
    def carried_fields(self) -> list[str]:
        """Names of filled fields that this service does not ask for. The page keeps them for another choice."""
        return [name for name in FIELDS if name not in self.shown_fields and self[name].value()]

    @property
    def fields_version(self) -> str:
        """A text that changes when another choice of service asks for other fields."""
        return f"{self.service_type.fields}{may_drip(self.chosen_service)}"

    @property
    def service_type(self) -> ServiceType:
        """The type of the chosen service; the usual type before a choice."""
        return service_type_of(self.chosen_service)

    @cached_property
    def chosen_service(self) -> Service | None:
        """The service whose id the form holds, valid or not, or None. Asks the database once."""
        return service_with_id(str(self["service"].value() or ""), Service.objects.with_undecided())


def read_seen(text: str, service: Service) -> dict[str, str] | None:
    """The terms of this service that a form says it showed. None when they are another service's, or unreadable."""
    try:
        seen = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(seen, dict) or seen.pop("service", None) != service.upstream_id:
        return None
    return {str(what): str(value)[:SEEN_TERM_CHARACTERS] for what, value in seen.items()}


def term_in_words(what: str, value: str) -> str:
    """One of a service's terms as a person reads it. A value that no service could have is returned as it is."""
    if what in ("minimum", "maximum") and value.isascii() and value.isdecimal():
        return number(int(value))
    if what == "rate" and (value.startswith(SEALED) or not sees_money()):
        return HIDDEN
    try:
        return money(Decimal(value)) if what == "rate" else value
    except ArithmeticError:
        return value

"""Adding and changing customers, writing down what they paid, and for whom an order is.

Of what is personal the trail never gets the value, only the customer's number and which fields changed.
"""

import uuid
from decimal import Decimal
from typing import Any, NamedTuple

from django.db import IntegrityError, transaction

from accounts.trail.record import record_change, what_changed
from orders.models import Customer, Order, Payment, PriceList
from orders.models.customer import REFERENCE_CHARACTERS
from orders.rules.links import with_reference
from orders.rules.refusal import Refusal, require_allowed
from panel.format.letters import folded
from panel.format.locale import for_the_record
from panel.format.money import money

PERSONAL = {"name": "the name", "contact": "the contact", "note": "the note"}
TERMS = {
    "language": "the language",
    "time_zone": "the time zone",
    "price_list": "the price list",
    "credit_limit": "the credit limit",
}
ERASED_ALREADY = "What was kept of this customer is erased. Nothing can be changed any more."


class Details(NamedTuple):
    """All that people write down of a customer."""

    name: str
    contact: str = ""
    note: str = ""
    language: str = ""
    price_list: PriceList | None = None
    credit_limit: Decimal | None = None
    time_zone: str = ""

    @classmethod
    def of(cls, customer: Customer) -> "Details":
        """Those of a customer in the register."""
        return cls(*(getattr(customer, name) for name in cls._fields))

    @property
    def columns(self) -> dict[str, Any]:
        """The same as columns of a Customer."""
        key = folded(self.name)
        return {**self._asdict(), "key": key, "search_text": folded(f"{self.name} {self.contact}")}

    @property
    def terms(self) -> dict[str, str]:
        """What of it is not personal, in words for the trail."""
        limit = "" if self.credit_limit is None else money(self.credit_limit)
        return {
            "language": self.language, "time_zone": self.time_zone, "price_list": str(self.price_list or ""),
            "credit_limit": limit,
        }  # fmt: skip


def add_customer(details: Details, *, by: Any) -> Customer:
    """Adds a customer. Raises a Refusal if one has this name already, in any letters."""
    require_allowed(by, "customers")
    require_name(details)
    try:
        with transaction.atomic():
            customer = Customer.objects.create(**details.columns, created_by=by)
            record_customer("customer_added", customer, by=by)
    except IntegrityError:
        raise Refusal(why_taken(details)) from None
    return customer


def change_customer(customer: Customer, details: Details, *, by: Any) -> bool:
    """Changes what is written down of a customer; returns whether anything changed."""
    require_allowed(by, "customers")
    require_name(details)
    try:
        with transaction.atomic():
            kept = locked(customer)
            before = Details.of(kept)
            names = [name for name in Details._fields if getattr(before, name) != getattr(details, name)]
            if not names:
                return False
            for name, value in details.columns.items():
                setattr(kept, name, value)
            kept.save(update_fields=[*details.columns])
            what = ", ".join((PERSONAL | TERMS)[name] for name in names)
            with for_the_record():
                moved = what_changed(before.terms, details.terms)
            record_customer("customer_changed", customer, by=by, what=what, **(moved if moved["after"] else {}))
    except IntegrityError:
        raise Refusal(why_taken(details)) from None
    return True


def require_name(details: Details) -> None:
    """Raises a Refusal unless the customer has a name that can be found again."""
    if not folded(details.name):
        raise Refusal("Write the customer’s name.")


def why_taken(details: Details) -> str:
    """The sentence about a name that another customer has."""
    other = Customer.objects.named(details.name)
    return f"There is a customer called “{other or details.name}” already. Give this one another name."


def locked(customer: Customer) -> Customer:
    """The customer's row, locked. Raises a Refusal if it was erased."""
    kept = Customer.objects.select_for_update(of=("self",)).select_related("price_list").get(pk=customer.pk)
    if kept.erased_at:
        raise Refusal(ERASED_ALREADY)
    return kept


def record_customer(kind: str, customer: Customer, *, by: Any, **columns: Any) -> None:
    """Writes a line about a customer, who is named by number alone: lines are never erased."""
    record_change(kind, by=by, thing="customer", thing_id=customer.pk, label=str(customer.pk), **columns)


def add_payment(customer: Customer, amount: Decimal, token: uuid.UUID, *, by: Any) -> Payment:
    """Writes down what a customer paid; below zero takes a mistake back. The same token returns the same payment."""
    require_allowed(by, "customers")
    require_allowed(by, "money")
    if earlier := Payment.objects.filter(form_token=token).first():
        return earlier
    if not amount:
        raise Refusal("Write what they paid. Nothing is no payment.")
    try:
        with transaction.atomic():
            payment = Payment.objects.create(customer=locked(customer), amount=amount, by=by, form_token=token)
            with for_the_record():
                paid = {"payment": money(amount)}
            record_customer("customer_paid", customer, by=by, before={}, after=paid)
    except IntegrityError:  # the same form, sent at the same moment
        return Payment.objects.get(form_token=token)
    return payment


def set_customer(order: Order, customer: Customer | None, reference: str, *, by: Any) -> bool:
    """Sets whom an order is for and what they call it by. Its selling price stays. Returns whether anything changed."""
    require_allowed(by, "customers")
    reference = cleaned_reference(reference)
    with transaction.atomic():
        kept = Order.objects.select_for_update(no_key=True, of=("self",)).get(pk=order.pk)
        moved: dict[str, Any] = {}
        if kept.customer_id != (customer and customer.pk):
            moved["customer"] = customer
            order.record("for_customer", by=by, whom=f"customer {customer.pk}" if customer else "nobody in particular")
        if kept.customer_reference != reference:
            search_text = with_reference(kept.haystack, kept.customer_reference, reference)
            moved |= {"customer_reference": reference, "haystack": search_text}
            order.record("their_reference", by=by)
        if moved:
            kept.change(**moved)
    return bool(moved)


def cleaned_reference(text: str) -> str:
    """A reference on one line. Raises a Refusal for one that is too long to be kept."""
    reference = " ".join(text.replace("\0", " ").split())
    if len(reference) > REFERENCE_CHARACTERS:
        raise Refusal(f"At most {REFERENCE_CHARACTERS} characters; this reference has {len(reference)}.")
    return reference

"""The forms of a customer, and of a payment."""

from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from accounts.desk_settings import read_limit, read_number, typed
from accounts.preferences import ZoneField
from orders.answers.texts import known_languages
from orders.customers.change import Details
from orders.models import Customer, PriceList
from orders.models.customer import CONTACT_CHARACTERS, NAME_CHARACTERS, NOTE_CHARACTERS

SUM_CHARACTERS = 30
MOST_PAID = 1_000_000
TOO_LONG = {"max_length": "At most %(limit_value)d characters; these are %(show_value)d."}


class OptionalZone(ZoneField):
    """A time zone, or none."""

    def __init__(self, label: str, help_text: str) -> None:
        super().__init__(label)
        self.required = self.widget.is_required = False
        self.help_text = help_text

    def clean(self, value: Any) -> str:
        """The zone's name, "" for none."""
        return super().clean(value) if str(value or "").strip() else ""


class CustomerForm(forms.Form):
    """A customer as a person types it."""

    name = forms.CharField(
        label="Name", max_length=NAME_CHARACTERS, error_messages={"required": "Write the customer’s name.", **TOO_LONG}
    )
    contact = forms.CharField(
        label="Contact", required=False, max_length=CONTACT_CHARACTERS, error_messages=TOO_LONG,
        help_text="An address or a handle, as you write to them.",
    )  # fmt: skip
    language = forms.ChoiceField(
        label="Language of their answers", required=False,
        error_messages={"invalid_choice": "This language cannot be chosen. Choose one of those shown."},
    )  # fmt: skip
    time_zone = OptionalZone("Time zone", "Orders that are planned for them go by it. Empty: the desk’s.")
    price_list = forms.ModelChoiceField(
        PriceList.objects, label="Price list", required=False, empty_label="none",
        error_messages={"invalid_choice": "There is no such price list any more. Choose one that is shown."},
    )  # fmt: skip
    credit_limit = forms.CharField(
        label="Credit limit, US dollars", required=False, max_length=SUM_CHARACTERS,
        help_text="An order that would let them owe more asks for a yes. Empty: no limit.",
    )  # fmt: skip
    note = forms.CharField(
        label="Note", required=False, max_length=NOTE_CHARACTERS, error_messages=TOO_LONG,
        widget=forms.Textarea(attrs={"rows": 4}), help_text="For the team alone.",
    )  # fmt: skip

    def __init__(self, data: Any = None, *, customer: Customer | None = None, prices: bool, money: bool) -> None:
        """`prices`: whether the person may choose a price list; `money`: whether they see and set a credit limit."""
        self.customer = customer
        initial: dict[str, Any] = Details.of(customer)._asdict() if customer else {}
        initial["credit_limit"] = typed(initial.get("credit_limit"))
        super().__init__(data, initial=initial)
        choices = [("", "as the team chooses"), *known_languages().items()]
        self.fields["language"].choices = choices  # type: ignore[attr-defined]
        hidden = [name for name, shown in (("price_list", prices), ("credit_limit", money)) if not shown]
        for name in hidden:
            del self.fields[name]

    def clean_name(self) -> str:
        """The name on one line, without blanks around it."""
        return " ".join(str(self.cleaned_data["name"]).split())

    def clean_credit_limit(self) -> Decimal | None:
        """A sum in dollars; None for an empty field."""
        try:
            return read_limit(self.cleaned_data["credit_limit"])
        except ValueError as wrong:
            raise ValidationError(str(wrong)) from None

    @property
    def details(self) -> Details:
        """What is to be written down; what the person does not see stays as it is."""
        kept = Details.of(self.customer)._asdict() if self.customer else {}
        return Details(**{**kept, **self.cleaned_data})


class PaymentForm(forms.Form):
    """What a customer paid."""

    amount = forms.CharField(
        label="They paid, US dollars", max_length=SUM_CHARACTERS,
        error_messages={"required": "Write what they paid, such as 25."},
    )  # fmt: skip
    token = forms.UUIDField(widget=forms.HiddenInput)

    def clean_amount(self) -> Decimal:
        """The sum; with a minus before it, one that takes a mistake back."""
        text = self.cleaned_data["amount"].strip().replace("−", "-")
        try:
            amount = read_number(0, MOST_PAID)(text.removeprefix("-"))
        except ValueError as wrong:
            raise ValidationError(str(wrong)) from None
        return -amount if text.startswith("-") else amount

"""The form of one rule of selling prices: for whom, for what, and how the price is made."""

from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from accounts.desk_settings import read_number
from catalog.models import Service
from catalog.service_list import service_with_id
from orders.models import Customer, PriceList

NUMBER_CHARACTERS = 30
MOST_PERCENT, MOST_DOLLARS = 10_000, 1_000_000


class RuleForm(forms.Form):
    """One rule as a person types it. Fields that say for whom and what may stay empty: then it is for all."""

    customer = forms.CharField(label="Customer", required=False, max_length=200)
    price_list = forms.ModelChoiceField(
        PriceList.objects, label="Price list", required=False, empty_label="none",
        error_messages={"invalid_choice": "There is no such price list any more. Choose one that is shown."},
    )  # fmt: skip
    service = forms.CharField(label="Service id", required=False, max_length=NUMBER_CHARACTERS)
    percent = forms.CharField(label="Percent on top of cost", required=False, max_length=NUMBER_CHARACTERS)
    plus = forms.CharField(label="Plus, US dollars an order", required=False, max_length=NUMBER_CHARACTERS)
    step = forms.CharField(label="Round up to, US dollars", required=False, max_length=NUMBER_CHARACTERS)

    def clean_customer(self) -> Customer | None:
        """The customer of this name."""
        name = self.cleaned_data["customer"]
        customer = Customer.objects.named(name)
        if name.strip() and customer is None:
            raise ValidationError("No customer has this name. Choose one of the list, or leave it empty for all.")
        return customer

    def clean_service(self) -> Service | None:
        """The service with this id."""
        text = self.cleaned_data["service"].strip()
        service = service_with_id(text) if text else None
        if text and service is None:
            raise ValidationError("There is no service with this id. Leave it empty for all services.")
        return service

    def clean_percent(self) -> Decimal:
        """Percent that are added to the cost; a negative number takes some off."""
        return self._number("percent", -90, MOST_PERCENT)

    def clean_plus(self) -> Decimal:
        """A sum that is added to each order."""
        return self._number("plus", 0, MOST_DOLLARS)

    def clean_step(self) -> Decimal:
        """What the price is rounded up to."""
        return self._number("step", 0, MOST_DOLLARS)

    def clean(self) -> dict[str, Any]:
        """A rule that adds nothing has been left empty by mistake."""
        cleaned = self.cleaned_data
        if cleaned.get("customer") and cleaned.get("price_list"):
            self.add_error("price_list", "A rule is for one customer or for a price list. Empty one of the two.")
        if not self.errors and not str(self.data.get("percent", "")).strip() and not cleaned.get("plus"):
            self.add_error("percent", "Write how much is added: 50 for half of the cost, 0 to sell at cost.")
        return cleaned

    def _number(self, name: str, least: int, most: int) -> Decimal:
        text = self.cleaned_data[name].strip().replace("−", "-")
        if not text:
            return Decimal(0)
        negative = text.startswith("-")
        try:
            value = read_number(0, most)(text.removeprefix("-"))
        except ValueError as wrong:
            raise ValidationError(str(wrong)) from None
        value = -value if negative else value
        if value < least:
            raise ValidationError(f"Not below {least}." if least else "Not below zero.")
        places = 2 if name == "percent" else 6
        if value != round(value, places):
            raise ValidationError(f"At most {places} decimals.")
        return value

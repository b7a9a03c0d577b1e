"""The form of one person's own limits. Each may be as the role's, none at all, or a sum."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from accounts.desk_settings import limit_words, plain, read_limit, typed
from orders.limits.check import OWN, own_limits

AS_ROLE, NONE, OWN_SUM = "role", "none", "own"
LABELS = {"order": "One order", "day": "A day"}
SUM_CHARACTERS = 30


class PersonLimitsForm(forms.Form):
    """For each limit a choice, and the sum where the person has one of their own."""

    def __init__(self, data: Any = None, *, kept: Mapping[str, str], usual: Mapping[str, Decimal | None]) -> None:
        own = own_limits(kept)
        initial: dict[str, str] = {}
        for name in OWN:
            initial[name] = AS_ROLE if name not in own else NONE if own[name] is None else OWN_SUM
            initial[f"{name}_sum"] = typed(own[name]) if own.get(name) is not None else ""
        super().__init__(data, initial=initial)
        for name in OWN:
            choices = [
                (AS_ROLE, f"As the role: {limit_words(usual[name])}"),
                (NONE, "No limit"),
                (OWN_SUM, "Their own"),
            ]
            self.fields[name] = forms.ChoiceField(label=LABELS[name], choices=choices)
            self.fields[f"{name}_sum"] = forms.CharField(
                label=f"{LABELS[name]}, in US dollars", required=False, max_length=SUM_CHARACTERS
            )

    def clean(self) -> dict[str, Any]:
        """Reads the sums of the limits that are the person's own."""
        for name in OWN:
            if self.cleaned_data.get(name) == OWN_SUM and f"{name}_sum" not in self.errors:
                try:
                    self.cleaned_data[f"{name}_sum"] = self._sum(self.cleaned_data.get(f"{name}_sum", ""))
                except ValidationError as wrong:
                    self.add_error(f"{name}_sum", wrong)
        return self.cleaned_data

    @staticmethod
    def _sum(text: str) -> Decimal:
        try:
            limit = read_limit(text)
        except ValueError as wrong:
            raise ValidationError(str(wrong)) from None
        if limit is None:
            raise ValidationError("Write the sum, or choose that there is no limit.")
        return limit

    @property
    def wanted(self) -> dict[str, str]:
        """The limits as they are kept on the account; for a valid form only."""
        kept = {}
        for name in OWN:
            choice = self.cleaned_data[name]
            if choice != AS_ROLE:
                kept[name] = plain(self.cleaned_data[f"{name}_sum"]) if choice == OWN_SUM else ""
        return kept

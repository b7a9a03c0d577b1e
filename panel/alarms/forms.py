"""Which alarms somebody wants to be told of, how, and when not."""

from typing import Any

from django import forms

from accounts.preferences import choose, zones
from panel.alarms.kinds import KINDS
from panel.alarms.models import Recipient

TIME_INPUT = forms.TimeInput(format="%H:%M", attrs={"type": "time"})
BOTH_ENDS = "Quiet hours have a beginning and an end: fill in both, or neither."


class ChoicesForm(forms.Form):
    """The names of its fields are the recipient's."""

    kinds = forms.MultipleChoiceField(
        label="Tell me of", choices=[(name, kind.title) for name, kind in KINDS.items()], required=False,
        widget=forms.CheckboxSelectMultiple,
    )  # fmt: skip
    over_too = forms.BooleanField(label="Also when it is over", required=False)
    quiet_from = forms.TimeField(label="Quiet from", required=False, widget=TIME_INPUT)
    quiet_until = forms.TimeField(label="Quiet until", required=False, widget=TIME_INPUT)
    serious_anyway = forms.BooleanField(label="Serious ones break the quiet", required=False)

    @classmethod
    def now(cls, to: Recipient) -> dict[str, Any]:
        """What stands chosen, as the form's beginning."""
        return {name: getattr(to, name) for name in cls.base_fields}

    def clean(self) -> dict[str, Any]:
        said = super().clean() or {}
        begin, end = said.get("quiet_from"), said.get("quiet_until")
        if (begin is None) != (end is None) and not self.errors:
            self.add_error("quiet_from" if begin is None else "quiet_until", BOTH_ENDS)
        elif begin is not None and begin == end:
            self.add_error("quiet_until", "Quiet hours that end when they begin are none. Choose another time.")
        return said

    def keep(self, to: Recipient) -> None:
        to.choose(**self.cleaned_data)


class ChatForm(ChoicesForm):
    """The chat is nobody's, so its clock is chosen too."""

    time_zone = choose("Its clock", zones)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.auto_id = "id_chat_%s"  # it stands beside one's own form

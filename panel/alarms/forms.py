"""The forms in which people choose which alarms they are told of, and when not."""

from typing import Any

from django import forms

from accounts.preferences import ZoneField
from panel.alarms.kinds import KINDS
from panel.alarms.models import Recipient

TIME_INPUT = forms.TimeInput(format="%H:%M", attrs={"type": "time"})
BOTH_ENDS = "Fill in both the beginning and the end of quiet hours, or neither."


class ChoicesForm(forms.Form):
    """A person's choices. Its fields have the names of a Recipient's columns."""

    kinds = forms.MultipleChoiceField(
        label="Send me", choices=[(name, kind.title) for name, kind in KINDS.items()], required=False,
        widget=forms.CheckboxSelectMultiple,
    )  # fmt: skip
    over_too = forms.BooleanField(label="Also when it is over", required=False)
    quiet_from = forms.TimeField(label="Quiet from", required=False, widget=TIME_INPUT)
    quiet_until = forms.TimeField(label="Quiet until", required=False, widget=TIME_INPUT)
    serious_anyway = forms.BooleanField(label="Serious alarms also during quiet hours", required=False)

    @classmethod
    def showing(cls, recipient: Recipient) -> "ChoicesForm":
        """The form with what this recipient has chosen."""
        return cls(initial={name: getattr(recipient, name) for name in cls.base_fields})

    def clean(self) -> dict[str, Any]:
        """Refuses quiet hours with one end, or that end when they begin."""
        cleaned = super().clean() or {}
        begin, end = cleaned.get("quiet_from"), cleaned.get("quiet_until")
        if (begin is None) != (end is None) and not self.errors:
            self.add_error("quiet_from" if begin is None else "quiet_until", BOTH_ENDS)
        elif begin is not None and begin == end:
            self.add_error("quiet_until", "Quiet hours must end at another time than they begin.")
        return cleaned


class ChatForm(ChoicesForm):
    """The choices for the team's chat, which has no person, so its clock is chosen too."""

    time_zone = ZoneField("Its clock")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.auto_id = "id_chat_%s"  # the person's own form is on the same page

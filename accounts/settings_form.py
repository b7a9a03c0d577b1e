"""The form in which managers change the desk's settings. It changes only what the person has changed in it."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone

from accounts.access import may
from accounts.desk_settings import SETTINGS, Moved, change, plain, typed, value_of, words_of
from accounts.models import SettingChange, User

VALUE_CHARACTERS = 100


class SettingField(forms.CharField):
    """One setting, as a person types it. Its value is the text that is stored."""

    def __init__(self, name: str) -> None:
        self.setting = SETTINGS[name]
        choices = self.setting.choices
        widget = forms.Select(choices=list(choices.items())) if choices else forms.TextInput
        super().__init__(label=self.setting.label, required=False, max_length=VALUE_CHARACTERS, widget=widget)

    def clean(self, value: Any) -> str:
        """What is stored for this text. Raises a ValidationError with a sentence."""
        text = super().clean(value)
        try:
            return plain(self.setting.read(text))
        except ValueError as wrong:
            raise ValidationError(str(wrong)) from None


class SettingsForm(forms.Form):
    """All settings of a page. Beside each stands `saw_<name>`, the stored value that the page showed.

    What this person may not set stays as it is, whatever is sent, and so does what only an owner's page has.
    """

    def __init__(self, data: Any = None, *, chosen: Mapping[str, str], by: Any, page: str = "desk") -> None:
        self.settings = {name: setting for name, setting in SETTINGS.items() if setting.page == page}
        values = {name: value_of(name, chosen) for name in self.settings}
        initial = {name: typed(value) for name, value in values.items()}
        self.stored = {name: plain(value) for name, value in values.items()}  # what the page shows as seen
        self.fixed = {name for name, setting in self.settings.items() if not may(by, setting.set_by)}
        if data is not None:
            data = data.copy()
            unsent = {
                name for name, setting in self.settings.items() if setting.set_by != "settings" and name not in data
            }
            for name in self.fixed | unsent:
                data[name], data[f"saw_{name}"] = initial[name], self.stored[name]
        super().__init__(data, initial=initial)
        self.fields |= {name: SettingField(name) for name in self.settings}

    @property
    def seen(self) -> dict[str, str]:
        """The stored values that the page showed. A page that does not say so has shown nothing."""
        return {name: str(self.data.get(f"saw_{name}", ""))[:VALUE_CHARACTERS] for name in self.settings}

    @property
    def wanted(self) -> dict[str, str]:
        """What the person has changed, by name."""
        seen = self.seen
        return {name: text for name, text in self.cleaned_data.items() if text != seen[name]}

    def save(self, *, by: User) -> list[SettingChange] | None:
        """Sets what the person has changed, and returns that; None where nothing was sent, or something is wrong."""
        if self.is_valid():
            try:
                return change(self.wanted, self.seen, by=by, at=timezone.now())
            except Moved as moved:
                self.refuse(moved)
        return None

    def refuse(self, moved: Moved) -> None:
        """Says at each field who changed it meanwhile. What was typed stays, and a second press sets it."""
        for name, last in moved.changes.items():
            self.add_error(name, moved_sentence(name, last, self.stored[name]))


def moved_sentence(name: str, last: SettingChange | None, now: str) -> str:
    """What is said of a setting that another person changed while the form was open."""
    who = f"{last.changed_by} changed it" if last else "It was changed"
    return f"{who} to {words_of(name, now)} meanwhile. Nothing was saved. Save again to set yours."

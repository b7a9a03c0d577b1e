"""How each person reads the desk: colours, clock, numbers and lists, kept on the account and so on any machine."""

from collections.abc import Callable, Iterable
from functools import lru_cache
from itertools import groupby
from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.conf import settings
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse

from accounts.models import PAGE_LENGTHS, Density, Theme
from panel.format.locale import written_for
from panel.format.numbers import MARKS_OF, PLAIN, TABLES

Group = tuple[str, list[tuple[str, str]]]  # the label of an `<optgroup>`, and its choices
# The first part of the names of zones. The other names repeat these zones, or name zones where nobody lives.
REGIONS = {"Africa", "America", "Antarctica", "Arctic", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific"}


def middleware(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Writes each page with the clock and the number format of the person who asks for it."""

    def for_reader(request: HttpRequest) -> HttpResponse:
        with written_for(*clock_and_marks(request)):
            return get_response(request)

    return for_reader


def clock_and_marks(request: HttpRequest) -> tuple[str, str]:
    """This person's time zone and number format; "" and "" (UTC, plain) for a stranger.

    A stranger costs no query. Without a database everybody is a stranger, so that the page that says so still works.
    """
    try:
        if settings.SESSION_COOKIE_NAME in request.COOKIES and request.user.is_authenticated:
            return request.user.time_zone, request.user.numbers
    except DatabaseError:
        pass
    return "", ""


@lru_cache(maxsize=1)  # it reads hundreds of files
def zones() -> list[tuple[str, str] | Group]:
    """The choices of a time zone: UTC, then every zone under its region."""
    names = sorted(name for name in available_timezones() if name.partition("/")[0] in REGIONS)
    return [("UTC", "UTC"), *(
        (region, [(name, place_of(name)) for name in zones_of_region])
        for region, zones_of_region in groupby(names, lambda name: name.partition("/")[0])
    )]  # fmt: skip


def place_of(zone: str) -> str:
    """The place in a zone's name: `America/Argentina/Buenos_Aires` → `Argentina, Buenos Aires`."""
    return zone.partition("/")[2].replace("/", ", ").replace("_", " ")


def choose(label: str, choices: Iterable[Any] | Callable[[], Iterable[Any]], **more: Any) -> forms.ChoiceField:
    """A field with choices, whose error says in words that this cannot be chosen. `more` goes to the field."""
    message = f"This {label.lower()} cannot be chosen. Choose one of those shown."
    errors = dict.fromkeys(("required", "invalid_choice"), message)
    return forms.ChoiceField(label=label, choices=choices, error_messages=errors, **more)


class PreferencesForm(forms.Form):
    """A person's preferences. Each field has the name of the account's field that keeps it."""

    time_zone = choose("Time zone", zones)
    numbers = choose("Number format", [(name, PLAIN.translate(TABLES.get(name, {}))) for name in MARKS_OF])
    theme = choose("Theme", Theme.choices, required=False)
    density = choose("Row height", Density.choices, required=False)
    page_length = choose("Page length", [(str(rows), str(rows)) for rows in PAGE_LENGTHS])

    @classmethod
    def of(cls, user: Any) -> "PreferencesForm":
        """The form, filled in with what this person has chosen."""
        return cls(initial={name: getattr(user, name) for name in cls.base_fields})

    def save(self, user: Any) -> None:
        """Writes what was chosen to this person's account."""
        for name, value in self.cleaned_data.items():
            setattr(user, name, int(value) if name == "page_length" else value)
        user.save(update_fields=list(self.cleaned_data))

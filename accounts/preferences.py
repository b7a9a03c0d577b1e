"""How each person reads the desk: colours, clock, numbers and lists. Kept on the account, so on any machine alike."""

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

Group = tuple[str, list[tuple[str, str]]]
# Where people live; the other names are the same zones over again, or none that anybody lives in.
REGIONS = {"Africa", "America", "Antarctica", "Arctic", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific"}


def middleware(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Writes each page for the one who asks for it."""

    def for_reader(request: HttpRequest) -> HttpResponse:
        with written_for(*clock_and_marks(request)):
            return get_response(request)

    return for_reader


def clock_and_marks(request: HttpRequest) -> tuple[str, str]:
    """The usual ones for a stranger, who costs no query, and while the database is away: one page tells just that."""
    try:
        if settings.SESSION_COOKIE_NAME in request.COOKIES and request.user.is_authenticated:
            return request.user.time_zone, request.user.numbers
    except DatabaseError:
        pass
    return "", ""


@lru_cache(maxsize=1)  # looks through hundreds of files
def zones() -> list[tuple[str, str] | Group]:
    """UTC, then every zone by its region, as a `<select>` shows them."""
    names = sorted(name for name in available_timezones() if name.partition("/")[0] in REGIONS)
    return [("UTC", "UTC"), *(
        (region, [(name, place_of(name)) for name in some])
        for region, some in groupby(names, lambda name: name.partition("/")[0])
    )]  # fmt: skip


def place_of(zone: str) -> str:
    """`America/Argentina/Buenos_Aires` → `Argentina, Buenos Aires`."""
    return zone.partition("/")[2].replace("/", ", ").replace("_", " ")


def choose(label: str, choices: Iterable[Any] | Callable[[], Iterable[Any]], **more: Any) -> forms.ChoiceField:
    wrong = f"This {label.lower()} cannot be chosen. Choose one of those shown."
    return forms.ChoiceField(
        label=label, choices=choices, error_messages=dict.fromkeys(("required", "invalid_choice"), wrong), **more
    )


class PreferencesForm(forms.Form):
    """The names of its fields are the account's."""

    time_zone = choose("Time zone", zones)
    numbers = choose("Number format", [(name, PLAIN.translate(TABLES.get(name, {}))) for name in MARKS_OF])
    theme = choose("Theme", Theme.choices, required=False)
    density = choose("Row height", Density.choices, required=False)
    page_length = choose("Page length", [(str(rows), str(rows)) for rows in PAGE_LENGTHS])

    @classmethod
    def of(cls, user: Any) -> "PreferencesForm":
        return cls(initial={name: getattr(user, name) for name in cls.base_fields})

    def keep(self, user: Any) -> None:
        """On the account of the one who chose."""
        for name, value in self.cleaned_data.items():
            setattr(user, name, int(value) if name == "page_length" else value)
        user.save(update_fields=list(self.cleaned_data))

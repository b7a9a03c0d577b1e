"""How each person reads the desk: colours, clock, numbers and lists, kept on the account and so on any machine."""

from collections import Counter
from collections.abc import Callable, Iterable
from functools import lru_cache
from itertools import groupby
from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.conf import settings
from django.contrib.auth.middleware import get_user
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse

from accounts.access import may
from accounts.desk_settings import desk_delay, held
from accounts.models import PAGE_LENGTHS, UNDO_SECONDS, Density, Theme
from panel.format.locale import written_for
from panel.format.money import money_seen
from panel.format.numbers import MARKS_OF, PLAIN, TABLES
from panel.format.times import took
from panel.ops.logs import also

Group = tuple[str, list[tuple[str, str]]]  # the label of an `<optgroup>`, and its choices
ZONE_CHARACTERS = 60
LIVE_MODES = [("False", "Live"), ("True", "Paused")]
NO_ZONE = "The desk does not know this time zone. Type a city, such as Berlin, and choose one of the list."
# The first part of the names of zones. The other names repeat these zones, or name zones where nobody lives.
REGIONS = {"Africa", "America", "Antarctica", "Arctic", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific"}


def middleware(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Writes each page with the clock and the number format of the person who asks for it, by the desk's settings."""

    def for_reader(request: HttpRequest) -> HttpResponse:
        person = reader_of(request)
        if person is None:
            with written_for("", ""):
                return get_response(request)
        request.user = person  # itself: a page looks at it five hundred times, each through Django's lazy object
        also(person=person.pk)
        with written_for(person.time_zone, person.numbers), held(person.desk_chosen), money_seen(may(person, "money")):
            return get_response(request)

    return for_reader


def reader_of(request: HttpRequest) -> Any:
    """The person who reads what is answered, or None for a stranger, whose times are in UTC and numbers plain.

    A stranger costs no query. Without a database everybody is a stranger, so that the page that says so still works.
    """
    try:
        if settings.SESSION_COOKIE_NAME in request.COOKIES and (person := get_user(request)).is_authenticated:
            return person
    except DatabaseError:
        pass
    return None


@lru_cache(maxsize=1)  # it reads hundreds of files
def zone_names() -> list[str]:
    """The names of all zones that people may choose but UTC, in order."""
    return sorted(name for name in available_timezones() if name.partition("/")[0] in REGIONS)


@lru_cache(maxsize=1)
def zones() -> list[tuple[str, str] | Group]:
    """The choices of a time zone: UTC, then every zone under its region."""
    return [("UTC", "UTC"), *(
        (region, [(name, place_of(name)) for name in zones_of_region])
        for region, zones_of_region in groupby(zone_names(), lambda name: name.partition("/")[0])
    )]  # fmt: skip


@lru_cache(maxsize=1)
def zones_by_name() -> dict[str, str]:
    """How people may write a zone, in one spelling → the zone: its name, and its place where only one zone has that."""
    names = ["UTC", *zone_names()]
    places = Counter(name.rpartition("/")[2] for name in names)
    short = {spelled(name.rpartition("/")[2]): name for name in names if places[name.rpartition("/")[2]] == 1}
    return {**short, **{spelled(name): name for name in names}}


def spelled(zone: str) -> str:
    """The zone's name as people may write it, in one spelling."""
    return " ".join(zone.casefold().replace("_", " ").split())


def zone_of(text: str) -> str:
    """The name of the zone that this text means, or "" if it means none."""
    return zones_by_name().get(spelled(text[:ZONE_CHARACTERS]), "")


def take_browser_zone(user: Any, zone: str) -> None:
    """Gives a person who has no time zone yet the one that their browser tells. Ignores what is no zone."""
    known = zone_of(zone)
    if known and not user.time_zone:
        user.time_zone = known
        user.save(update_fields=["time_zone"])


def set_paused(user: Any, paused: bool) -> None:
    """Remembers whether this person's pages stand still."""
    user.paused = paused
    user.save(update_fields=["paused"])


class ZoneField(forms.CharField):
    """A time zone, typed by its name or its place; the browser searches the list that `accounts/_zones.html` shows."""

    zones = staticmethod(zones)

    def __init__(self, label: str) -> None:
        super().__init__(label=label, max_length=ZONE_CHARACTERS, error_messages={"required": NO_ZONE})
        self.widget.attrs = {"class": "in-t", "list": "zones", "autocomplete": "off", "spellcheck": "false"}
        self.widget.attrs["data-whole"] = ""  # static/desk.js chooses all of it, so that typing begins a search

    def clean(self, value: Any) -> str:
        """The zone's name. Raises a ValidationError for what is none."""
        zone = zone_of(str(super().clean(value)))
        if not zone:
            raise forms.ValidationError(NO_ZONE)
        return zone


def place_of(zone: str) -> str:
    """The place in a zone's name: `America/Argentina/Buenos_Aires` → `Argentina, Buenos Aires`."""
    return zone.partition("/")[2].replace("/", ", ").replace("_", " ")


def undo_choices() -> list[tuple[str, str]]:
    """How long a new order can be undone."""
    return [("0", f"As the desk: {took(desk_delay())}"), *((str(seconds), f"{seconds} s") for seconds in UNDO_SECONDS)]


def choose(
    label: str, choices: Iterable[Any] | Callable[[], Iterable[Any]], coerce: Callable[[str], Any] = str, **more: Any
) -> forms.ChoiceField:
    """A field with choices, whose error says in words that this cannot be chosen. `more` goes to the field."""
    message = f"This {label.lower()} cannot be chosen. Choose one of those shown."
    errors = dict.fromkeys(("required", "invalid_choice"), message)
    return forms.TypedChoiceField(label=label, choices=choices, coerce=coerce, error_messages=errors, **more)


class PreferencesForm(forms.Form):
    """A person's preferences. Each field has the name of the account's field that keeps it."""

    time_zone = ZoneField("Time zone")
    numbers = choose("Number format", [(name, PLAIN.translate(TABLES.get(name, {}))) for name in MARKS_OF])
    theme = choose("Theme", Theme.choices, required=False)
    density = choose("Row height", Density.choices, required=False)
    page_length = choose("Page length", [(str(rows), str(rows)) for rows in PAGE_LENGTHS], int)
    # A page from before these were there sends neither, and changes neither.
    paused = choose("Live mode", LIVE_MODES, "True".__eq__, required=False, empty_value=None)
    undo_seconds = choose("Undo time", undo_choices, int, required=False, empty_value=None)

    @classmethod
    def of(cls, user: Any) -> "PreferencesForm":
        """The form, filled in with what this person has chosen."""
        kept = {name: getattr(user, name) for name in cls.base_fields}
        return cls(initial={**kept, "time_zone": user.time_zone or "UTC"})

    def save(self, user: Any) -> None:
        """Writes what was chosen to this person's account."""
        chosen = {name: value for name, value in self.cleaned_data.items() if value is not None}
        for name, value in chosen.items():
            setattr(user, name, value)
        user.save(update_fields=list(chosen))

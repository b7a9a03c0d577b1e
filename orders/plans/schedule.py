"""When the parts of a plan are due, on the clock of one time zone.

Days are counted on that clock, so that 09:00 stays 09:00 when it goes forward or back. Hours are real hours. A time
that the clock skips is as much later as it skips; of a time that comes twice, the first counts.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django import forms
from django.utils.html import escape

from accounts.preferences import ZoneField
from panel.format.numbers import number
from panel.format.times import ZONE, clock_name, zone_named

MOST_PARTS = 200  # of one plan
LONGEST = timedelta(days=366)  # from now to the last part
MOST_BETWEEN = 1_000  # hours or days
USUAL_PARTS = 5
USUAL_HOUR = 9
MINUTES = "%Y-%m-%dT%H:%M"
UNITS = [("days", "days"), ("hours", "hours")]

NO_TIME = "Choose a day and a time."
PAST = "This time has been already. Choose one to come."
SKIPPED = "{wall} does not come on that day: the clock goes forward."
TWICE = "{wall} comes twice on that day: the first counts."


@dataclass(frozen=True)
class Schedule:
    """When the first part is due, how many lines each part has, and how far apart the parts are."""

    first: datetime  # on the zone's clock, without a zone
    zone: str
    part_lines: int
    every: int
    unit: str  # of UNITS

    def parts(self, lines: int) -> int:
        """How many parts so many lines make."""
        return -(-lines // self.part_lines)

    def walls(self, parts: int) -> list[datetime]:
        """What the clock shows at each part's time; for hours after the first, what it really shows."""
        if self.unit == "days":
            return [self.first + timedelta(days=self.every * n) for n in range(parts)]
        start = moment(self.first, self.zone)
        later = [wall_of(start + timedelta(hours=self.every * n), self.zone) for n in range(1, parts)]
        return [self.first, *later]

    def times(self, parts: int) -> list[datetime]:
        """The moment of each part."""
        if self.unit == "days":
            return [moment(wall, self.zone) for wall in self.walls(parts)]
        start = moment(self.first, self.zone)
        return [start + timedelta(hours=self.every * n) for n in range(parts)]


def moment(wall: datetime, zone: str) -> datetime:
    """The moment at which the zone's clock shows this time."""
    return wall.replace(tzinfo=zone_named(zone) or UTC, fold=0).astimezone(UTC)


def wall_of(at: datetime, zone: str) -> datetime:
    """What the zone's clock shows at a moment."""
    return at.astimezone(zone_named(zone) or UTC).replace(tzinfo=None)


def why_odd(wall: datetime, zone: str) -> str:
    """What is odd about this time on the zone's clock, as a sentence; "" when it comes just once."""
    here = zone_named(zone) or UTC
    if wall_of(moment(wall, zone), zone).replace(fold=0) != wall.replace(fold=0):
        return SKIPPED.format(wall=f"{wall:%H:%M}")
    first, second = (wall.replace(tzinfo=here, fold=fold).utcoffset() for fold in (0, 1))
    return TWICE.format(wall=f"{wall:%H:%M}") if first != second else ""


def there(at: datetime, zone: str) -> str:
    """Day and time on the zone's clock: `Mon 2 Nov 2026, 09:00 CET`."""
    local = at.astimezone(zone_named(zone) or UTC)
    return f"{local:%a %-d %b %Y, %H:%M} {clock_name(local.tzname() or 'UTC')}"


def is_readers(zone: str) -> bool:
    """Whether the reader's own clock goes by this zone."""
    return zone_named(zone) == ZONE.get()


# ── As a person types it ─────────────────────────────────────────────────────────────────────────
class LocalTime(forms.TextInput):
    """A day and a time on no particular clock."""

    input_type = "datetime-local"


def whole(label: str, most: int, help_text: str = "") -> forms.IntegerField:
    """A field for a number from 1 on."""
    errors = {
        "required": "Write a number.", "invalid": "Write a whole number.", "min_value": "At least 1.",
        "max_value": f"At most {number(most)}.",
    }  # fmt: skip
    return forms.IntegerField(label=label, min_value=1, max_value=most, error_messages=errors, help_text=help_text)


class ScheduleForm(forms.Form):
    """A schedule for a number of lines."""

    first = forms.CharField(
        label="First part at", widget=LocalTime, error_messages={"required": NO_TIME},
        help_text="On the clock of the time zone below.",
    )  # fmt: skip
    zone = ZoneField("Time zone")
    part_lines = whole("Lines in a part", 5_000)
    every = whole("Another part every", MOST_BETWEEN)
    unit = forms.ChoiceField(
        label="Hours or days", choices=UNITS, error_messages={"invalid_choice": "Choose hours or days."}
    )

    def __init__(self, data: Any, *, lines: int, zone: str, whose: str = "yours", now: datetime) -> None:
        """`lines` is how many lines are planned, `zone` the one that is offered first, and `whose` it is."""
        self.lines, self.now = lines, now
        tomorrow = wall_of(now, zone) + timedelta(days=1)
        initial = {
            "first": tomorrow.replace(hour=USUAL_HOUR, minute=0).strftime(MINUTES), "zone": zone, "unit": "days",
            "part_lines": max(-(-lines // USUAL_PARTS), 1), "every": 1,
        }  # fmt: skip
        super().__init__(data, initial=initial)
        self.fields["zone"].help_text = escape(f"It is {whose}, unless you choose another: type a city.")

    def clean_first(self) -> datetime:
        """The day and the time, as a clock shows them."""
        try:
            return datetime.fromisoformat(self.cleaned_data["first"]).replace(tzinfo=None, second=0, microsecond=0)
        except ValueError:
            raise forms.ValidationError(NO_TIME) from None

    def clean(self) -> dict[str, Any]:
        """Refuses what has been, too many parts, and what lasts too long."""
        cleaned = super().clean() or {}
        if self.errors:
            return cleaned
        plan = Schedule(**cleaned)
        parts = plan.parts(self.lines)
        try:
            starts, ends = moment(plan.first, plan.zone), plan.times(min(parts, MOST_PARTS))[-1]
        except (OverflowError, ValueError):
            raise forms.ValidationError({"first": NO_TIME}) from None
        if starts <= self.now:
            self.add_error("first", PAST)
        elif parts > MOST_PARTS:
            least = -(-self.lines // MOST_PARTS)
            self.add_error("part_lines", f"These are {number(parts)} parts; a plan has at most {MOST_PARTS}. "
                                         f"Write at least {number(least)}.")  # fmt: skip
        elif ends > self.now + LONGEST:
            self.add_error("every", "The last part would be due in more than a year. Choose larger parts, or less "
                                    "time between them.")  # fmt: skip
        return cleaned


def schedule_of(form: ScheduleForm) -> Schedule:
    """What was typed into a form that is valid, or what an empty one offers."""
    if form.is_bound:
        return Schedule(**form.cleaned_data)
    return Schedule(**{**form.initial, "first": datetime.fromisoformat(form.initial["first"])})

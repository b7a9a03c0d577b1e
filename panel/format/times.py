"""Times on the reader's clock: relative words, with the exact time on hover; static/desk.js keeps the words true.

Everywhere else a moment is in UTC; only here it becomes somebody's hour and day.
"""

from contextvars import ContextVar
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from markupsafe import Markup

MINUTE, HOUR, DAY = 60, 3_600, 86_400  # seconds
DATED_FROM_SECONDS = 30 * DAY  # what is longer ago is told by its date

# The reader's, set by panel/format/locale.py. None is UTC, so that most people's pages cost nothing more.
ZONE: ContextVar[ZoneInfo | None] = ContextVar("zone", default=None)


# ── Whose clock ──────────────────────────────────────────────────────────────────────────────────
@lru_cache(maxsize=1000)  # more than there are
def zone_named(name: str) -> ZoneInfo | None:
    """The time zone with this name. None is UTC, also for a zone that this machine does not know."""
    try:
        return None if name in ("", "UTC") else ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # not found; no name of a zone at all; a folder of zones
        return None


def zone_name() -> str:
    """The reader's zone by the name that people choose it by: `UTC`, `Europe/Berlin`."""
    zone = ZONE.get()
    return zone.key if zone else "UTC"


def local(at: datetime) -> datetime:
    """The moment on the reader's clock."""
    zone = ZONE.get()
    return at.astimezone(zone) if zone else at


def zone_at(at: datetime) -> str:
    """What the reader's clock is called at that moment: `UTC`, `CET`, `UTC+5:45`."""
    return clock_name(local(at).tzname() or "UTC") if ZONE.get() else "UTC"


@lru_cache(maxsize=1000)
def clock_name(abbreviation: str) -> str:
    """`CET` as it is, `+0545` as `UTC+5:45`: Python knows a zone without an abbreviation by its offset alone."""
    if abbreviation[0] not in "+-":
        return abbreviation
    hours, minutes = int(abbreviation[1:3]), abbreviation[3:]
    sign = "+" if abbreviation[0] == "+" else "−"
    return f"UTC{sign}{hours}{':' + minutes if minutes else ''}" if hours or minutes else "UTC"


# ── In words ─────────────────────────────────────────────────────────────────────────────────────
def machine(at: datetime) -> str:
    """`2026-11-02T15:02:11+01:00` for `datetime=`; a script reads the reader's offset there and needs no zone."""
    return local(at).isoformat(timespec="seconds")


def exact(at: datetime) -> str:
    """To the second, on the reader's clock: `2026-11-02 14:02:11 UTC`."""
    return f"{machine(at)[:19].replace('T', ' ')} {zone_at(at)}"


def clock(at: datetime, now: datetime | None = None) -> str:
    """`14:02 UTC`; `2 Nov, 14:02 UTC` when it is not today (or not the day of `now`)."""
    return f"{local(at):%H:%M} {zone_at(at)}" if day(at) == day(now or datetime.now(UTC)) else day_and_clock(at)


def day_and_clock(at: datetime) -> str:
    """Day and time on the reader's clock: `2 Nov, 14:02 UTC`."""
    return f"{local(at):%-d %b, %H:%M} {zone_at(at)}"


def day(at: datetime) -> date:
    """The day that the reader's calendar shows at that moment."""
    return local(at).date()


def today() -> date:
    """The day that the reader's calendar shows now."""
    return day(datetime.now(UTC))


def ago_words(at: datetime, now: datetime | None = None) -> str:
    """`now`, `12 s ago`, `in 3 min`, `2 d ago`; a date when it is long ago. static/desk.js writes the same words."""
    seconds = int(((now or datetime.now(UTC)) - at).total_seconds())
    if seconds >= DATED_FROM_SECONDS:
        return f"{local(at):%-d %b %Y}"
    if seconds == 0:
        return "now"
    return f"{span_words(seconds)} ago" if seconds > 0 else f"in {span_words(-seconds)}"


def span_words(seconds: int) -> str:
    """A number of seconds in its largest whole unit: `12 s`, `3 min`, `2 d`."""
    units = ((DAY, "d"), (HOUR, "h"), (MINUTE, "min"), (1, "s"))
    return next((f"{seconds // unit} {word}" for unit, word in units if seconds >= unit), "0 s")


def took(span: timedelta) -> str:
    """How long something took, in two units at most: `2 d 7 h`, `1 h 50 min`, `9 min`, `40 s`."""
    seconds = round(span.total_seconds())
    if seconds < MINUTE:
        return f"{seconds} s"
    days, hours, minutes = seconds // DAY, seconds % DAY // HOUR, seconds % HOUR // MINUTE
    parts = ((days, "d"), (hours, "h")) if days else ((hours, "h"), (minutes, "min"))
    return " ".join(f"{n} {word}" for n, word in parts if n)


def time_tag(at: datetime, looked: object = "") -> Markup:
    """A `<time>` whose words the page keeps true.

    `looked` names what was asked upstream at that time, such as an order's id: a poll moves the time on without a swap.
    """
    attribute = f' data-looked="{Markup.escape(looked)}"' if looked else ""
    here = local(at)  # one conversion: a page says this a hundred times
    iso = here.isoformat(timespec="seconds")
    zone = clock_name(here.tzname() or "UTC")
    # All of it is digits and our own words, except `looked`, which is escaped.
    return Markup(  # noqa: S704
        f'<time datetime="{iso}" title="{iso[:10]} {iso[11:19]} {zone}" data-when{attribute}>{ago_words(at)}</time>'
    )


def due_tag(at: datetime) -> Markup:
    """What is still to come, as a `<time>`. Once it has gone by it says `now`: no page knows that it happened."""
    words = ago_words(at) if at > datetime.now(UTC) else "now"
    # All of it is digits and our own words.
    return Markup(f'<time datetime="{machine(at)}" title="{exact(at)}" data-when="due">{words}</time>')  # noqa: S704


def span_tag(at: datetime) -> Markup:
    """How long it is since then, as a `<time>` whose words the page keeps true: the `2 h` in `late 2 h`."""
    span = span_words(max(0, int((datetime.now(UTC) - at).total_seconds())))
    # All of it is digits and our own words.
    return Markup(f'<time datetime="{machine(at)}" title="since {exact(at)}" data-when="span">{span}</time>')  # noqa: S704


# ── Days ─────────────────────────────────────────────────────────────────────────────────────────
def day_of(text: str, _user: Any = None) -> date | None:
    """The day that `2026-11-02` names, or None for any other text and for years that no order has."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if 2000 <= day.year < 2100 else None


def starts(day: date) -> datetime:
    """The first moment of a day on the reader's clock."""
    return datetime(day.year, day.month, day.day, tzinfo=ZONE.get() or UTC)


def ends(day: date) -> datetime:
    """The first moment after a day on the reader's clock."""
    return starts(day + timedelta(days=1))


def latest(*times: datetime | None) -> datetime | None:
    """The latest of these times that are known; None if none is."""
    return max(filter(None, times), default=None)

"""Times as people read them, on the reader's clock: relative words, the exact time on hover; desk.js keeps them true.

Moments are in UTC wherever they come from; only here do they become somebody's hour and day.
"""

from contextvars import ContextVar
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from markupsafe import Markup

MINUTE, HOUR, DAY = 60, 3_600, 86_400  # seconds
TOLD_BY_DATE = 30 * DAY

# Of the reader, set by panel/format/locale.py; None is UTC, so that most people's pages cost nothing more.
ZONE: ContextVar[ZoneInfo | None] = ContextVar("zone", default=None)


# ── Whose clock ──────────────────────────────────────────────────────────────────────────────────
@lru_cache(maxsize=1000)  # more than there are
def zone_named(name: str) -> ZoneInfo | None:
    """None for UTC, and for a zone that this machine does not know (any more): then its times are UTC, and say so."""
    try:
        return None if name in ("", "UTC") else ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # not found; no name of a zone at all; a folder of them
        return None


def zone_name() -> str:
    """The reader's zone, as one chooses it: `UTC`, `Europe/Berlin`."""
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
def clock_name(known_as: str) -> str:
    """Zones without a name of their own are known as `+0545`."""
    if known_as[0] not in "+-":
        return known_as
    hours, minutes = int(known_as[1:3]), known_as[3:]
    sign = "+" if known_as[0] == "+" else "−"
    return f"UTC{sign}{hours}{':' + minutes if minutes else ''}" if hours or minutes else "UTC"


# ── In words ─────────────────────────────────────────────────────────────────────────────────────
def machine(at: datetime) -> str:
    """For `datetime=` and for scripts; it carries the reader's offset, so that a script need not know the zone."""
    return local(at).isoformat(timespec="seconds")


def exact(at: datetime) -> str:
    """`2026-11-02 14:02:11 UTC`."""
    return f"{machine(at)[:19].replace('T', ' ')} {zone_at(at)}"


def clock(at: datetime, now: datetime | None = None) -> str:
    """`14:02 UTC`; with the day when that is another."""
    return f"{local(at):%H:%M} {zone_at(at)}" if day(at) == day(now or datetime.now(UTC)) else day_and_clock(at)


def day_and_clock(at: datetime) -> str:
    """`2 Nov, 14:02 UTC`."""
    return f"{local(at):%-d %b, %H:%M} {zone_at(at)}"


def day(at: datetime) -> date:
    """The reader's day."""
    return local(at).date()


def today() -> date:
    return day(datetime.now(UTC))


def ago_words(at: datetime, now: datetime | None = None) -> str:
    """`now`, `12 s ago`, `in 3 min`, `2 d ago`; a date when it is long ago. The same words as in static/desk.js."""
    seconds = int(((now or datetime.now(UTC)) - at).total_seconds())
    if seconds >= TOLD_BY_DATE:
        return f"{local(at):%-d %b %Y}"
    if seconds == 0:
        return "now"
    return f"{span_words(seconds)} ago" if seconds > 0 else f"in {span_words(-seconds)}"


def span_words(seconds: int) -> str:
    """`12 s`, `3 min`, `2 d`."""
    units = ((DAY, "d"), (HOUR, "h"), (MINUTE, "min"), (1, "s"))
    return next((f"{seconds // unit} {word}" for unit, word in units if seconds >= unit), "0 s")


def took(span: timedelta) -> str:
    """`2 d 7 h`, `1 h 50 min`, `9 min`, `40 s`: as long as it took, in two units at most."""
    seconds = round(span.total_seconds())
    if seconds < MINUTE:
        return f"{seconds} s"
    days, hours, minutes = seconds // DAY, seconds % DAY // HOUR, seconds % HOUR // MINUTE
    parts = ((days, "d"), (hours, "h")) if days else ((hours, "h"), (minutes, "min"))
    return " ".join(f"{n} {word}" for n, word in parts if n)


def time_tag(at: datetime, looked: object = "") -> Markup:
    """A `<time>` whose words the page keeps true. `looked` names the look that it tells of: a poll moves it."""
    said = f' data-looked="{Markup.escape(looked)}"' if looked else ""
    zone = ZONE.get()  # once, and one conversion: a page says this a hundred times
    here = at.astimezone(zone) if zone else at
    iso = here.isoformat(timespec="seconds")
    name = clock_name(here.tzname() or "UTC") if zone else "UTC"
    # All of it is made of digits and our own words, but for `looked`, which is escaped.
    return Markup(  # noqa: S704
        f'<time datetime="{iso}" title="{iso[:10]} {iso[11:19]} {name}" data-when{said}>{ago_words(at)}</time>'
    )


def span_tag(at: datetime) -> Markup:
    """How long it is since then, as a `<time>` whose words the page keeps true: `2 h` of `late 2 h`."""
    said = span_words(max(0, int((datetime.now(UTC) - at).total_seconds())))
    # All of it is made of digits and our own words.
    return Markup(f'<time datetime="{machine(at)}" title="since {exact(at)}" data-when="span">{said}</time>')  # noqa: S704


def day_of(text: str, _: Any = None) -> date | None:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if 2000 <= day.year < 2100 else None


def starts(day: date) -> datetime:
    """The first moment of a day where the person is."""
    return datetime(day.year, day.month, day.day, tzinfo=ZONE.get() or UTC)


def ends(day: date) -> datetime:
    return starts(day + timedelta(days=1))

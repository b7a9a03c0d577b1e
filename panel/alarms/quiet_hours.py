"""Quiet hours on a person's own clock, also over midnight and in the two nights when clocks are changed."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

MINUTE = timedelta(minutes=1)


def quiet_until(now: datetime, begin: time, end: time, zone: ZoneInfo | None) -> datetime | None:
    """The first minute after the quiet hours in which `now` is, or None when it is not quiet now.

    It goes on minute by minute instead of calculating: an end at 02:30 comes once, twice or never in a night, and what
    the clock shows is what counts. A day of minutes takes a millisecond or two.
    """
    if begin == end or not is_quiet(now, begin, end, zone):
        return None
    at = now.astimezone(UTC).replace(second=0, microsecond=0)
    while is_quiet(at, begin, end, zone):
        at += MINUTE
    return at


def is_quiet(at: datetime, begin: time, end: time, zone: ZoneInfo | None) -> bool:
    """Whether the clock of this zone (None: UTC) shows `begin` or later and not yet `end`."""
    clock = at.astimezone(zone or UTC).time().replace(second=0, microsecond=0)
    return begin <= clock < end if begin < end else clock >= begin or clock < end

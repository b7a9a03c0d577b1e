"""Quiet hours on somebody's own clock, over midnight and over the two nights when clocks are changed."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

MINUTE = timedelta(minutes=1)


def quiet_until(now: datetime, begin: time, end: time, zone: ZoneInfo | None) -> datetime | None:
    """The first minute in which it is not quiet any more; None when it is not quiet now.

    It walks on minute by minute rather than reckons: an end at 02:30 is there once, twice or never in a night, and what
    stands on the clock is what counts. A day of minutes takes a millisecond or two.
    """
    if begin == end or not is_quiet(now, begin, end, zone):
        return None
    at = now.astimezone(UTC).replace(second=0, microsecond=0)
    while is_quiet(at, begin, end, zone):
        at += MINUTE
    return at


def is_quiet(at: datetime, begin: time, end: time, zone: ZoneInfo | None) -> bool:
    """Whether somebody's clock stands between the two; the end is not quiet any more."""
    clock = at.astimezone(zone or UTC).time().replace(second=0, microsecond=0)
    return begin <= clock < end if begin < end else clock >= begin or clock < end

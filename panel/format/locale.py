"""Whose clock and whose number format hold while something is written."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC

from django.utils import timezone

from panel.format.money import money_seen
from panel.format.numbers import MARKS, TABLES
from panel.format.times import ZONE, zone_named


@contextmanager
def written_for(time_zone: str, numbers: str) -> Iterator[None]:
    """Inside, this thread writes times and numbers for a reader with this time zone and this number format.

    A time zone that is empty or unknown is UTC, a number format that is empty or unknown is the plain one.
    """
    zone = zone_named(time_zone)
    zone_before, marks_before = ZONE.set(zone), MARKS.set(TABLES.get(numbers))
    try:
        with timezone.override(zone or UTC):  # Django's own pages
            yield
    finally:
        ZONE.reset(zone_before)
        MARKS.reset(marks_before)


@contextmanager
def for_the_record() -> Iterator[None]:
    """Inside, sentences that are stored are written for everybody: in UTC, which they say, and with their amounts."""
    with written_for("", ""), money_seen(True):
        yield

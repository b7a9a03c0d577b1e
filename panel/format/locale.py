"""For whom something is written: their clock, and the marks in their numbers."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC

from django.utils import timezone

from panel.format.numbers import MARKS, TABLES
from panel.format.times import ZONE, zone_named


@contextmanager
def written_for(time_zone: str, numbers: str) -> Iterator[None]:
    """What is said meanwhile, in this thread alone; what nobody knows (any more) is UTC, and plain."""
    zone = zone_named(time_zone)
    clock, marks = ZONE.set(zone), MARKS.set(TABLES.get(numbers))
    try:
        with timezone.override(zone or UTC):  # Django's own pages
            yield
    finally:
        ZONE.reset(clock)
        MARKS.reset(marks)


def for_the_record() -> AbstractContextManager[None]:
    """Sentences that are kept: another reads them later, so they are in UTC and say so, whoever pressed."""
    return written_for("", "")

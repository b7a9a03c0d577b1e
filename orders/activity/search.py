"""Finds the lines that fit the filters, page by page, and reads a bounded number of rows whatever they are.

One filter finds the lines by its index, several kinds each by its place in it; the others are asked of WINDOW_LINES of
these at a time. When a window is through before the page is full, the page says how many lines it looked through, and
leads on from there.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import Q, QuerySet
from django.utils.dateparse import parse_datetime

from accounts.models import TrailLine
from accounts.models.trail import before_line
from orders.activity.filters import Filters, Looked
from panel.web.params import read_number

LINES_A_PAGE = 100
WINDOW_LINES = 5_000
FEW = 4  # times as many lines as a page has


class Place(NamedTuple):
    """A place in the list: all lines before this moment, or at it with a lower id, come after it."""

    at: datetime
    pk: int

    @classmethod
    def read(cls, text: str) -> "Place | None":
        """A place as an address says it; None for anything else."""
        moment, _, pk = text.rpartition("~")
        try:
            at = parse_datetime(moment)
        except ValueError:
            return None
        return cls(at, read_number(pk)) if at and at.tzinfo else None

    def __str__(self) -> str:
        return f"{self.at.isoformat()}~{self.pk}"


class Found(NamedTuple):
    """A page of lines, and where the next begins; `looked` is how many were looked through where that was the end."""

    lines: list[TrailLine]
    next: Place | None
    looked: int = 0


def find(filters: Filters, after: Place | None, rows: int = LINES_A_PAGE, window: int = WINDOW_LINES) -> Found:
    """The next lines that fit, newest first, after a place."""
    best, others = filters.conditions()
    asked = [each.where for each in best] or [Q()]
    parts: list[QuerySet[TrailLine]] = [TrailLine.objects.filter(each, filters.days()).newest_first() for each in asked]
    parts = [before_line(part, after.at, after.pk) for part in parts] if after else parts
    if not others:
        return page_of(newest_of(parts, rows + 1), rows)
    for size in (min(window, FEW * rows), window):  # most pages are full after a few
        read = looked_at(parts, size)
        # In hand, for a database might find the others by another index, and look through all that it holds.
        fitting = [line.id for line in read if all(other.fits(line) for other in others)][: rows + 1]
        if len(fitting) > rows or len(read) < size:
            break
    found = page_of(TrailLine.objects.filter(pk__in=fitting).newest_first(), rows)
    if found.next or len(read) < size:
        return found
    last = TrailLine.objects.only("at").get(pk=read[-1].id)
    return found._replace(next=Place(last.at, last.pk), looked=size)


def newest_of(parts: "list[QuerySet[TrailLine]]", size: int) -> "QuerySet[TrailLine]":
    """The newest lines of these, so many at most."""
    if len(parts) == 1:
        return parts[0]
    return TrailLine.objects.filter(pk__in=[line.id for line in looked_at(parts, size)]).newest_first()


def looked_at(parts: "list[QuerySet[TrailLine]]", size: int) -> list[Looked]:
    """What conditions look at of the newest lines of these, so many at most.

    Each part is read by an index from its newest down, all in one statement.
    """
    found, params = list[str](), list[Any]()
    for part in parts:
        sql, values = part.values(*Looked._fields)[:size].query.sql_with_params()
        found.append(f"SELECT * FROM ({sql}) AS of_{len(found)}")  # noqa: S608  our own words alone
        params += values
    union = f"SELECT * FROM ({' UNION ALL '.join(found)}) AS lines ORDER BY at DESC, id DESC LIMIT {size}"  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(union, params)
        return [Looked(*row) for row in cursor.fetchall()]


def page_of(lines: "QuerySet[TrailLine]", rows: int) -> Found:
    """The first rows of these lines."""
    read = list(lines.select_related("by", "person", "order")[: rows + 1])
    shown = read[:rows]
    return Found(shown, Place(shown[-1].at, shown[-1].pk) if len(read) > rows else None)


def all_lines(filters: Filters, window: int = WINDOW_LINES) -> Iterator[TrailLine]:
    """All lines that fit, a window in a query: no transaction stays open meanwhile."""
    place = None
    while True:
        found = find(filters, place, window, window)
        yield from found.lines
        if not (place := found.next):
            return

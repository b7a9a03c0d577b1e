"""The lines that fit the filters as a file, spooled to the disk, so that it takes the same memory for any number."""

from collections.abc import Iterator
from datetime import datetime

from django.utils.text import slugify

from orders.activity.filters import Filters, sees_the_door
from orders.activity.rows import Row, plain_changes, plain_what, row_of, seal_text
from orders.activity.search import all_lines
from panel.format.spreadsheet import safe
from panel.format.times import machine, today, zone_name

HEADS = dict.fromkeys(
    ("entry", "at", "who", "what", "before", "after", "about", "words", "reason", "address", "device", "seal"), False
)  # none holds numbers
NAME_CHARACTERS = 100


def cells_of(row: Row) -> list[str]:
    """A row of the file. From where something was done is for those alone who see it on the page."""
    line = row.line
    from_where = (line.address, line.device) if row.sees_from else ("", "")
    texts = (
        row.who, plain_what(row), plain_changes(row, "was"), plain_changes(row, "now"), row.about, row.said,
        str(line.facts.get("reason", "")), *from_where,
    )  # fmt: skip
    return [str(line.pk), machine(line.at), *map(safe, texts), seal_text(line)]


def export_rows(filters: Filters) -> Iterator[list[str]]:
    """The rows of the file, newest first."""
    sees = sees_the_door(filters.user)
    return (cells_of(row_of(line, filters.user, sees)) for line in all_lines(filters))


def about(filters: Filters, count: int, now: datetime) -> list[tuple[str, str]]:
    """What the file is about, in lines of two cells."""
    return [
        ("Activity", filters.words()),
        ("Number of entries", str(count)),
        ("Times in", zone_name()),
        ("Exported by", str(filters.user)),
        ("Exported at", machine(now)),
    ]


def file_name(filters: Filters, count: int, extension: str) -> str:
    """`activity-kind-sending-12-entries-2026-11-30.csv`."""
    words = slugify(filters.words())[:NAME_CHARACTERS].strip("-")
    return f"activity-{words}-{count}-entr{'y' if count == 1 else 'ies'}-{today()}.{extension}"

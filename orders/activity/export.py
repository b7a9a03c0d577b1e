"""The lines that fit the filters as a file, spooled to the disk, so that it takes the same memory for any number."""

import csv
import shutil
from collections.abc import Iterable, Iterator
from datetime import datetime
from io import TextIOWrapper
from tempfile import TemporaryFile
from typing import IO, Any

from django.utils.text import slugify
from xlsxwriter import Workbook

from orders.activity.filters import Filters, sees_the_door
from orders.activity.rows import Row, plain_changes, plain_what, row_of, seal_text
from orders.activity.search import all_lines
from panel.format.spreadsheet import safe
from panel.format.times import machine, today, zone_name

HEADS = ("entry", "at", "who", "what", "before", "after", "about", "words", "reason", "address", "device", "seal")
COLUMN_CHARACTERS = 18  # the width of a sheet's columns
SHEET_LINES = 1_048_576 - 1  # of Excel, without the heads
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


def spool(rows: Iterable[list[str]]) -> tuple[IO[bytes], int]:
    """The rows as lines of CSV in a temporary file, and how many there are."""
    file, count = TemporaryFile(), 0  # noqa: SIM115  the caller closes it
    text = TextIOWrapper(file, "utf-8", newline="")
    writer = csv.writer(text)
    for row in rows:
        writer.writerow(row)
        count += 1
    text.detach().seek(0)
    return file, count


def as_csv(_about: list[tuple[str, str]], lines: IO[bytes]) -> IO[bytes]:
    """The spooled lines under the heads, as Excel reads them in every country."""
    file = TemporaryFile()  # noqa: SIM115  its sending closes it
    text = TextIOWrapper(file, "utf-8-sig", newline="")
    csv.writer(text).writerow(HEADS)
    text.detach()
    shutil.copyfileobj(lines, file)
    file.seek(0)
    return file


def as_sheet(about: list[tuple[str, str]], lines: IO[bytes]) -> IO[bytes]:
    """The spooled lines under the heads as a workbook, with a second sheet that says what they are."""
    file = TemporaryFile()  # noqa: SIM115  its sending closes it
    with Workbook(file, {"constant_memory": True}) as book:
        sheet = book.add_worksheet("Activity")
        sheet.set_column(0, len(HEADS) - 1, COLUMN_CHARACTERS)
        sheet.freeze_panes(1, 1)
        sheet.write_row(0, 0, HEADS)
        text = TextIOWrapper(lines, "utf-8", newline="")
        for place, row in enumerate(csv.reader(text), start=1):
            for at, cell in enumerate(row):
                sheet.write_string(place, at, cell)
        text.detach()
        note = book.add_worksheet("About")
        for place, (what, words) in enumerate(about):
            note.write_string(place, 0, what)
            note.write_string(place, 1, safe(words))
    file.seek(0)
    return file


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


FORMATS: dict[str, Any] = {
    "csv": (as_csv, "text/csv; charset=utf-8"),
    "xlsx": (as_sheet, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
}

"""Tables that people download, as CSV and for Excel: spooled to the disk, and with text that no spreadsheet runs."""

import csv
import shutil
from collections.abc import Iterable, Mapping
from io import TextIOWrapper
from tempfile import TemporaryFile
from typing import IO, Any

from xlsxwriter import Workbook

FORMULAS = tuple("=+-@\t\r\n＝＋－＠")  # how a cell begins that is run; some spreadsheets read full-width letters too
MOST_SHEET_ROWS = 1_048_576 - 1  # of Excel, without the heads
COLUMN_CHARACTERS = 18  # the width of a sheet's columns

Heads = Mapping[str, bool]  # the head of each column → whether its cells are numbers
About = Iterable[tuple[str, str]]  # what a file is about, in lines of two cells


def safe(text: str) -> str:
    """The text with an apostrophe in front if a spreadsheet would run it as a formula."""
    return f"'{text}" if text.startswith(FORMULAS) else text


def spool(rows: Iterable[list[Any]]) -> tuple[IO[bytes], int]:
    """The rows as lines of CSV in a temporary file, which its closing deletes, and how many there are."""
    file, count = temporary_file(), 0
    text = TextIOWrapper(file, "utf-8", newline="")
    writer = csv.writer(text)
    for row in rows:
        writer.writerow(row)
        count += 1
    text.detach().seek(0)
    return file, count


def as_csv(_title: str, _about: About, heads: Heads, lines: IO[bytes]) -> IO[bytes]:
    """The spooled lines under the heads of their columns, as a CSV file."""
    file = temporary_file()
    # With a byte order mark: without it Excel reads the file in the encoding of the machine's country.
    text = TextIOWrapper(file, "utf-8-sig", newline="")
    csv.writer(text).writerow(heads)
    text.detach()
    shutil.copyfileobj(lines, file)
    file.seek(0)
    return file


def as_sheet(title: str, about: About, heads: Heads, lines: IO[bytes]) -> IO[bytes]:
    """The spooled lines under the heads, for Excel, with a second sheet that says what they are.

    Texts are written as texts: no formulas, no links.
    """
    file, numbers = temporary_file(), list(heads.values())
    with Workbook(file, {"constant_memory": True}) as book:
        book.use_zip64()
        sheet = book.add_worksheet(title)
        sheet.set_column(0, len(heads) - 1, COLUMN_CHARACTERS)
        sheet.freeze_panes(1, 1)
        sheet.write_row(0, 0, heads)
        text = TextIOWrapper(lines, "utf-8", newline="")
        for line, row in enumerate(csv.reader(text), start=1):
            for at, cell in enumerate(row):
                if cell and numbers[at]:
                    sheet.write_number(line, at, float(cell))
                elif cell:
                    sheet.write_string(line, at, cell)
        text.detach()
        note = book.add_worksheet("About")
        note.set_column(0, 0, COLUMN_CHARACTERS)
        for line, (what, words) in enumerate(about):
            note.write_string(line, 0, what)
            note.write_string(line, 1, safe(words))
    file.seek(0)
    return file


def temporary_file() -> IO[bytes]:
    """A file on the disk, which is deleted when it is closed."""
    return TemporaryFile()


FORMATS = {
    "csv": (as_csv, "text/csv; charset=utf-8"),
    "xlsx": (as_sheet, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
}

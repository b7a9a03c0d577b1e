"""All orders of a list as a file, in the list's order, at flat memory however many they are.

The rows are written to a file without a name first: then their count is known, it is of exactly these rows, and the
file's first line can name it. They are read 2,000 at a time, each time by a query of its own: a cursor over all of them
would hold a transaction open for as long as it takes, and on PostgreSQL nothing is cleaned up meanwhile. So each row
fits the filter at the moment at which it is read; what is placed after the beginning is left out, and an order whose
charge moves in a list sorted by charge stands there at most once.
"""

import csv
import shutil
from collections.abc import Callable, Iterator
from datetime import datetime
from decimal import Decimal
from io import TextIOWrapper
from tempfile import TemporaryFile
from typing import IO, Any, NamedTuple

from django.db.models import Count, Q, Value
from django.db.models.functions import Coalesce, NullIf
from xlsxwriter import Workbook

from orders.models import Order, Task
from orders.rules.statuses import label
from orders.table.filters import NETWORK_NAMES
from orders.table.listing import Listing
from orders.table.paging import all_ids
from orders.table.rows import is_one_of
from panel.format.spreadsheet import safe
from panel.format.times import machine, zone_name

READ_AT_ONCE = 2_000  # orders
MOST_OF_A_SHEET = 1_048_576 - 2  # Excel's rows, without the title and the heads
MARK = "\ufeff"  # without it Excel reads a CSV in the letters of the machine's country, and breaks every name
WIDTH = 18  # of a sheet's columns, in letters


def money_text(amount: Decimal | None) -> str:
    """`0.0042`: a point, no groups, no sign of a currency."""
    return "" if amount is None else f"{amount.normalize():f}"


def time_text(at: datetime | None) -> str:
    """ISO 8601 with its offset."""
    return machine(at) if at else ""


class Column(NamedTuple):
    """One column of the file: the field of an order that it reads, and what becomes of it there."""

    field: str
    cell: Callable[[Any], Any] = lambda value: value  # texts are safe for spreadsheets
    number: bool = False


PERSON = Coalesce(NullIf("placed_by__name", Value("")), "placed_by__username")
COLUMNS = {
    "order":                  Column("pk", number=True),
    "upstream id":            Column("upstream_id", lambda upstream_id: safe(upstream_id or "")),
    "request id":             Column("request_id", str),
    "status":                 Column("status", safe),
    "status in words":        Column("status", lambda status: safe(label(status))),
    "service id":             Column("service__upstream_id", number=True),
    "service":                Column("service__name", safe),
    "type":                   Column("service__type", safe),
    "category":               Column("category", safe),
    "network":                Column("network", lambda network: safe(NETWORK_NAMES.get(network, network))),
    "link":                   Column("link", safe),
    "quantity":               Column("quantity", number=True),
    "runs":                   Column("runs", number=True),
    "interval in minutes":    Column("interval", number=True),
    "start count":            Column("start_count", number=True),
    "remains":                Column("remains", number=True),
    "charge":                 Column("charge", money_text, number=True),
    "currency":               Column("currency", safe),
    "expected charge in USD": Column("expected_charge", money_text, number=True),
    "refills used":           Column("refills_elsewhere", number=True),  # those of the desk are counted apart
    "placed by":              Column("person", safe),
    "placed at":              Column("created_at", time_text),
    "checked at":             Column("reported_at", time_text),
}  # fmt: skip
FIELDS = tuple(dict.fromkeys(column.field for column in COLUMNS.values()))
CELLS = [(FIELDS.index(column.field), column.cell) for column in COLUMNS.values()]
REFILLS_USED = list(COLUMNS).index("refills used")
NUMBERS = [column.number for column in COLUMNS.values()]


# ── Rows ─────────────────────────────────────────────────────────────────────────────────────────
def export_rows(listing: Listing) -> Iterator[list[Any]]:
    """The list's orders from its top, each once, with a cell for each of COLUMNS."""
    newest = Order.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    wanted = listing.list_query._replace(where=listing.where & Q(pk__lte=newest))
    orders = listing.orders().filter(wanted.where).order_by().annotate(person=PERSON)
    written = bytearray(newest // 8 + 1)  # a bit an order
    for pks in all_ids(wanted, listing.sort, READ_AT_ONCE):
        found = {values[0]: values for values in orders.filter(is_one_of(pks)).values_list(*FIELDS)}
        used = refills_of(pks)
        for pk in pks:
            if pk in found and not written[pk // 8] & 1 << pk % 8:
                written[pk // 8] |= 1 << pk % 8
                values = found[pk]
                cells = [cell(values[at]) for at, cell in CELLS]
                cells[REFILLS_USED] += used.get(pk, 0)
                yield cells


def refills_of(pks: list[int]) -> dict[int, int]:
    """Order → the refills that the desk asked for and that count."""
    counted = Task.objects.filter(is_one_of(pks, "order_id"), kind=Task.Kind.REFILL, slot__isnull=False).order_by()
    return dict(counted.values("order").annotate(used=Count("pk")).values_list("order", "used"))


# ── Words ────────────────────────────────────────────────────────────────────────────────────────
def filter_of(listing: Listing) -> str:
    """What the list is narrowed to and sorted by: `Completed, Link on: instagram.com, newest first`."""
    tab = label(listing.status) if listing.status else "All statuses"
    return ", ".join([tab, *(f"{name}: {words}" for name, words, _ in listing.chips()), listing.sort.words])


def title(listing: Listing, count: int, now: datetime) -> str:
    """The first line."""
    made = f"exported by {listing.user} at {machine(now)}"
    return f"Orders: {filter_of(listing)}; {count} orders; times in {zone_name()}; {made}"


# ── Files ────────────────────────────────────────────────────────────────────────────────────────
def temporary_file() -> IO[bytes]:
    """On the disk, not in memory; gone when it is closed, however that comes about."""
    return TemporaryFile()


def spool(rows: Iterator[list[Any]]) -> tuple[IO[bytes], int]:
    """The rows as lines of CSV in a file, and how many there are."""
    file, count = temporary_file(), 0
    text = TextIOWrapper(file, "utf-8", newline="")
    writer = csv.writer(text)
    for row in rows:
        writer.writerow(row)
        count += 1
    text.detach().seek(0)
    return file, count


def as_csv(title: str, lines: IO[bytes]) -> IO[bytes]:
    """What it is, the heads, the lines."""
    file = temporary_file()
    text = TextIOWrapper(file, "utf-8", newline="")
    text.write(MARK)
    csv.writer(text).writerows([[safe(title)], list(COLUMNS)])
    text.detach()
    shutil.copyfileobj(lines, file)
    file.seek(0)
    return file


def as_sheet(title: str, lines: IO[bytes]) -> IO[bytes]:
    """The same for Excel: texts are texts there, neither formulas nor links; row after row, none is kept in memory."""
    file = temporary_file()
    with Workbook(file, {"constant_memory": True}) as book:
        book.use_zip64()
        sheet = book.add_worksheet("Orders")
        sheet.set_column(0, len(COLUMNS) - 1, WIDTH)
        sheet.freeze_panes(2, 1)
        sheet.write_string(0, 0, safe(title))
        for at, head in enumerate(COLUMNS):
            sheet.write_string(1, at, head)
        text = TextIOWrapper(lines, "utf-8", newline="")
        for line, row in enumerate(csv.reader(text), start=2):
            for at, cell in enumerate(row):
                if cell and NUMBERS[at]:
                    sheet.write_number(line, at, float(cell))
                elif cell:
                    sheet.write_string(line, at, cell)
        text.detach()
    file.seek(0)
    return file


FORMATS = {
    "csv": (as_csv, "text/csv; charset=utf-8"),
    "xlsx": (as_sheet, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
}

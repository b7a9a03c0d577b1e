"""All orders of a list as a file, in the list's order, at flat memory however many they are.

The rows are written to a file without a name first: then their count is known, it is of exactly these rows, and the
file's first line can name it. They are read 2,000 at a time, each time by a query of its own: a cursor over all of them
would hold a transaction open for as long as it takes, and on PostgreSQL nothing is cleaned up meanwhile. So each row
fits the filter at the moment at which it is read; what is placed after the beginning is left out, and an order whose
charge moves in a list sorted by charge stands there at most once.
"""

import csv
import shutil
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from io import TextIOWrapper
from tempfile import TemporaryFile
from typing import IO, Any

from django.db.models import Count, Q
from xlsxwriter import Workbook

from orders.models import Order, Task
from orders.rules.statuses import label
from orders.table.filters import NAMES
from orders.table.listing import Listing
from orders.table.paging import all_of
from orders.table.rows import one_of
from panel.format.spreadsheet import safe
from panel.format.times import machine, zone_name

READ_AT_ONCE = 2_000  # orders
MOST_OF_A_SHEET = 1_048_576 - 2  # Excel's rows, without the title and the heads
MARK = "\ufeff"  # without it Excel reads a CSV in the letters of the machine's country, and breaks every name
WIDTH = 18  # of a sheet's columns, in letters

# Head → whether it is a number. Times are ISO 8601 with their offset; money stands plain, with its currency beside it.
COLUMNS = {
    "order": True, "upstream id": False, "request id": False, "status": False, "status in words": False,
    "service id": True, "service": False, "type": False, "category": False, "network": False, "link": False,
    "quantity": True, "runs": True, "interval in minutes": True, "start count": True, "remains": True,
    "charge": True, "currency": False, "expected charge in USD": True, "refills used": True, "placed by": False,
    "placed at": False, "checked at": False,
}  # fmt: skip
NUMBERS = tuple(COLUMNS.values())
READ = ("pk", "upstream_id", "request_id", "status", "service__upstream_id", "service__name", "service__type",
        "category", "network", "link", "quantity", "runs", "interval", "start_count", "remains", "charge", "currency",
        "expected_charge", "refills_elsewhere", "placed_by__name", "placed_by__username", "created_at",
        "reported_at")  # fmt: skip


# ── Rows ─────────────────────────────────────────────────────────────────────────────────────────
def rows(listing: Listing) -> Iterator[list[Any]]:
    """The list's orders from its top, each once, as COLUMNS; texts are safe."""
    newest = Order.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    wanted = listing.wanted._replace(where=listing.where & Q(pk__lte=newest))
    orders = listing.orders().filter(wanted.where).order_by()
    written = bytearray(newest // 8 + 1)  # a bit an order
    for pks in all_of(wanted, listing.sort, READ_AT_ONCE):
        found = {row[0]: row for row in orders.filter(one_of(pks)).values_list(*READ)}
        used = refills_of(pks)
        for pk in pks:
            if pk in found and not written[pk // 8] & 1 << pk % 8:
                written[pk // 8] |= 1 << pk % 8
                yield row_of(found[pk], used.get(pk, 0))


def refills_of(pks: list[int]) -> dict[int, int]:
    """Order → the refills that the desk asked for and that count."""
    counted = Task.objects.filter(one_of(pks, "order_id"), kind=Task.Kind.REFILL, slot__isnull=False).order_by()
    return dict(counted.values("order").annotate(used=Count("pk")).values_list("order", "used"))


def row_of(read: tuple[Any, ...], used: int) -> list[Any]:
    (
        pk, upstream_id, request_id, status, service, service_name, type_, category, network, link, quantity, runs,
        interval, start, remains, charge, currency, expected, elsewhere, name, username, placed, checked,
    ) = read  # fmt: skip
    return [
        pk, safe(upstream_id or ""), str(request_id), safe(status), safe(label(status)), service, safe(service_name),
        safe(type_), safe(category), safe(NAMES.get(network, network)), safe(link), quantity, runs, interval, start,
        remains, plain(charge), safe(currency), plain(expected), used + elsewhere, safe(name or username),
        moment(placed), moment(checked),
    ]  # fmt: skip


def plain(amount: Decimal | None) -> str:
    """`0.0042`: a point, no groups, no sign of a currency."""
    return "" if amount is None else f"{amount.normalize():f}"


def moment(at: datetime | None) -> str:
    return machine(at) if at else ""


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
def nameless() -> IO[bytes]:
    """On the disk, not in memory; gone when it is closed, however that comes about."""
    return TemporaryFile()


def spooled(rows: Iterator[list[Any]]) -> tuple[IO[bytes], int]:
    """The rows as lines of CSV in a file, and how many there are."""
    file, count = nameless(), 0
    text = TextIOWrapper(file, "utf-8", newline="")
    writer = csv.writer(text)
    for row in rows:
        writer.writerow(row)
        count += 1
    text.detach().seek(0)
    return file, count


def as_csv(title: str, lines: IO[bytes]) -> IO[bytes]:
    """What it is, the heads, the lines."""
    file = nameless()
    text = TextIOWrapper(file, "utf-8", newline="")
    text.write(MARK)
    csv.writer(text).writerows([[safe(title)], list(COLUMNS)])
    text.detach()
    shutil.copyfileobj(lines, file)
    file.seek(0)
    return file


def as_sheet(title: str, lines: IO[bytes]) -> IO[bytes]:
    """The same for Excel: texts are texts there, neither formulas nor links; row after row, none is kept in memory."""
    file = nameless()
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


FORMS = {
    "csv": (as_csv, "text/csv; charset=utf-8"),
    "xlsx": (as_sheet, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
}

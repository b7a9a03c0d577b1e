"""A report as a file: a line for each row of its split, and one for their sum, with amounts to the sixth decimal."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from orders.reports.figures import Totals
from orders.reports.period import COMPARED, SPLITS, Period
from orders.reports.splits import KEY_OF, Row, split_of
from orders.reports.statement import read_sums
from orders.statistics.charge_totals import dollars
from panel.format.spreadsheet import safe
from panel.format.times import machine, zone_name

EVERY_ROW = 1_000_000
COUNTS = ("orders", "units", "refused", "ended", "ended_units", "delivered", "cancelled", "late", "refills", "refilled",
          "elsewhere")  # fmt: skip
AMOUNTS = ("expected", "charged", "ended_charged", "given_back", "sold", "margin")


def heads_of(period: Period, sees_money: bool) -> dict[str, bool]:
    """The heads of the columns, and whether each holds numbers."""
    figures = (*COUNTS, *(AMOUNTS if sees_money else ()))
    before = [f"{name} before" for name in figures] if period.shift else []
    return {SPLITS[period.split].lower(): False, "what": False, **dict.fromkeys((*figures, *before), True)}


def lines_of(period: Period, sees_money: bool) -> Iterator[list[Any]]:
    """The lines of the file, the largest first, then the sum of all."""
    sums = read_sums(period.first, period.last, period.shift, KEY_OF.get(period.split, period.split))
    split = split_of(sums, period, "charged" if sees_money else "orders", EVERY_ROW)
    for row in (*split.rows, split.total):
        yield _line(row, period, sees_money)


def _line(row: Row, period: Period, sees_money: bool) -> list[Any]:
    periods = (row.now, row.before) if period.shift else (row.now,)
    cells = [cell for totals in periods for cell in _cells(totals, sees_money)]
    return [safe(row.name.text), safe(row.name.sub), *cells]


def _cells(totals: Totals, sees_money: bool) -> list[str]:
    counts = [str(getattr(totals, name)) for name in COUNTS]
    return counts + [f"{dollars(getattr(totals, name)):f}" for name in AMOUNTS if sees_money]


def about(period: Period, user: Any, now: datetime) -> list[tuple[str, str]]:
    """What the file is about, in lines of two cells."""
    return [
        ("Report", f"{SPLITS[period.split]}, {period.words}"),
        ("Compared with", period.before_words if period.shift else COMPARED["no"]),
        ("Days in", zone_name()),
        ("Money", "US dollars; a day’s orders are those that were placed on it"),
        ("Exported by", str(user)),
        ("Exported at", machine(now)),
    ]  # fmt: skip


def file_name(period: Period, extension: str) -> str:
    """`report-service-2026-11-01-to-2026-11-28.csv`."""
    return f"report-{period.split}-{period.first}-to-{period.last}.{extension}"

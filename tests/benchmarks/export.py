"""All orders as CSV: memory must not grow with them."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread
from time import perf_counter

from django.db import connection
from django.http import QueryDict

from accounts.models import User
from orders.models import Order
from orders.table import export
from orders.table.listing import Listing
from panel.format.spreadsheet import as_csv, spool
from tests.benchmarks import data, measure

SIZES = (100_000, int(os.environ.get("EXPORT_ORDERS", "1000000")))
NEWEST = SIZES[-1]
MOST_MB = 40  # beyond what the process had before
MOST_GROWTH = 1.2
BLOCK = 65_536
SAMPLED_EVERY = 0.01  # seconds


def main() -> int:
    figures = measure.Figures(f"export: {SIZES[0]:,} and {SIZES[1]:,} orders as CSV")
    with measure.desk():
        owner = data.open_desk()
        elsewhere(lambda: data.write_orders(NEWEST - data.RECENT + 1, data.RECENT))
        there, peaks = data.RECENT, []
        once(owner)  # the first one in a process also fills caches
        for size in SIZES:
            first, blocks = NEWEST - there + 1, (size - there) // data.RECENT
            elsewhere(lambda first=first, blocks=blocks: fill(first, blocks))  # type: ignore[misc]
            there = size
            assert Order.objects.count() == size
            before, began = memory(), perf_counter()
            with watched() as peak:
                lines, length = once(owner)
            took = perf_counter() - began
            assert lines == size
            peaks.append(peak[0])
            figures.say(f"{size:,} orders: {length / 1e6:,.0f} MB in {took:.1f} s, {size / took:,.0f} rows a second")
            figures.at_most(f"MB more than before at {size:,}", peak[0] - before, MOST_MB)
        figures.at_most("peak of the process, larger against smaller", peaks[1] / peaks[0], MOST_GROWTH)
    return figures.end()


def fill(first: int, blocks: int) -> None:
    """Older orders before `first`, by copies of the thousand that begins there."""
    data.write_older(first, blocks)


def once(owner: User) -> tuple[int, int]:
    """The whole export, read to its end: how many rows it says, and its bytes."""
    listing = Listing.of(owner, QueryDict(""))
    lines, count = spool(export.export_rows(listing))
    with lines, as_csv("Orders", [], dict.fromkeys(export.COLUMNS, False), lines) as file:
        return count, sum(map(len, iter(lambda: file.read(BLOCK), b"")))


def elsewhere(work: Callable[[], object]) -> None:
    """In a process of its own, whose memory goes with it."""
    connection.close()
    if child := os.fork():
        assert os.waitpid(child, 0)[1] == 0
    else:
        try:
            work()
            connection.close()
        except BaseException:
            os._exit(1)
        os._exit(0)


@contextmanager
def watched() -> Iterator[list[float]]:
    """The most memory that the process had meanwhile."""
    peak, over = [memory()], Event()

    def sample() -> None:
        while not over.wait(SAMPLED_EVERY):
            peak[0] = max(peak[0], memory())

    sampler = Thread(target=sample)
    sampler.start()
    try:
        yield peak
    finally:
        over.set()
        sampler.join()


def memory() -> float:
    """MB that the process has for itself. Without the database's file, which SQLite maps: it is the system's cache."""
    [line] = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("RssAnon:")]
    return int(line.split()[1]) / 1024


if __name__ == "__main__":
    raise SystemExit(main())

"""The catalog of 10,000 services: what it costs when nothing moved, and how long it locks when everything did."""

import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal
from functools import partial
from statistics import median
from threading import Event
from typing import NamedTuple, cast
from unittest.mock import patch

from django.db import connection, transaction
from django.utils import timezone

from catalog.models import RateChange, Service
from catalog.sync import ROWS_A_WRITE, UPSTREAM_COLUMNS, apply_catalog
from panel.notpanel.client import Client
from panel.notpanel.shapes import Balance, Catalog, ServiceRow
from panel.upstream.models import Chore
from panel.worker.loop import work
from tests.benchmarks import measure
from tests.makers import make_row

ROWS = 10_000  # as many as NotPanel has
ROUNDS = 4  # the naive way takes five seconds a round
REWRITES = 7
MOST_QUERIES = 3
LEAST_TIMES_FASTER = 50
MOST_SECONDS_LOCKED = 0.050


def main() -> int:
    figures = measure.Figures(f"catalog: {ROWS:,} services, unchanged and rewritten")
    with measure.desk():
        rows = services()
        apply_catalog(Catalog(tuple(rows), ()), timezone.now())
        unchanged(rows, figures)
        rewritten(rows, figures)
    return figures.end()


def unchanged(rows: list[ServiceRow], figures: measure.Figures) -> None:
    """Nothing moved since the last sync."""

    def ours() -> object:
        return apply_catalog(Catalog(tuple(rows), ()), timezone.now())

    def naive() -> None:
        with transaction.atomic():  # at its best: one commit for all
            for row in rows:
                said = {name: getattr(row, name) for name in UPSTREAM_COLUMNS}
                Service.objects.update_or_create(upstream_id=row.upstream_id, defaults=said)

    queries = measure.queries_of(ours)
    figures.exactly("unchanged: statements that write", measure.writes_among(queries), 0)
    figures.at_most("unchanged: queries", len(queries), MOST_QUERIES)
    if measure.on_sqlite():
        before = measure.raw().total_changes
        ours()
        figures.exactly("unchanged: rows that SQLite wrote", measure.raw().total_changes - before, 0)
    race = measure.race(ours, naive, ROUNDS, warm=1)
    figures.say(f"the diff against update_or_create a row, in one transaction: {race}")
    figures.at_least("unchanged: times faster than update_or_create", 1 / race.at_most, LEAST_TIMES_FASTER)


def rewritten(rows: list[ServiceRow], figures: measure.Figures) -> None:
    """Every service has another name, price and maximum than before; taken in by the worker, as it is done."""
    longest = []
    for turn in range(1, REWRITES + 1):
        moved = [
            replace(row, name=f"{row.name} v{turn}", rate=row.rate + turn, maximum=row.maximum + turn) for row in rows
        ]
        Chore.objects.update(due_at=timezone.now())
        with write_transactions() as lengths:
            took = measure.seconds(partial(work, cast(Client, Phone(tuple(moved))), Event(), once=True))
        longest.append(max(lengths))
        figures.say(
            f"rewrite {turn}: {took:.2f} s, {len(lengths)} write transactions: "
            f"median {median(lengths) * 1000:.1f} ms, longest {longest[-1] * 1000:.1f} ms"
        )
    assert RateChange.objects.count() == ROWS * (1 + REWRITES), "a rewrite that wrote less measures nothing"
    figures.say(f"{ROWS_A_WRITE} rows a transaction; the longest of all rounds {max(longest) * 1000:.1f} ms")
    figures.at_most("rewrite: longest write lock of a round, ms", median(longest) * 1000, MOST_SECONDS_LOCKED * 1000)


class Phone(NamedTuple):
    """A Client whose upstream answers at once."""

    rows: tuple[ServiceRow, ...]
    meter: None = None

    def services(self) -> Catalog:
        return Catalog(self.rows, ())

    def balance(self) -> Balance:
        return Balance(Decimal(100), "USD", timezone.now())


@contextmanager
def write_transactions() -> Iterator[list[float]]:
    """Collects how long each transaction is open, from before its BEGIN to after its COMMIT, in seconds.

    A statement outside of any transaction is one by itself.
    """
    lengths: list[float] = []
    began = 0.0
    set_autocommit = connection.set_autocommit

    def timed(autocommit: bool, *args: object, **kwargs: object) -> None:
        nonlocal began
        began = began if autocommit else time.perf_counter()
        set_autocommit(autocommit, *args, **kwargs)  # type: ignore[arg-type]
        if autocommit:
            lengths.append(time.perf_counter() - began)

    def alone(execute: object, sql: str, *args: object) -> object:
        at = time.perf_counter()
        answer = execute(sql, *args)  # type: ignore[operator]
        if not connection.in_atomic_block and measure.writes_among([sql]) and not sql.startswith("BEGIN"):
            lengths.append(time.perf_counter() - at)
        return answer

    with patch.object(connection, "set_autocommit", timed), connection.execute_wrapper(alone):
        yield lengths


def services() -> list[ServiceRow]:
    """A catalog in the manner of the trade: many near-twins, long names."""
    chance = random.Random(measure.SEED)
    networks = ("Instagram", "TikTok", "YouTube", "Telegram", "X", "Facebook", "Spotify", "Discord")
    goods = ("Followers", "Likes", "Views", "Comments", "Shares", "Saves")
    return [
        make_row(
            upstream_id=number,
            name=f"{(network := chance.choice(networks))} {(good := chance.choice(goods))} | Max {number}K "
            f"| R{chance.choice((0, 30, 60, 365))} | Day {chance.randrange(1, 90)}K | Non Drop | Instant",
            category=f"{network} › {good}",
            rate=Decimal(chance.randrange(1, 900_000)) / 10_000,
            refill=chance.random() < 0.5,
            cancel=chance.random() < 0.5,
        )
        for number in range(1, ROWS + 1)
    ]


if __name__ == "__main__":
    raise SystemExit(main())

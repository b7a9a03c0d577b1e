"""Whether everything costs the same with a million orders as with a thousand, counted and not timed.

`python -m tests.benchmarks.flat` compares a thousand orders with a million, on DATABASE_URL's database, and writes the
table that lies beside this file anew. With `--counted` it compares with twenty thousand, for CI, and writes nothing.
"""

import logging
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from django.conf import settings
from django.db import connection
from django.utils import timezone

from accounts.factors import proof
from accounts.models import User
from tests.addresses import routes
from tests.benchmarks import measure, polls, rounds, visits
from tests.benchmarks.allowances import allowance_of
from tests.benchmarks.desks import write_desk
from tests.benchmarks.measure import Counts
from tests.benchmarks.rounds import Probe
from tests.benchmarks.subjects import subjects
from tests.benchmarks.visitor import Visitor
from tests.deliveries import OLDER, SECRET

FEW, SOME, MANY = 1_000, 20_000, 1_000_000
MOST_GROWTH = 1.2
SPARE_BLOCKS = 3  # of a statement on PostgreSQL: the few rows of a small table lie in one block, and in a large one not
LOT, LOTS = 100, 10_000  # steps that are counted together where there are more than so many such lots
HERE = Path(__file__).parent
TABLE = HERE / "flat.md"
ENGINES = {"sqlite": "SQLite, VM steps", "postgresql": "PostgreSQL, blocks"}

Table = dict[str, Counts]


class Row(NamedTuple):
    """What one thing costs on both desks."""

    name: str
    few: Counts
    many: Counts
    allowed_units: int = 0  # beyond MOST_GROWTH, for rows that it lists more
    allowed_queries: int = 0

    @property
    def growth(self) -> float:
        return self.many.units / max(1, self.few.units)

    @property
    def flat(self) -> bool:
        units = self.many.units <= self.few.units * MOST_GROWTH + self.allowed_units
        return units and self.many.queries <= self.few.queries * MOST_GROWTH + self.allowed_queries


def row_of(name: str, few: Counts, many: Counts, size: int) -> Row:
    """The row, with what allowances.py allows it on a desk of this size."""
    spare = 0 if measure.on_sqlite() else SPARE_BLOCKS * few.queries
    if allowance := allowance_of(name):
        return Row(name, few, many, spare + allowance.units(connection.vendor, size), allowance.queries)
    return Row(name, few, many, spare)


def main(counted: bool) -> int:
    proof.PROOF_SECONDS = 10**6  # measuring takes longer than a proof is good for
    size = SOME if counted else MANY
    figures = measure.Figures(f"flat: everything at {size:,} orders against {FEW:,}")
    few, many = measured(FEW, figures), measured(size, figures)
    assert few.keys() == many.keys(), f"not on both desks: {sorted(few.keys() ^ many.keys())}"
    rows = [row_of(name, few[name], many[name], size) for name in few]
    for row in rows:
        figures.say(told(row))
    missed = [row for row in rows if not row.flat]
    for row in missed:
        figures.at_most(f"{told(row)}, of a thousand's", row.growth, MOST_GROWTH)
    figures.exactly("things that are not flat", len(missed), 0)
    if not counted:
        write_table(rows)
    return figures.end()


def measured(size: int, figures: measure.Figures) -> Table:
    """What every visit, press, poll and round costs on a desk of so many orders."""
    logging.getLogger("django.request").setLevel(logging.CRITICAL)  # some visits are meant to be refused
    with measure.desk(pages=True):
        owner: list[User] = []
        took = measure.seconds(lambda: owner.append(write_desk(size)))
        figures.say(f"wrote {size:,} orders in {took:.0f} s")
        polls.put_off()
        clean_up()
        settings.NOTPANEL_WEBHOOK_SECRETS = [SECRET, OLDER]
        visitor = Visitor(owner[0], subjects(owner[0]))
        table: Table = {}
        took = measure.seconds(lambda: table.update(counts_of(visitor, twice=size != SOME)))
        figures.say(f"measured {len(table)} things in {took:.0f} s")
        unseen = {route for route, _ in routes()} - visitor.routes
        assert not unseen, f"nobody came to {sorted(unseen)}; say in visits.py how"
        return table


def counts_of(visitor: Visitor, *, twice: bool) -> Table:
    table: Table = {}
    for probe in everything(visitor):
        assert probe.name not in table, f"two things are called {probe.name}"
        try:
            table[probe.name] = counts = count_of(probe, twice=twice)
        except Exception as error:
            raise AssertionError(f"{probe.name}: {type(error).__name__}: {error}") from error
        assert counts.writes or not probe.writes, f"{probe.name}: it wrote nothing"
        if probe.dirty:
            clean_up()
    return table


def count_of(probe: Probe, *, twice: bool) -> Counts:
    """What one thing costs. The first time in a process also fills caches, so there it is done twice.

    Millions of SQLite's steps are not counted one by one.
    """
    first = measure.counted(probe.work, probe.prepare, every=LOT) if twice else None
    if first and measure.on_sqlite() and first.units >= LOTS * LOT:
        return first
    return measure.counted(probe.work, probe.prepare)


def everything(visitor: Visitor) -> Iterator[Probe]:
    """What only reads comes first, for what a rolled back change leaves behind makes others read more."""
    all_visits = list(visits.all_visits(visitor))
    yield from sorted(all_visits, key=lambda probe: probe.writes)
    clean_up()
    yield from rounds.all_rounds()


def clean_up() -> None:
    """Takes away what rolled back changes leave in PostgreSQL's tables and indexes; SQLite leaves nothing."""
    if not measure.on_sqlite():
        with connection.cursor() as cursor:
            cursor.execute("VACUUM (INDEX_CLEANUP ON)")


# ── What is known ────────────────────────────────────────────────────────────────────
# ── Tables ───────────────────────────────────────────────────────────────────────────────────────
def told(row: Row) -> str:
    units = f"{row.few.units:>9,} {row.many.units:>13,} {row.growth:>9.2f}"
    return f"{units}  {row.few.queries:>3} {row.many.queries:>3}  {'' if row.flat else 'NOT FLAT '}{row.name}"


def write_table(rows: list[Row]) -> None:
    """Writes this database's part of the table anew, and leaves the other's as it is."""
    parts = dict(re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", TABLE.read_text() if TABLE.exists() else "", re.M | re.S))
    commit = subprocess.run(["git", "describe", "--always", "--dirty"], capture_output=True, text=True, check=False)
    lines = [f"Measured on {timezone.now():%Y-%m-%d} at commit {commit.stdout.strip() or '?'}.", "",
             f"| what | {FEW:,} | {MANY:,} | times | queries | |", "|---|--:|--:|--:|--:|---|"]  # fmt: skip
    for row in rows:
        queries = str(row.few.queries) if row.few.queries == row.many.queries else (
            f"{row.few.queries} → {row.many.queries}")  # fmt: skip
        allowance = allowance_of(row.name)
        verdict = (allowance.why if allowance and row.growth > MOST_GROWTH else "") if row.flat else "**not flat**"
        name = row.name.replace("|", "\\|")
        lines.append(
            f"| `{name}` | {row.few.units:,} | {row.many.units:,} | {row.growth:.2f} | {queries} | {verdict} |"
        )
    parts[ENGINES[connection.vendor]] = "\n" + "\n".join(lines) + "\n\n"
    text = "# What everything costs with a thousand orders and with a million\n\n"
    text += "Written by `make flat`. A press, round or chore counts its statements that write, and triggers, too.\n\n"
    text += "".join(f"## {engine}\n{part}" for engine in ENGINES.values() if (part := parts.get(engine)))
    TABLE.write_text(text.rstrip() + "\n")


if __name__ == "__main__":
    raise SystemExit(main(counted="--counted" in sys.argv))

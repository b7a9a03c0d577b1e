"""What every benchmark measures with: a desk of its own, exact counters, interleaved clocks, figures with bounds."""

import io
import json
import os
import platform
import random
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from statistics import median
from typing import NamedTuple

import django
from django.conf import settings
from django.core.management import call_command
from django.db import connection, reset_queries, transaction
from django.test.utils import CaptureQueriesContext

SEED = 20_261_120  # of everything that is drawn; the same desk on every machine
BOOTSTRAPS = 2_000  # resampled rounds for the interval of a ratio
SURE = 0.95

Work = Callable[[], object]


# ── A desk of its own ────────────────────────────────────────────────────────────────────────────
@contextmanager
def desk(*, pages: bool = False) -> Iterator[Path]:
    """An empty, migrated database made for this measurement and removed after it; with `pages` also the static files.

    Which engine is DATABASE_URL's to say; its own database is never touched. Gives the folder it all lies in.
    """
    with tempfile.TemporaryDirectory(prefix="desk-benchmark-") as name:
        folder = Path(name)
        if on_sqlite():
            connection.settings_dict["TEST"]["NAME"] = str(folder / "desk.sqlite3")
        theirs = str(connection.settings_dict["NAME"])
        with redirect_stdout(io.StringIO()):  # it says that the cache's table is there, which a migration made
            connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
        try:
            if pages:
                settings.STATIC_ROOT = folder / "static"
                call_command("collectstatic", interactive=False, verbosity=0)
            yield folder
        finally:
            connection.creation.destroy_test_db(theirs, verbosity=0)


def on_sqlite() -> bool:
    return connection.vendor == "sqlite"


def raw() -> sqlite3.Connection:
    """Python's own connection below Django's."""
    connection.ensure_connection()
    inner = connection.connection
    assert isinstance(inner, sqlite3.Connection)
    return inner


# ── Exact counters ───────────────────────────────────────────────────────────────────────────────
def queries_of(work: Work) -> list[str]:
    """Every statement that `work` runs, transactions' BEGIN and COMMIT included."""
    with CaptureQueriesContext(connection) as captured:
        work()
    return [query["sql"] for query in captured.captured_queries]


def of_transaction(sql: str) -> bool:
    """Whether a statement begins or ends a transaction or a savepoint."""
    return sql.split()[0] in ("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE")


def writes_among(queries: Sequence[str]) -> int:
    """How many of them are anything else than a question."""
    return sum(not sql.lstrip(" (").upper().startswith("SELECT") for sql in queries)


def vm_steps(work: Work, every: int = 1) -> int:
    """Instructions of SQLite's virtual machine that `work` takes, to the step: the same whatever else runs.

    With `every` they are counted in lots of so many within each statement, which is quicker for millions.
    """
    steps = 0

    def step() -> int:
        nonlocal steps
        steps += every
        return 0

    inner = raw()
    inner.execute("ANALYZE sqlite_master")  # reads the planner's numbers anew: those of a rollback are still at hand
    inner.set_progress_handler(step, every)
    try:
        work()
    finally:
        inner.set_progress_handler(None, 1)
    return steps


def shared_hit_blocks(queries: Sequence[str]) -> int:
    """Blocks that PostgreSQL reads from its cache or the disk to answer these questions."""
    blocks = 0
    with connection.cursor() as cursor:
        for sql in queries:
            if sql.startswith("SELECT"):
                cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {sql.replace('%', '%%')}", [])
                said = cursor.fetchone()[0]
                plan = (json.loads(said) if isinstance(said, str) else said)[0]["Plan"]
                blocks += plan["Shared Hit Blocks"] + plan["Shared Read Blocks"]
    return blocks


# The blocks of our tables, their indexes and long texts that this transaction has read so far, each as often as it was
# read. Without the inner pages of indexes, of which a larger table's has one or two more: one for each level and each
# time that the index was searched or had a row put into it.
BLOCKS_SO_FAR = """
    SELECT coalesce(sum(
        pg_stat_get_xact_blocks_fetched(r.oid) - CASE WHEN i.indexrelid IS NULL THEN 0 ELSE l.level * (
            pg_stat_get_xact_numscans(r.oid)
            + pg_stat_get_xact_tuples_inserted(i.indrelid) + pg_stat_get_xact_tuples_updated(i.indrelid)
            - pg_stat_get_xact_tuples_hot_updated(i.indrelid)
        ) END
    ), 0)
    FROM pg_class r LEFT JOIN pg_index i ON i.indexrelid = r.oid LEFT JOIN index_levels l ON l.oid = r.oid
    WHERE r.relkind IN ('r', 'i', 't') AND r.relnamespace IN ('public'::regnamespace, 'pg_toast'::regnamespace)"""
# As they were when the measuring began: an index grows by no level meanwhile.
LEVELS = (
    "CREATE EXTENSION IF NOT EXISTS pageinspect",
    """CREATE TEMPORARY TABLE IF NOT EXISTS index_levels AS
    SELECT r.oid, CASE m.amname WHEN 'btree' THEN (bt_metap(r.oid::regclass::text)).level ELSE 0 END AS level
    FROM pg_class r JOIN pg_am m ON m.oid = r.relam
    WHERE r.relkind = 'i' AND r.relnamespace = 'public'::regnamespace""",
)


class Counts(NamedTuple):
    """What some work costs, exactly: the same whatever else the machine does."""

    units: int  # VM steps on SQLite, blocks on PostgreSQL; of all statements, those that write and their triggers too
    queries: int
    writes: int


def counted(work: Work, prepare: Work = lambda: None, every: int = 1) -> Counts:
    """What `work` costs after `prepare`, in a transaction that is rolled back at its end. `every`: as of vm_steps."""
    if not on_sqlite():
        execute(*LEVELS)
    with transaction.atomic():
        prepare()
        before = 0 if on_sqlite() else blocks_so_far()
        reset_queries()  # Django keeps the last nine thousand, and reads the captured ones by their place
        with CaptureQueriesContext(connection) as captured:
            steps = vm_steps(work, every) if on_sqlite() else (work(), 0)[1]
        units = steps if on_sqlite() else blocks_so_far() - before
        transaction.set_rollback(True)
    statements = [query["sql"].lstrip(" (").upper() for query in captured.captured_queries]
    writes = sum(statement.startswith(("INSERT", "UPDATE", "DELETE")) for statement in statements)
    return Counts(units, len(statements), writes)


def execute(*statements: str) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def blocks_so_far() -> int:
    with connection.cursor() as cursor:
        cursor.execute(BLOCKS_SO_FAR)
        return int(cursor.fetchone()[0])


# ── Clocks ───────────────────────────────────────────────────────────────────────────────────────
class Race(NamedTuple):
    """Two ways timed in turns: the ratio of their medians, and 95 % sure, what it is at most."""

    ratio: float
    at_most: float
    words: str  # both raw numbers, by both clocks

    def __str__(self) -> str:
        return self.words


class Times(NamedTuple):
    """One way's rounds, in seconds: by the clock on the wall, and of this process's processor time."""

    wall: list[float]
    processor: list[float]

    def judged(self) -> list[float]:
        """SQLite does everything in this process, so there its own time is the fairer clock: what else the machine
        does is not in it. With PostgreSQL half of the work is elsewhere, and only the wall knows."""
        return self.processor if on_sqlite() else self.wall


def race(ours: Work, theirs: Work, rounds: int, *, warm: int = 2) -> Race:
    """Times both in turns, A B B A, so that what else the machine does falls on both alike."""
    for _ in range(warm):
        ours(), theirs()
    mine, others = Times([], []), Times([], [])
    for turn in range(rounds):
        for work, times in ((ours, mine), (theirs, others))[:: 1 if turn % 2 == 0 else -1]:
            began = time.process_time()
            times.wall.append(seconds(work))
            times.processor.append(time.process_time() - began)
    chance = random.Random(SEED)
    a, b = mine.judged(), others.judged()
    ratios = sorted(
        median(chance.choices(a, k=rounds)) / median(chance.choices(b, k=rounds)) for _ in range(BOOTSTRAPS)
    )
    ratio, at_most = median(a) / median(b), ratios[int(BOOTSTRAPS * SURE)]
    words = (
        f"wall {_ms(mine.wall)} against {_ms(others.wall)} ms, "
        f"processor {_ms(mine.processor)} against {_ms(others.processor)} ms; "
        f"ratio {ratio:.4f}, 95 % below {at_most:.4f}, {rounds} rounds"
    )
    return Race(ratio, at_most, words)


def seconds(work: Work) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _ms(times: Sequence[float]) -> str:
    return f"{median(times) * 1000:.2f}"


# ── Figures ──────────────────────────────────────────────────────────────────────────────────────
class Figures:
    """What one benchmark found; its last lines say for each figure whether it keeps its bound."""

    def __init__(self, title: str) -> None:
        self._lines: list[str] = []
        self.missed = False
        self._began = time.monotonic()
        engine = f"SQLite {sqlite3.sqlite_version}" if on_sqlite() else f"PostgreSQL {_postgres_version()}"
        print(f"\n== {title}")
        print(
            f"{platform.platform()}, {os.cpu_count()} cores, Python {platform.python_version()}, "
            f"Django {django.get_version()}, {engine}, seed {SEED}"
        )

    def say(self, words: str) -> None:
        """A raw number, or how it came about."""
        print(f"   {words}", flush=True)

    def at_most(self, what: str, found: float, bound: float) -> None:
        self._judge(what, found <= bound, f"{_short(found)} (bound: at most {_short(bound)})")

    def at_least(self, what: str, found: float, bound: float) -> None:
        self._judge(what, found >= bound, f"{_short(found)} (bound: at least {_short(bound)})")

    def exactly(self, what: str, found: object, bound: object) -> None:
        self._judge(what, found == bound, f"{found} (bound: exactly {bound})")

    def end(self) -> int:
        """Prints the verdicts; the exit code, 1 when one is missed."""
        self.say(f"took {time.monotonic() - self._began:.0f} s")
        print("\n".join(self._lines), flush=True)
        return int(self.missed)

    def _judge(self, what: str, well: bool, numbers: str) -> None:
        self.missed = self.missed or not well
        self._lines.append(f"{'ok' if well else 'MISSED':6} {what}: {numbers}")


def _short(number: float) -> str:
    return f"{number:,}" if isinstance(number, int) else f"{number:,.3f}"


def _postgres_version() -> str:
    connection.ensure_connection()
    version: int = connection.pg_version  # type: ignore[attr-defined]
    return f"{version // 10_000}.{version % 10_000}"

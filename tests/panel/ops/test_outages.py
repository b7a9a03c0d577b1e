"""What a database's error tells of: an outage, a value that no query can have, or a mistake of ours."""

import sqlite3
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import DataError, IntegrityError, InterfaceError, OperationalError, ProgrammingError, connection

from orders.models import Tally
from panel.ops import outages
from panel.ops.outages import AWAY, BUSY, FULL, READ_ONLY, Outage, cannot_be_asked, outage_of
from panel.ops.write_probe import WATCH, WriteWatch, why_no_write


class OfPostgres(Exception):
    """Stands in for psycopg's errors: None for an SQLSTATE that no server gave."""

    def __init__(self, sqlstate: str | None, text: str = "") -> None:
        super().__init__(text)
        self.sqlstate = sqlstate


OfPostgresUnconnected = type("OperationalError", (OfPostgres,), {})


def raised_from(cause: Exception, error: type[Exception] = OperationalError) -> Exception:
    """Django's error with the driver's behind it, as Django raises it."""
    try:
        raise error(str(cause)) from cause
    except error as wrapped:
        return wrapped


@pytest.mark.parametrize(
    ("error", "outage"),
    [
        (OperationalError("database is locked"), BUSY),
        (OperationalError("database table is locked: orders_order"), BUSY),
        (raised_from(sqlite3.OperationalError("database is locked")), BUSY),
        (raised_from(OfPostgres("55P03", "canceling statement due to lock timeout")), BUSY),
        (raised_from(OfPostgres("57014", "canceling statement due to statement timeout")), BUSY),
        (raised_from(OfPostgres("40P01", "deadlock detected")), BUSY),
        (raised_from(sqlite3.OperationalError("database or disk is full")), FULL),
        (raised_from(OfPostgres("53100", "could not extend file: No space left on device")), FULL),
        (OperationalError("attempt to write a readonly database"), READ_ONLY),
        (OperationalError("disk I/O error"), READ_ONLY),
        (OperationalError("unable to open database file"), READ_ONLY),
        (raised_from(OfPostgres("25006", "cannot execute INSERT in a read-only transaction")), READ_ONLY),
        (raised_from(OfPostgres("57P03", "the database system is starting up")), AWAY),
        (raised_from(OfPostgres("53300", "too many clients already")), AWAY),
        (raised_from(OfPostgres("08006", "connection failure")), AWAY),
        (raised_from(OfPostgresUnconnected(None, "connection refused")), AWAY),
        (InterfaceError("connection already closed"), AWAY),
        # Mistakes, ours or of whoever sets the desk up: these stay what they are.
        (OperationalError("no such table: orders_order"), None),
        (OperationalError("the database is away"), None),
        (OperationalError("database disk image is malformed"), None),
        (raised_from(OfPostgres("42P01", "relation does not exist"), ProgrammingError), None),
        (raised_from(OfPostgres("23505", 'duplicate key: Key (name)=(database is locked)'), IntegrityError), None),
        (raised_from(OfPostgres("22P02", 'invalid input: "database or disk is full"'), DataError), None),
        (raised_from(OfPostgres(None, "cannot contain NUL"), DataError), None),
        (ValueError("database is locked"), None),
        (OSError("No space left on device"), None),
        (None, None),
    ],
)  # fmt: skip
def test_an_error_tells_of_an_outage(error: BaseException | None, outage: Outage | None) -> None:
    assert outage_of(error) == outage


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL's disk is elsewhere")
@pytest.mark.parametrize("words", ["disk I/O error", "unable to open database file"])
def test_what_sqlite_says_without_room_on_the_disk(monkeypatch: pytest.MonkeyPatch, words: str) -> None:
    monkeypatch.setattr(outages, "SCARCE_BYTES", 2**70)
    assert outage_of(OperationalError(words)) == FULL
    assert outage_of(OperationalError("database is locked")) == BUSY


@pytest.mark.parametrize(
    ("error", "asked"),
    [
        (OverflowError("Python int too large to convert to SQLite INTEGER"), False),
        (OperationalError("LIKE or GLOB pattern too complex"), False),
        (OperationalError("too many SQL variables"), False),
        (OperationalError("Expression tree is too large (maximum depth 1000)"), False),
        (OperationalError("parser stack overflow"), False),
        (DataError("string or blob too big"), False),
        (raised_from(OfPostgres("22003", "bigint out of range"), DataError), False),
        (raised_from(OfPostgres(None, "PostgreSQL text fields cannot contain NUL (0x00) bytes"), DataError), False),
        (OverflowError("date value out of range"), True),
        (OperationalError("no such column: x"), True),
        (OperationalError("database is locked"), True),
        (ValueError("too many SQL variables"), True),
        (IntegrityError("UNIQUE constraint failed"), True),
    ],
)
def test_a_value_is_refused_for_its_size_or_its_letters(error: Exception, asked: bool) -> None:
    assert cannot_be_asked(error) is not asked


def test_every_outage_says_what_to_do_and_when_to_try_again() -> None:
    for outage in outages.OUTAGES:
        assert outage.title.startswith("The ") and outage.advice.endswith(".") and outage.retry_seconds > 0


# ── The probe ────────────────────────────────────────────────────────────────────────────────────
@pytest.fixture(autouse=True)
def _nothing_is_known() -> Iterator[None]:
    WATCH.forget()
    yield
    WATCH.forget()


class Refusing:
    """Makes every write fail with these words, and counts the writes that were tried."""

    def __init__(self, words: str) -> None:
        self.words, self.writes = words, 0

    def __call__(self, execute: Any, sql: str, *rest: Any) -> Any:
        if sql.startswith(("INSERT", "UPDATE", "DELETE")):
            self.writes += 1
            if self.words:
                raise OperationalError(self.words)
        return execute(sql, *rest)


@pytest.mark.django_db
def test_a_write_that_goes_through_tells_of_no_outage_again_and_again() -> None:
    assert [why_no_write(), why_no_write()] == [None, None]


@pytest.mark.django_db
@pytest.mark.parametrize(("words", "outage"), [("database or disk is full", FULL), ("database is locked", BUSY)])
def test_a_write_that_is_refused_tells_of_its_outage(words: str, outage: Outage) -> None:
    with connection.execute_wrapper(Refusing(words)):
        assert why_no_write() == outage
    assert why_no_write() is None


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor != "sqlite", reason="SQLite's own limits stand in for a full disk")
@pytest.mark.parametrize(
    ("full", "room", "outage"),
    [("max_page_count = 1", "max_page_count = 1000000", FULL), ("query_only = 1", "query_only = 0", READ_ONLY)],
)
def test_sqlite_itself_refuses_and_goes_on(full: str, room: str, outage: Outage) -> None:
    """SQLite does not lower the limit below the pages that there are, so that it has none left. A second time too."""
    with connection.cursor() as cursor:
        for _ in range(2):
            cursor.execute("VACUUM")
            cursor.execute(f"PRAGMA {full}")
            assert why_no_write() == outage
            assert Tally.objects.count() >= 0
            cursor.execute(f"PRAGMA {room}")
            assert why_no_write() is None


@pytest.mark.django_db
def test_without_a_doubt_a_page_writes_nothing() -> None:
    with connection.execute_wrapper(refusing := Refusing("")):
        assert WriteWatch().standing(doubt=False) is None
    assert refusing.writes == 0


@pytest.mark.django_db
@pytest.mark.parametrize("words", ["database or disk is full", "disk I/O error"])
def test_a_doubt_is_settled_by_one_write_and_stands_until_a_write_goes_through(words: str) -> None:
    watch = WriteWatch()
    with connection.execute_wrapper(refusing := Refusing(words)):
        shown = [watch.standing(doubt=True) for _ in range(3)]
    assert refusing.writes == 1, "one probe serves all pages of some seconds"
    assert shown == [outage_of(OperationalError(words))] * 3
    watch.probed_at = float("-inf")
    assert watch.standing(doubt=False) is None, "there is room again"


@pytest.mark.django_db
def test_a_write_that_has_to_wait_is_no_outage_that_stands() -> None:
    watch = WriteWatch()
    with connection.execute_wrapper(Refusing("database is locked")):
        assert watch.standing(doubt=True) is None
        watch.note(BUSY)
        assert watch.outage is None

"""Why a database cannot work now, and whether it was asked what no database can answer, read from its error.

What neither table knows is a mistake of ours and stays one. Read OUTAGES first.
"""

import os
from pathlib import Path
from typing import NamedTuple

from django.db import DataError, Error, connection

SCARCE_BYTES = 1_000_000  # left on a disk that is as good as full


class Outage(NamedTuple):
    """Why the database cannot work now, in words for a person."""

    title: str
    advice: str
    retry_seconds: int  # after which a program may try again
    stands: bool  # until a person mends it, and so on every page
    states: tuple[str, ...]  # how PostgreSQL's SQLSTATEs begin
    words: tuple[str, ...]  # in the messages of SQLite


BUSY = Outage(
    "The database is busy",
    "Something else has been writing for longer than the desk waits. This usually ends by itself within a minute.",
    10, False,
    ("55P03", "57014", "40P01", "40001"),
    ("database is locked", "table is locked", "schema is locked"),
)  # fmt: skip
FULL = Outage(
    "The disk is full",
    "Free some space on the disk of the database. Until then nothing is saved; then the desk goes on by itself.",
    60, True,
    ("53100",),
    ("database or disk is full",),
)  # fmt: skip
READ_ONLY = Outage(
    "The database cannot be written",
    "The person who runs the desk has to check its disk and the rights on its file.",
    60, True,
    ("25006", "58030"),
    ("readonly database", "disk I/O error", "unable to open database file"),
)  # fmt: skip
AWAY = Outage(
    "The database cannot be reached",
    "It is starting, stopping, or has no free connection. The person who runs the desk has to check it.",
    30, False,
    ("08", "53300", "57P0"),
    ("connection already closed",),
)  # fmt: skip
OUTAGES = (BUSY, FULL, READ_ONLY, AWAY)

# What SQLite, or its driver, says of a number beyond 64 bits and of patterns, lists and conditions that are too long.
TOO_MUCH = (
    "too large to convert to SQLite INTEGER", "pattern too complex", "too many SQL variables",
    "Expression tree is too large", "parser stack overflow", "string or blob too big",
)  # fmt: skip


def outage_of(error: BaseException | None) -> Outage | None:
    """The outage that a database's error tells of; None for any other error."""
    if not isinstance(error, Error):
        return None
    cause = _of_the_driver(error)
    if not hasattr(cause, "sqlstate"):
        outage = next((outage for outage in OUTAGES if any(words in str(cause) for words in outage.words)), None)
        # SQLite cannot even open a file where there is no room for those that it keeps beside it.
        return FULL if outage is READ_ONLY and disk_is_scarce() else outage
    if cause.sqlstate is None:  # psycopg has no answer of the server, so there is no connection
        return AWAY if type(cause).__name__ == "OperationalError" else None
    return next((outage for outage in OUTAGES if cause.sqlstate.startswith(outage.states)), None)


def cannot_be_asked(error: BaseException) -> bool:
    """Whether a value was refused for its size or its letters: no query has such a value."""
    if isinstance(error, DataError):
        return True
    return isinstance(error, Error | OverflowError) and any(words in str(error) for words in TOO_MUCH)


def _of_the_driver(error: BaseException) -> BaseException:
    """What Django's error was raised from, which alone has a SQLSTATE."""
    while error.__cause__ is not None:
        error = error.__cause__
    return error


def disk_is_scarce() -> bool:
    """Whether the disk of SQLite's file has next to no room. PostgreSQL's disk is elsewhere."""
    if connection.vendor != "sqlite":
        return False
    try:
        disk = os.statvfs(Path(connection.settings_dict["NAME"]).parent)
    except OSError:
        return True
    return disk.f_bavail * disk.f_frsize < SCARCE_BYTES

"""Connections that outlive a request: when one no longer leads to the desk's database, and is not used again.

A connection to SQLite belongs to a file, not to its name: once a restored copy stands in its place, what an old
connection writes is in nobody's books. It also belongs to the process that opened it, and not to a copy of that.
"""

import os
import sqlite3
from contextlib import suppress
from pathlib import Path
from typing import Any

from django.core.signals import request_started
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

SQLITE_FILES = ("", "-wal", "-shm")  # what SQLite adds to the name of its file for those beside it
PRIVATE, FOR_OTHERS = 0o600, 0o077
OPENED = "desk_opened"  # the attribute of a connection that says what was opened, and by which process
_of_another_process: list[object] = []  # never closed here, for that would let go what the other process has locked


def remember(connection: Any, **signal: object) -> None:
    """Remembers what this new connection leads to, and for SQLite how many values a statement takes there.

    Also keeps SQLite's files from other users of the machine.
    """
    setattr(connection, OPENED, (os.getpid(), file_of(connection)))
    if connection.vendor == "sqlite":
        # Django takes 999 for all: a hundred lines of the trail would be two statements.
        connection.features.max_query_params = connection.connection.getlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER)
        for ending in SQLITE_FILES:
            _make_private(Path(f"{connection.settings_dict['NAME']}{ending}"))


def _make_private(file: Path) -> None:
    """Takes this file from everybody but its owner. Nothing is done to one that is gone or belongs to somebody else."""
    with suppress(OSError):
        if file.is_file() and file.stat().st_mode & FOR_OTHERS:
            file.chmod(PRIVATE)


def file_of(connection: BaseDatabaseWrapper) -> tuple[int, int] | None:
    """The disk and number of the file that SQLite's name stands for now; None where there is none."""
    if connection.vendor != "sqlite":
        return None
    try:
        found = Path(connection.settings_dict["NAME"]).stat()
    except OSError:  # it is gone, or lies in memory
        return None
    return found.st_dev, found.st_ino


def leave_replaced() -> bool:
    """Leaves this thread's connections that lead elsewhere by now; the next query opens new ones.

    Returns whether there was one to a file that another stands in place of.
    """
    return sum(map(_leave_replaced, connections.all(initialized_only=True))) > 0


def _leave_replaced(connection: BaseDatabaseWrapper) -> bool:
    process, file = getattr(connection, OPENED, (os.getpid(), None))
    if connection.connection is None or connection.in_atomic_block:
        return False
    if process != os.getpid():
        _of_another_process.append(connection.connection)
        connection.connection = None
        return False
    if file == file_of(connection):
        return False
    connection.close()
    return True


connection_created.connect(remember, dispatch_uid="remember what was opened")
request_started.connect(lambda **_: leave_replaced(), dispatch_uid="leave what was replaced", weak=False)

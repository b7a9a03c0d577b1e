"""The hands of somebody who gets at the database past the desk: the triggers of the trail are taken away first."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection
from django.utils import timezone

from accounts.trail import triggers
from accounts.trail.chain import seal_new


def without_triggers(vendor: str) -> list[str]:
    """The SQL that takes the triggers of the trail away, where they are there."""
    names = triggers.names(vendor)
    if vendor == "sqlite":
        return [f"DROP TRIGGER IF EXISTS {name}" for name in names]
    table_of = {name: next(table for table in triggers.TABLES if name.startswith(table)) for name in names}
    return [f"DROP TRIGGER IF EXISTS {name} ON {table}" for name, table in table_of.items()]


@contextmanager
def past_the_desk() -> Iterator[Any]:
    """A cursor for which the trail is a table like any other."""
    with connection.cursor() as cursor:
        for sql in without_triggers(connection.vendor):
            cursor.execute(sql)
        yield cursor
        for sql in triggers.statements(connection.vendor):
            cursor.execute(sql)


def seal_everything() -> None:
    """What the worker does within seconds: all lines go into the chain. They are committed."""
    while seal_new(timezone.now()):
        pass

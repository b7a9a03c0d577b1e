"""Installs the triggers by which the database itself keeps numbers and an index up to date when orders change.

With triggers no code can forget to do it, and no two transactions wait for each other. SQLite loses a table's
triggers when a migration rebuilds the table, so they are installed after every `migrate`.
"""

from typing import Any, NamedTuple

from django.db import connections, transaction


class Triggers(NamedTuple):
    """The triggers of one table, in the SQL of each database: vendor (`sqlite`, `postgresql`) → SQL."""

    table: str  # without which none is installed, as in a database that was migrated back
    complete: dict[str, str]  # a query that answers 1 if no trigger is missing
    statements: dict[str, list[str]]  # create what is missing, then count the orders that were there before it


def are_there(*names: str) -> dict[str, str]:
    """`Triggers.complete` where each database has a trigger by each of these names."""
    listed = ", ".join(f"'{name}'" for name in names)
    return {
        "sqlite": f"SELECT COUNT(*) = {len(names)} FROM sqlite_master WHERE name IN ({listed})",  # noqa: S608  our names
        "postgresql": f"SELECT COUNT(*) / {len(names)} FROM pg_trigger WHERE tgname IN ({listed})",  # noqa: S608
    }


def install(triggers: Triggers, using: str = "default", **_: Any) -> None:
    """Installs these triggers in a database if any of them is missing. A receiver of `post_migrate`."""
    connection = connections[using]
    if triggers.table not in connection.introspection.table_names():
        return
    with transaction.atomic(using=using), connection.cursor() as cursor:
        cursor.execute(triggers.complete[connection.vendor])
        if cursor.fetchone()[0] == 1:
            return
        for statement in triggers.statements[connection.vendor]:
            cursor.execute(statement)

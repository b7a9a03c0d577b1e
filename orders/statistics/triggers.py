"""Triggers: numbers and an index that the database itself keeps up to date when orders change.

With triggers no code can forget to keep them, and no two transactions wait for each other. SQLite loses a table's
triggers when a migration makes the table anew, so they are put in after every `migrate`.
"""

from typing import Any, NamedTuple

from django.db import connections, transaction


class Triggers(NamedTuple):
    """What keeps one of these up to date, in the SQL of each database (`sqlite`, `postgresql`)."""

    table: str  # a database that was migrated back to before this table gets none of them
    complete: dict[str, str]  # a query that answers 1 when nothing is missing
    statements: dict[str, list[str]]  # put in what is missing, then count what was there before it


def install(triggers: Triggers, using: str = "default", **_: Any) -> None:
    """Puts in what a database lacks of these triggers. A receiver of `post_migrate`."""
    connection = connections[using]
    if triggers.table not in connection.introspection.table_names():
        return
    with transaction.atomic(using=using), connection.cursor() as cursor:
        cursor.execute(triggers.complete[connection.vendor])
        if cursor.fetchone()[0] == 1:
            return
        for statement in triggers.statements[connection.vendor]:
            cursor.execute(statement)

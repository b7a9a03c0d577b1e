"""Installs the triggers by which the database itself keeps the trail: nothing of it is changed or deleted.

They are installed after every `migrate`, for SQLite loses a table's triggers when a migration rebuilds the table. The
end of the chain is made there too, so that a desk without one has lost it.
"""

from typing import Any

from django.db import connections, transaction
from django.utils import timezone

from accounts.models import ChainHead, ChainLink, TrailLine
from accounts.trail.chain import write_head
from panel.ops.database import ONLY_ROW

TABLES = (TrailLine._meta.db_table, ChainLink._meta.db_table)
REFUSAL = "The trail is kept: its lines are never changed or deleted."


def names(vendor: str) -> list[str]:
    """The names of all triggers."""
    numbering = [f"{TABLES[0]}_number"] if vendor == "postgresql" else []
    return [*(f"{table}_{what}" for table in TABLES for what in ("unchanged", "kept")), *numbering]


LISTED = {
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'trigger'",
    "postgresql": "SELECT tgname FROM pg_trigger",
}


def statements(vendor: str) -> list[str]:
    """The SQL that makes all triggers, also those that are there."""
    if vendor == "sqlite":
        return [
            f"CREATE TRIGGER IF NOT EXISTS {table}_{name} BEFORE {what} ON {table} "
            f"BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END"
            for table in TABLES
            for name, what in (("unchanged", "UPDATE"), ("kept", "DELETE"))
        ]
    refuse = f"""CREATE OR REPLACE FUNCTION accounts_trail_refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        RAISE EXCEPTION '{REFUSAL}' USING ERRCODE = 'integrity_constraint_violation';
    END $$"""
    # A transaction has its number before it takes the id of a line: accounts/trail/chain.py counts on that.
    number = """CREATE OR REPLACE FUNCTION accounts_trail_number() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        PERFORM pg_current_xact_id();
        RETURN NULL;
    END $$"""
    refusing = [
        f"CREATE OR REPLACE TRIGGER {table}_{name} BEFORE {what} ON {table} "
        "FOR EACH STATEMENT EXECUTE FUNCTION accounts_trail_refuse()"
        for table in TABLES
        for name, what in (("unchanged", "UPDATE"), ("kept", "DELETE OR TRUNCATE"))
    ]
    numbering = (
        f"CREATE OR REPLACE TRIGGER {TABLES[0]}_number BEFORE INSERT ON {TABLES[0]} "
        "FOR EACH STATEMENT EXECUTE FUNCTION accounts_trail_number()"
    )
    return [refuse, number, *refusing, numbering]


def install(using: str = "default", **_: Any) -> None:
    """Installs what is missing in a database, and makes the end of the chain. A receiver of `post_migrate`."""
    connection = connections[using]
    if not {*TABLES, ChainHead._meta.db_table} <= set(connection.introspection.table_names()):
        return  # a database that was migrated back
    with transaction.atomic(using=using), connection.cursor() as cursor:
        cursor.execute(LISTED[connection.vendor])
        if not set(names(connection.vendor)) <= {name for (name,) in cursor.fetchall()}:
            for statement in statements(connection.vendor):
                cursor.execute(statement)
        if not ChainHead.objects.using(using).exists() and not ChainLink.objects.using(using).exists():
            write_head(ChainHead(pk=ONLY_ROW, sealed_at=timezone.now(), unsealed_until=last_unsealed(using)), using)


def last_unsealed(using: str) -> int:
    """The last id from before the trail: no line after it may lack a seal."""
    unsealed = TrailLine.objects.using(using).filter(seal=None).order_by("-pk")
    return unsealed.values_list("pk", flat=True).first() or 0

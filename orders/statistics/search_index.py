"""What the database itself keeps up to date about orders: how many stand at each status, and the index for search.

Triggers, so that no door can forget it and no two transactions wait for each other: a status that moves appends two
lines to the tally. They are put in after every `migrate`: SQLite loses a table's triggers when a migration makes the
table anew.
"""

from typing import Any

from django.db import connections, transaction

from orders.models import Tally
from orders.statistics.status_counts import recount

SQLITE = {
    "orders_tally_new": """
        CREATE TRIGGER IF NOT EXISTS orders_tally_new AFTER INSERT ON orders_order
        BEGIN INSERT INTO orders_tally (status, "by") VALUES (NEW.status, 1); END""",
    "orders_tally_moved": """
        CREATE TRIGGER IF NOT EXISTS orders_tally_moved AFTER UPDATE OF status ON orders_order
        WHEN OLD.status <> NEW.status
        BEGIN INSERT INTO orders_tally (status, "by") VALUES (OLD.status, -1), (NEW.status, 1); END""",
    "orders_words_new": """
        CREATE TRIGGER IF NOT EXISTS orders_words_new AFTER INSERT ON orders_order
        BEGIN INSERT INTO orders_words (rowid, haystack) VALUES (NEW.id, NEW.haystack); END""",
    "orders_words_gone": """
        CREATE TRIGGER IF NOT EXISTS orders_words_gone AFTER DELETE ON orders_order
        BEGIN INSERT INTO orders_words (orders_words, rowid, haystack) VALUES ('delete', OLD.id, OLD.haystack); END""",
}
# Its text is the column; only the index is its own.
SQLITE_WORDS = """
    CREATE VIRTUAL TABLE orders_words USING fts5 (haystack, content='orders_order', content_rowid='id',
    tokenize='trigram')"""
SQLITE_FILL = "INSERT INTO orders_words (orders_words) VALUES ('rebuild')"
# Many that come in one statement are one line a status there.
POSTGRES = """
    CREATE OR REPLACE FUNCTION orders_tally_come() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        INSERT INTO orders_tally (status, "by") SELECT status, count(*) FROM came GROUP BY status;
        RETURN NULL;
    END $$;
    CREATE OR REPLACE FUNCTION orders_tally_move() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        INSERT INTO orders_tally (status, "by") VALUES (OLD.status, -1), (NEW.status, 1);
        RETURN NULL;
    END $$;
    CREATE OR REPLACE TRIGGER orders_tally_new AFTER INSERT ON orders_order
        REFERENCING NEW TABLE AS came FOR EACH STATEMENT EXECUTE FUNCTION orders_tally_come();
    CREATE OR REPLACE TRIGGER orders_tally_moved AFTER UPDATE OF status ON orders_order FOR EACH ROW
        WHEN (OLD.status IS DISTINCT FROM NEW.status) EXECUTE FUNCTION orders_tally_move();
    CREATE EXTENSION IF NOT EXISTS pg_trgm;
    CREATE INDEX IF NOT EXISTS orders_words ON orders_order USING gin (haystack gin_trgm_ops)"""


def install(using: str = "default", **_: Any) -> None:
    """Puts in what is missing, and counts and indexes what was there before it."""
    connection = connections[using]
    if Tally._meta.db_table not in connection.introspection.table_names():  # migrated back to before there was one
        return
    with transaction.atomic(using=using), connection.cursor() as cursor:
        (on_sqlite if connection.vendor == "sqlite" else on_postgres)(cursor)


def on_sqlite(cursor: Any) -> None:
    cursor.execute("SELECT name FROM sqlite_master WHERE name LIKE 'orders_%'")
    there = {name for (name,) in cursor.fetchall()}
    if {*SQLITE, "orders_words"} <= there:
        return
    if "orders_words" not in there:
        cursor.execute(SQLITE_WORDS)
    for sql in SQLITE.values():
        cursor.execute(sql)
    cursor.execute(SQLITE_FILL)
    recount(cursor)


def on_postgres(cursor: Any) -> None:
    cursor.execute("SELECT 1 FROM pg_trigger WHERE tgname = 'orders_tally_new' AND tgnewtable = 'came'")
    if cursor.fetchone() is None:
        cursor.execute(POSTGRES)
        recount(cursor)

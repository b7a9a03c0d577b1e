"""How many orders stand at each status. A trigger appends two lines for each change, and another merges the lines."""

import json
from collections import Counter

from django.db import connection, models, transaction

from orders.models import Tally
from orders.statistics.triggers import Triggers, are_there

# Whoever writes a line whose number can be divided by this merges the lines. Every page reads them all, so they must
# stay few though no worker runs.
MERGED_EVERY = 100
# In one merge on PostgreSQL, where lines that another transaction has in hand wait for the next.
MERGED_AT_ONCE = 1_000
COMPACT_FROM = 2 * MERGED_EVERY
COMPACT_AT_ONCE = 5_000  # lines; no database takes any number of ids in one statement

# All lines as one JSON text, so that a page gets them within a query that it makes anyway. `id > 0` makes PostgreSQL
# read them by the index: once many lines have been merged, its table stays long, and only the index skips the gaps.
ALL_LINES = {
    "sqlite": """SELECT json_group_array(json_array(status, "by")) FROM orders_tally WHERE id > 0""",
    "postgresql": """SELECT json_agg(json_build_array(status, "by"))::text FROM orders_tally WHERE id > 0""",
}
RECOUNT = [
    "DELETE FROM orders_tally",
    'INSERT INTO orders_tally (status, "by") SELECT status, count(*) FROM orders_order GROUP BY status',
]
TRIGGERS = Triggers(
    table=Tally._meta.db_table,
    complete={
        "sqlite": "SELECT COUNT(*) = 2 FROM sqlite_master WHERE name IN ('orders_tally_new', 'orders_tally_moved')",
        "postgresql": "SELECT COUNT(*) FROM pg_trigger WHERE tgname = 'orders_tally_new' AND tgnewtable = 'came'",
    },
    statements={
        "sqlite": [
            """CREATE TRIGGER IF NOT EXISTS orders_tally_new AFTER INSERT ON orders_order
            BEGIN INSERT INTO orders_tally (status, "by") VALUES (NEW.status, 1); END""",
            """CREATE TRIGGER IF NOT EXISTS orders_tally_moved AFTER UPDATE OF status ON orders_order
            WHEN OLD.status <> NEW.status
            BEGIN INSERT INTO orders_tally (status, "by") VALUES (OLD.status, -1), (NEW.status, 1); END""",
            *RECOUNT,
        ],
        "postgresql": [
            # One line for each status, however many orders one statement inserts.
            """CREATE OR REPLACE FUNCTION orders_tally_come() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                INSERT INTO orders_tally (status, "by") SELECT status, count(*) FROM came GROUP BY status;
                RETURN NULL;
            END $$""",
            """CREATE OR REPLACE FUNCTION orders_tally_move() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                INSERT INTO orders_tally (status, "by") VALUES (OLD.status, -1), (NEW.status, 1);
                RETURN NULL;
            END $$""",
            """CREATE OR REPLACE TRIGGER orders_tally_new AFTER INSERT ON orders_order
            REFERENCING NEW TABLE AS came FOR EACH STATEMENT EXECUTE FUNCTION orders_tally_come()""",
            """CREATE OR REPLACE TRIGGER orders_tally_moved AFTER UPDATE OF status ON orders_order FOR EACH ROW
            WHEN (OLD.status IS DISTINCT FROM NEW.status) EXECUTE FUNCTION orders_tally_move()""",
            *RECOUNT,
        ],
    },
)
# Merges lines in the transaction that writes another, so that the sums are right at every moment.
MERGING = Triggers(
    table=Tally._meta.db_table,
    complete=are_there("orders_tally_merged"),
    statements={
        "sqlite": [
            f"""CREATE TRIGGER IF NOT EXISTS orders_tally_merged AFTER INSERT ON orders_tally
            WHEN NEW.id % {MERGED_EVERY} = 0
            BEGIN
                INSERT INTO orders_tally (status, "by")
                SELECT status, SUM("by") FROM orders_tally WHERE id <= NEW.id GROUP BY status HAVING SUM("by") <> 0;
                DELETE FROM orders_tally WHERE id <= NEW.id;
            END""",  # noqa: S608  our names
        ],
        "postgresql": [
            # SKIP LOCKED: two writers that merge at once count no line twice, and none waits for the other.
            f"""CREATE OR REPLACE FUNCTION orders_tally_merge() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                WITH lines AS MATERIALIZED (
                    SELECT id FROM orders_tally WHERE id > 0 ORDER BY id LIMIT {MERGED_AT_ONCE} FOR UPDATE SKIP LOCKED
                ), merged AS (
                    DELETE FROM orders_tally USING lines WHERE orders_tally.id = lines.id RETURNING status, "by"
                )
                INSERT INTO orders_tally (status, "by")
                SELECT status, SUM("by") FROM merged GROUP BY status HAVING SUM("by") <> 0;
                RETURN NULL;
            END $$""",  # noqa: S608
            # Not for what a merge itself writes.
            f"""CREATE OR REPLACE TRIGGER orders_tally_merged AFTER INSERT ON orders_tally FOR EACH ROW
            WHEN (NEW.id % {MERGED_EVERY} = 0 AND pg_trigger_depth() < 2) EXECUTE FUNCTION orders_tally_merge()""",
        ],
    },
)


def all_lines() -> models.expressions.RawSQL:
    """All lines as an expression for another query. `counts_of` reads its result."""
    return models.expressions.RawSQL(ALL_LINES[connection.vendor], [], output_field=models.TextField())  # noqa: S611


def counts_of(lines: str | None) -> Counter[str]:
    """Status → how many orders stand there now, by the JSON text of `all_lines`. Empty statuses are left out."""
    counts: Counter[str] = Counter()
    for status, by in json.loads(lines or "[]"):
        counts[status] += by
    return +counts


def compact(least: int = COMPACT_FROM) -> bool:
    """Merges the lines into one for each status. False if there were no more than `least`. Runs after a migration."""
    if len(Tally.objects.order_by().values_list("pk")[: least + 1]) <= least:
        return False
    with transaction.atomic():
        # SKIP LOCKED where there are row locks: two workers never count a line twice.
        unlocked = Tally.objects.select_for_update(skip_locked=True).order_by("pk")
        lines = list(unlocked.values_list("pk", "status", "by")[:COMPACT_AT_ONCE])
        counts: Counter[str] = Counter()
        for _, status, by in lines:
            counts[status] += by
        Tally.objects.filter(pk__in=[pk for pk, *_ in lines]).delete()
        Tally.objects.bulk_create([Tally(status=status, by=by) for status, by in counts.items() if by])
    return True

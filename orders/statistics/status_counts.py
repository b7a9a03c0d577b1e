"""How many orders stand at each status: a status that moves appends two lines, and the worker sums them up."""

import json
from collections import Counter

from django.db import connection, models, transaction

from orders.models import Tally
from orders.statistics.triggers import Triggers

# All lines as one JSON text, so that a page gets them within a query that it makes anyway. By their ids: where many
# lines were made few, PostgreSQL's table stays long, and only the index knows where those are.
ALL_LINES = {
    "sqlite": """SELECT json_group_array(json_array(status, "by")) FROM orders_tally WHERE id > 0""",
    "postgresql": """SELECT json_agg(json_build_array(status, "by"))::text FROM orders_tally WHERE id > 0""",
}


def all_lines() -> models.expressions.RawSQL:
    """For `counts_of`, as a part of another query."""
    return models.expressions.RawSQL(ALL_LINES[connection.vendor], [], output_field=models.TextField())  # noqa: S611


def counts_of(lines: str | None) -> Counter[str]:
    """Status → how many orders stand there now."""
    counts: Counter[str] = Counter()
    for status, by in json.loads(lines or "[]"):
        counts[status] += by
    return +counts


COMPACT_FROM = 200  # lines of the tally; pages read them all
COMPACT_AT_ONCE = 5_000  # lines; no database takes any number of ids in one statement
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
            # Many that come in one statement are one line a status there.
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


def compact(least: int = COMPACT_FROM) -> bool:
    """Makes one line a status of the tally's many; says whether there were enough to bother. Runs in the worker."""
    if len(Tally.objects.order_by().values_list("pk")[: least + 1]) <= least:
        return False
    with transaction.atomic():
        # SKIP LOCKED where there are row locks: two workers never count a line twice.
        some = Tally.objects.select_for_update(skip_locked=True).order_by("pk")
        lines = list(some.values_list("pk", "status", "by")[:COMPACT_AT_ONCE])
        sums: Counter[str] = Counter()
        for _, status, by in lines:
            sums[status] += by
        Tally.objects.filter(pk__in=[pk for pk, *_ in lines]).delete()
        Tally.objects.bulk_create([Tally(status=status, by=by) for status, by in sums.items() if by])
    return True

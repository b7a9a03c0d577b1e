"""What orders were expected to cost and what upstream charged, in exact totals for each quarter of an hour.

Triggers append a line for each charge that comes or changes, so that no code can forget it and no two transactions
wait for each other; another merges the lines. Quarters, because in every time zone a day begins with a quarter.
"""

from collections import Counter, defaultdict
from datetime import datetime
from decimal import Decimal

from django.db import DEFAULT_DB_ALIAS, connection, transaction
from django.db.models import Count

from orders.models import Charged
from orders.rules.margin import ENDED_SHORT
from orders.statistics import status_counts
from orders.statistics.triggers import Triggers, are_there
from panel.format.money import DOLLARS

QUARTER = 900  # seconds
# Whoever writes a line whose number can be divided by this merges the lines of the newest lines' quarters. The newest
# are twice as many: on PostgreSQL some may have been in another writer's hands at the merge before.
MERGED_EVERY = 200
COMPACT_AT_ONCE, LINES_AT_ONCE = 500, 5_000  # quarters, and lines: no database takes any number of ids in a statement
DIGITS = 6  # of a dollar, as a column of money keeps them: whole numbers of these add up exactly everywhere
TOTALS = ("orders", "expected", "charged", "given_back", "elsewhere")

SHORT_ENDS = str(tuple(status.value for status in ENDED_SHORT))  # as SQL writes a list
# A charge of a billion is a mistake; without a bound, nine of them would be more than a column holds.
IS_COUNTED = f"{{0}}.currency IN {DOLLARS} AND ABS({{0}}.charge) < 1000000000 AND {{0}}.expected_charge < 1000000000"
SLOT = {
    "sqlite": "CAST(strftime('%s', {0}.created_at) AS INTEGER) / 900",
    "postgresql": "FLOOR(EXTRACT(EPOCH FROM {0}.created_at) / 900)::integer",
}
MILLIONTHS = {"sqlite": "CAST(ROUND({0} * 1000000) AS INTEGER)", "postgresql": "({0} * 1000000)::bigint"}
ON_UPDATE = "AFTER UPDATE OF charge, currency, status, created_at ON orders_order"


def slot_of(at: datetime) -> int:
    """The number of the quarter of an hour that this moment lies in, counted since 1970."""
    return int(at.timestamp()) // QUARTER


def dollars(millionths: int) -> Decimal:
    """The exact amount in dollars of a total in millionths."""
    return Decimal(millionths).scaleb(-DIGITS)


def merge_old_lines(using: str = "default", **_: object) -> None:
    """Merges the lines that came before the triggers that merge them. A receiver of `post_migrate`."""
    if using == DEFAULT_DB_ALIAS and Charged._meta.db_table in connection.introspection.table_names():
        compact()
        while status_counts.compact():
            pass


def compact() -> None:
    """Merges all lines of each quarter into one. Runs after a migration."""
    doubled = Charged.objects.order_by("slot").values("slot").annotate(lines=Count("pk")).filter(lines__gt=1)
    while slots := list(doubled.values_list("slot", flat=True)[:COMPACT_AT_ONCE]):
        with transaction.atomic():
            charged = Charged.objects.filter(slot__in=slots).order_by("slot", "pk")
            lines = list(charged.values_list("pk", "slot", *TOTALS)[:LINES_AT_ONCE])
            totals: defaultdict[int, Counter[str]] = defaultdict(Counter)
            for _, slot, *figures in lines:
                totals[slot].update(dict(zip(TOTALS, figures, strict=True)))
            # By their ids: a line that was written meanwhile stays for the next time.
            Charged.objects.filter(pk__in=[pk for pk, *_ in lines]).delete()
            Charged.objects.bulk_create(Charged(slot=slot, **of_slot) for slot, of_slot in totals.items())


# ── The triggers, in SQL ─────────────────────────────────────────────────────────────────────────
def counted_columns(vendor: str, row: str) -> dict[str, str]:
    """Column of TOTALS → the SQL of what one order adds to it. `row` is how the SQL calls the order."""
    counts = f"CASE WHEN {IS_COUNTED.format(row)} THEN 1 ELSE 0 END"
    expected, charged = (MILLIONTHS[vendor].format(f"{row}.{name}") for name in ("expected_charge", "charge"))
    short = f"{row}.status IN {SHORT_ENDS} AND {row}.charge < {row}.expected_charge"
    return {
        "orders": counts, "expected": f"{counts} * {expected}", "charged": f"{counts} * {charged}",
        "given_back": f"{counts} * (CASE WHEN {short} THEN {expected} - {charged} ELSE 0 END)",
        "elsewhere": f"1 - {counts}",
    }  # fmt: skip


def insert_line(vendor: str, row: str, function: str, source: str = "") -> str:
    """The SQL that appends what an order counts for (`+`), takes it back (`-`), or sums up many orders (`SUM`)."""
    figures = ", ".join(f"{function}({figure})" for figure in counted_columns(vendor, row).values())
    return (
        f"INSERT INTO orders_charged (slot, {', '.join(TOTALS)}) SELECT {SLOT[vendor].format(row)}, {figures} "
        f"{source}WHERE {row}.charge IS NOT NULL"
    )


def counts_differently(differs: str) -> str:
    """The SQL condition that an update changes what an order counts for. `differs`: the operator that knows NULL."""
    short = f"(OLD.status IN {SHORT_ENDS}) <> (NEW.status IN {SHORT_ENDS})"
    return (
        f"(OLD.charge {differs} NEW.charge OR OLD.currency <> NEW.currency OR OLD.created_at <> NEW.created_at "
        f"OR {short}) AND (OLD.charge IS NOT NULL OR NEW.charge IS NOT NULL)"
    )


def recount(vendor: str) -> list[str]:
    """The statements that replace all lines by totals of the orders themselves."""
    return ["DELETE FROM orders_charged", insert_line(vendor, "o", "SUM", "FROM orders_order o ") + " GROUP BY 1"]


TRIGGERS = Triggers(
    table=Charged._meta.db_table,
    complete=are_there("orders_charged_new", "orders_charged_moved"),
    statements={
        "sqlite": [
            f"""CREATE TRIGGER IF NOT EXISTS orders_charged_new AFTER INSERT ON orders_order WHEN NEW.charge IS NOT NULL
            BEGIN {insert_line("sqlite", "NEW", "+")}; END""",
            f"""CREATE TRIGGER IF NOT EXISTS orders_charged_moved {ON_UPDATE} WHEN {counts_differently("IS NOT")}
            BEGIN {insert_line("sqlite", "OLD", "-")}; {insert_line("sqlite", "NEW", "+")}; END""",
            *recount("sqlite"),
        ],
        "postgresql": [
            f"""CREATE OR REPLACE FUNCTION orders_charged_line() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                IF TG_OP = 'UPDATE' THEN {insert_line("postgresql", "OLD", "-")}; END IF;
                {insert_line("postgresql", "NEW", "+")};
                RETURN NULL;
            END $$""",
            """CREATE OR REPLACE TRIGGER orders_charged_new AFTER INSERT ON orders_order FOR EACH ROW
            WHEN (NEW.charge IS NOT NULL) EXECUTE FUNCTION orders_charged_line()""",
            f"""CREATE OR REPLACE TRIGGER orders_charged_moved {ON_UPDATE} FOR EACH ROW
            WHEN ({counts_differently("IS DISTINCT FROM")}) EXECUTE FUNCTION orders_charged_line()""",
            *recount("postgresql"),
        ],
    },
)

SUMS = ", ".join(f"SUM({name})" for name in TOTALS)
NEWEST_SLOTS = f"SELECT slot FROM orders_charged WHERE id > NEW.id - {2 * MERGED_EVERY}"  # noqa: S608  our names
# Merges lines in the transaction that writes another, so that the totals are right at every moment.
MERGING = Triggers(
    table=Charged._meta.db_table,
    complete=are_there("orders_charged_merged"),
    statements={
        "sqlite": [
            f"""CREATE TRIGGER IF NOT EXISTS orders_charged_merged AFTER INSERT ON orders_charged
            WHEN NEW.id % {MERGED_EVERY} = 0
            BEGIN
                INSERT INTO orders_charged (slot, {", ".join(TOTALS)})
                SELECT slot, {SUMS} FROM orders_charged WHERE slot IN ({NEWEST_SLOTS}) GROUP BY slot;
                DELETE FROM orders_charged WHERE id <= NEW.id AND slot IN ({NEWEST_SLOTS} AND id <= NEW.id);
            END""",  # noqa: S608  our names
        ],
        "postgresql": [
            # SKIP LOCKED: two writers that merge at once count no line twice, and none waits for the other.
            f"""CREATE OR REPLACE FUNCTION orders_charged_merge() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                WITH lines AS MATERIALIZED (
                    SELECT id FROM orders_charged WHERE slot = ANY (ARRAY(
                        SELECT slot FROM orders_charged ORDER BY id DESC LIMIT {2 * MERGED_EVERY}
                    )) FOR UPDATE SKIP LOCKED
                ), merged AS (
                    DELETE FROM orders_charged USING lines WHERE orders_charged.id = lines.id
                    RETURNING slot, {", ".join(TOTALS)}
                )
                INSERT INTO orders_charged (slot, {", ".join(TOTALS)})
                SELECT slot, {SUMS} FROM merged GROUP BY slot;
                RETURN NULL;
            END $$""",  # noqa: S608
            # Not for what a merge itself writes.
            f"""CREATE OR REPLACE TRIGGER orders_charged_merged AFTER INSERT ON orders_charged FOR EACH ROW
            WHEN (NEW.id % {MERGED_EVERY} = 0 AND pg_trigger_depth() < 2) EXECUTE FUNCTION orders_charged_merge()""",
        ],
    },
)

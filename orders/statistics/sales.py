"""Sums of sales by time, service, person and customer, from which all reports and scores are read.

Triggers append a line for each order or task that counts differently now, in the transaction that changes it, so that
no code can forget it and no two transactions wait for each other. The worker folds the lines into the sums; until
then a reader adds them itself. So a report is right at every moment, also while no worker runs.

Why a quarter of an hour: in every time zone a day begins with a quarter. Whole hours would save nothing where it
counts: a desk of a million orders a year places about 30 in a quarter, of nearly as many services and customers.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from django.db import connection, transaction

from orders.models import SaleLine, SaleSum
from orders.models.statistics import SalesFigures
from orders.rules.statuses import FINAL, Status
from orders.statistics.charge_totals import IS_COUNTED, MILLIONTHS, SHORT_ENDS, SLOT
from orders.statistics.triggers import Triggers, are_there

EVERY_SECONDS = 30
LINES_AT_ONCE = 5_000
KEYS = ("service", "person", "customer")
FIGURES = tuple(field.name for field in SalesFigures._meta.get_fields() if field.name not in ("slot", *KEYS))
OF_TASKS = ("refused", "refills", "refilled")  # the figures that tasks decide, and no column of an order
HOUR, DAY = 4, 96  # quarters of an hour
MOST_UNITS, MOST_DOLLARS = 2_000_000_000, 1_000_000_000  # of one order: more is a mistake, and fits no sum


class Level(NamedTuple):
    """What the sums of one level are of: blocks of so many quarters, by these keys."""

    number: int
    block: int
    keys: tuple[str, ...] = ()


# A report's period is covered by few blocks of each size, so that a year costs hardly more than a month.
BLOCKS = (DAY, 8 * DAY, 64 * DAY)
QUARTERS, HOURS, DETAIL, DAYS = Level(0, 1), Level(1, HOUR), Level(2, 1, KEYS), Level(12, DAY)
LEVELS = (
    QUARTERS, HOURS, DETAIL, DAYS,
    *(Level(3 + 3 * n + m, block, (key,)) for n, key in enumerate(KEYS) for m, block in enumerate(BLOCKS)),
)  # fmt: skip


def levels_of(key: str) -> tuple[Level, ...]:
    """The levels from which a split by this key is read, the longest blocks first; the last has every key."""
    return (*(level for level in reversed(LEVELS) if level.keys == (key,)), DETAIL)


def fold(_now: datetime | None = None) -> int:
    """Adds all lines to the sums, and returns how many there were. The worker calls it."""
    folded = 0
    while count := fold_some():
        folded += count
        if count < LINES_AT_ONCE:
            break
    return folded


def fold_some(most: int = LINES_AT_ONCE) -> int:
    """Adds the oldest lines to the sums in a transaction of its own, and returns how many."""
    if not SaleLine.objects.exists():  # as in most rounds of a quiet desk: no transaction is opened for nothing
        return 0
    with transaction.atomic():
        # SKIP LOCKED where there are row locks: two workers never count a line twice. By their ids, so that a line
        # that is written meanwhile stays.
        oldest = SaleLine.objects.select_for_update(skip_locked=True).order_by("pk")
        ids = list(oldest.values_list("pk", flat=True)[:most])
        if ids:
            with connection.cursor() as cursor:
                where = f"WHERE id IN ({', '.join(map(str, ids))})"
                cursor.execute(add_up(f"SELECT * FROM orders_saleline {where}"))  # noqa: S608  numbers
                cursor.execute(f"DELETE FROM orders_saleline {where}")  # noqa: S608  numbers
    return len(ids)


# ── The figures of an order and of a task, in SQL ────────────────────────────────────────────────
def figures_of_order(vendor: str, row: str) -> dict[str, str]:
    """Figure → the SQL of what an order adds to it, without those of its tasks. `row`: what the SQL calls the order.

    `sold` and `margin` are to the sixth decimal what orders/rules/margin.py says.
    """
    final = str(tuple(sorted(map(str, FINAL))))
    total, left = f"{row}.quantity * COALESCE({row}.runs, 1)", f"{row}.remains"
    if vendor == "postgresql":
        total = f"{row}.quantity::numeric * COALESCE({row}.runs, 1)"
    units, part = f"(CASE WHEN {total} > {MOST_UNITS} THEN {MOST_UNITS} ELSE {total} END)", f"({total} - {left})"
    known = f"{left} >= 0 AND {left} <= {total}"
    ended = f"{row}.status IN {final}"
    delivered = (
        f"CASE WHEN NOT {ended} THEN 0 WHEN {known} THEN "
        f"(CASE WHEN {part} > {MOST_UNITS} THEN {MOST_UNITS} ELSE {part} END) "
        f"WHEN {row}.status = '{Status.COMPLETED}' THEN {units} ELSE 0 END"
    )
    counts = f"{row}.charge IS NOT NULL AND {IS_COUNTED.format(row)}"
    expected, charged, price = (
        _millionths(vendor, f"{row}.{name}") for name in ("expected_charge", "charge", "sold_for")
    )
    short = f"{row}.status IN {SHORT_ENDS} AND {row}.charge < {row}.expected_charge"
    nothing = f"{row}.status IN ('{Status.CANCELLED}', '{Status.REFUNDED}')"
    unpaid = f"{row}.sold_for IS NULL OR {nothing} OR {row}.status = '{Status.REJECTED}'"
    # Whole numbers alone, rounded half up. On SQLite in two parts, which do not overflow below MOST_UNITS.
    shares = {
        "sqlite": f"(({price}) / ({total})) * {part} + "
                  f"(2 * (({price}) % ({total})) * {part} + ({total})) / (2 * ({total}))",
        "postgresql": f"div(2 * ({price})::numeric * {part} + {total}, 2 * ({total}))::bigint",
    }  # fmt: skip
    sold = (
        f"CASE WHEN {unpaid} THEN 0 WHEN {row}.status = '{Status.PARTIAL}' AND {known} AND {total} > 0 "
        f"THEN {shares[vendor]} ELSE {price} END"
    )
    cost = f"CASE WHEN {row}.charge IS NULL THEN {expected} ELSE {charged} END"
    foreign = f"{row}.charge IS NOT NULL AND NOT ({IS_COUNTED.format(row)})"
    none = f"{row}.status IN ('{Status.APPROVAL}', '{Status.REJECTED}')"
    return {
        "orders": "1", "units": units, "refused": "0",
        "ended": f"CASE WHEN {ended} THEN 1 ELSE 0 END",
        "ended_units": f"CASE WHEN {ended} THEN {units} ELSE 0 END", "delivered": delivered,
        "cancelled": f"CASE WHEN {nothing} THEN 1 ELSE 0 END",
        "late": f"CASE WHEN {ended} AND {row}.ended_late THEN 1 ELSE 0 END",
        "refills": "0", "refilled": "0",
        "elsewhere": f"CASE WHEN {foreign} THEN 1 ELSE 0 END",
        "expected": f"CASE WHEN {none} THEN 0 ELSE {expected} END",
        "charged": f"CASE WHEN {counts} THEN {charged} ELSE 0 END",
        "ended_charged": f"CASE WHEN {counts} AND {ended} THEN {charged} ELSE 0 END",
        "given_back": f"CASE WHEN {counts} AND {short} THEN {expected} - {charged} ELSE 0 END",
        "sold": sold,
        "margin": f"CASE WHEN {row}.sold_for IS NULL OR {foreign} OR {row}.status = '{Status.REJECTED}' "
                  f"THEN 0 ELSE ({sold}) - ({cost}) END",
    }  # fmt: skip


def figures_of_task(row: str) -> dict[str, str]:
    """Figure → the SQL of what a task adds to it. `row`: what the SQL calls the task."""
    refill = f"{row}.kind = 'refill'"
    return {
        "refused": f"CASE WHEN {row}.kind = 'place' AND {row}.outcome = 'refused' THEN 1 ELSE 0 END",
        "refills": f"CASE WHEN {refill} AND {row}.over_how <> 'withdrawn' THEN 1 ELSE 0 END",
        "refilled": f"CASE WHEN {refill} AND {row}.over_how IN ('presumed', 'marked', 'followed') THEN 1 ELSE 0 END",
    }


def _millionths(vendor: str, amount: str) -> str:
    smaller = {"sqlite": "MAX(MIN({0}, {1}), -{1})", "postgresql": "GREATEST(LEAST({0}, {1}), -{1})"}[vendor]
    return MILLIONTHS[vendor].format(smaller.format(amount, MOST_DOLLARS))


# ── Lines and sums, in SQL ───────────────────────────────────────────────────────────────────────
def keys_of(vendor: str, row: str) -> list[str]:
    """The SQL of an order's slot, service, person and customer."""
    return [SLOT[vendor].format(row), f"{row}.service_id", f"{row}.placed_by_id", f"COALESCE({row}.customer_id, 0)"]


def select_order(vendor: str, row: str, sign: str = "", source: str = "", *, tasks: bool = False) -> str:
    """The SELECT of what an order counts for; with `tasks` also what its tasks do. The sign `-` takes it back."""
    figures = figures_of_order(vendor, row)
    if tasks:
        of_tasks = "(SELECT COALESCE(SUM({}), 0) FROM orders_task t WHERE t.order_id = {}.id)"
        figures |= {name: of_tasks.format(sql, row) for name, sql in figures_of_task("t").items()}
    return _select(vendor, keys_of(vendor, row), figures, sign, source)


def select_task(vendor: str, row: str, sign: str = "") -> str:
    """The SELECT of what a task counts for, by the keys of its order."""
    figures = dict.fromkeys(FIGURES, "0") | figures_of_task(row)
    return _select(vendor, keys_of(vendor, "o"), figures, sign, f"FROM orders_order o WHERE o.id = {row}.order_id")


def _select(vendor: str, keys: list[str], figures: dict[str, str], sign: str, source: str) -> str:
    cast = "::bigint" if vendor == "postgresql" else ""
    columns = [f"{sql} AS {name}" for sql, name in zip(keys, ("slot", *KEYS), strict=True)]
    columns += [f"{sign}({figures[name]}){cast} AS {name}" for name in FIGURES]
    return f"SELECT {', '.join(columns)} {source}"


def insert_lines(selects: Iterable[str]) -> str:
    """The SQL that appends lines: one for each slot, service, person and customer that counts differently now."""
    names, sums = ", ".join(FIGURES), ", ".join(f"SUM({name})" for name in FIGURES)
    changed = " OR ".join(f"SUM({name}) <> 0" for name in FIGURES)
    return (
        f"INSERT INTO orders_saleline (slot, {', '.join(KEYS)}, {names}) "  # noqa: S608  our own names
        f"SELECT slot, {', '.join(KEYS)}, {sums} FROM ({' UNION ALL '.join(selects)}) AS line "
        f"GROUP BY slot, {', '.join(KEYS)} HAVING {changed}"
    )


def add_up(source: str, levels: Iterable[Level] = LEVELS) -> str:
    """The SQL that adds lines to the sums of these levels. In one order for everybody, so that no two deadlock."""
    parts, names = [], ", ".join(FIGURES)
    for number, block, keys in levels:
        slot = f"slot / {block} * {block}" if block > 1 else "slot"
        columns = ", ".join(key if key in keys else f"0 AS {key}" for key in KEYS)
        parts.append(f"SELECT {number} AS level, {slot} AS slot, {columns}, {names} FROM lines")  # noqa: S608
    into = f"level, slot, {', '.join(KEYS)}"
    return (
        f"WITH lines AS ({source}) "  # noqa: S608  our own names
        f"INSERT INTO orders_salesum ({into}, {', '.join(FIGURES)}) "
        f"SELECT {into}, {', '.join(f'SUM({name})' for name in FIGURES)} FROM ({' UNION ALL '.join(parts)}) AS part "
        f"WHERE level >= 0 GROUP BY {into} ORDER BY {into} ON CONFLICT ({into}) DO UPDATE SET "
        + ", ".join(f"{name} = orders_salesum.{name} + excluded.{name}" for name in FIGURES)
    )


def recount(vendor: str) -> list[str]:
    """The statements that replace all lines and sums by sums of the orders themselves."""
    details = add_up(select_order(vendor, "o", source="FROM orders_order o", tasks=True), [DETAIL])
    others = [level for level in LEVELS if level != DETAIL]
    return [
        "DELETE FROM orders_saleline", "DELETE FROM orders_salesum", details,
        # Level by level: all at once would sort a million orders a dozen times over.
        *(add_up(f"SELECT * FROM orders_salesum WHERE level = {DETAIL.number}", [level]) for level in others),  # noqa: S608
    ]  # fmt: skip


# ── The triggers ─────────────────────────────────────────────────────────────────────────────────
ON_ORDER = (
    "AFTER UPDATE OF status, charge, currency, remains, ended_late, expected_charge, sold_for, customer_id, "
    "created_at, service_id, placed_by_id, quantity, runs ON orders_order"
)
ON_TASK = "AFTER UPDATE OF outcome, over_how ON orders_task"
COUNTS_TASK = f"{' + '.join(figures_of_task('NEW').values())} > 0"
TASK_CHANGED = "NEW.kind IN ('place', 'refill') AND (OLD.outcome <> NEW.outcome OR OLD.over_how <> NEW.over_how)"


def _moved(vendor: str, *, tasks: bool) -> str:
    """The lines of an order that changed. `tasks`: where its keys changed, what its tasks count for goes along."""
    return insert_lines([select_order(vendor, "OLD", "-", tasks=tasks), select_order(vendor, "NEW", tasks=tasks)])


def _keys_differ(vendor: str) -> str:
    pairs = zip(keys_of(vendor, "OLD"), keys_of(vendor, "NEW"), strict=True)
    return " OR ".join(f"{old} <> {new}" for old, new in pairs)


def _task_lines(vendor: str) -> str:
    return insert_lines([select_task(vendor, "OLD", "-"), select_task(vendor, "NEW")])


NAMES = (
    "orders_sale_new",
    "orders_sale_changed",
    "orders_sale_moved",
    "orders_sale_task_new",
    "orders_sale_task_changed",
)
TRIGGERS = Triggers(
    table=SaleSum._meta.db_table,
    complete=are_there(*NAMES),
    statements={
        "sqlite": [
            f"""CREATE TRIGGER IF NOT EXISTS orders_sale_new AFTER INSERT ON orders_order
            BEGIN {insert_lines([select_order("sqlite", "NEW")])}; END""",
            f"""CREATE TRIGGER IF NOT EXISTS orders_sale_changed {ON_ORDER} WHEN NOT ({_keys_differ("sqlite")})
            BEGIN {_moved("sqlite", tasks=False)}; END""",
            f"""CREATE TRIGGER IF NOT EXISTS orders_sale_moved {ON_ORDER} WHEN {_keys_differ("sqlite")}
            BEGIN {_moved("sqlite", tasks=True)}; END""",
            f"""CREATE TRIGGER IF NOT EXISTS orders_sale_task_new AFTER INSERT ON orders_task WHEN {COUNTS_TASK}
            BEGIN {insert_lines([select_task("sqlite", "NEW")])}; END""",
            f"""CREATE TRIGGER IF NOT EXISTS orders_sale_task_changed {ON_TASK} WHEN {TASK_CHANGED}
            BEGIN {_task_lines("sqlite")}; END""",
            *recount("sqlite"),
        ],
        "postgresql": [
            # One line for each key, however many orders one statement inserts.
            f"""CREATE OR REPLACE FUNCTION orders_sale_come() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                {insert_lines([select_order("postgresql", "came", source="FROM came")])};
                RETURN NULL;
            END $$""",
            f"""CREATE OR REPLACE FUNCTION orders_sale_change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                IF {_keys_differ("postgresql")} THEN {_moved("postgresql", tasks=True)};
                ELSE {_moved("postgresql", tasks=False)}; END IF;
                RETURN NULL;
            END $$""",
            f"""CREATE OR REPLACE FUNCTION orders_sale_task() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                IF TG_OP = 'UPDATE' THEN {_task_lines("postgresql")};
                ELSE {insert_lines([select_task("postgresql", "NEW")])}; END IF;
                RETURN NULL;
            END $$""",
            """CREATE OR REPLACE TRIGGER orders_sale_new AFTER INSERT ON orders_order
            REFERENCING NEW TABLE AS came FOR EACH STATEMENT EXECUTE FUNCTION orders_sale_come()""",
            f"""CREATE OR REPLACE TRIGGER orders_sale_changed {ON_ORDER} FOR EACH ROW
            WHEN (NOT ({_keys_differ("postgresql")})) EXECUTE FUNCTION orders_sale_change()""",
            f"""CREATE OR REPLACE TRIGGER orders_sale_moved {ON_ORDER} FOR EACH ROW
            WHEN ({_keys_differ("postgresql")}) EXECUTE FUNCTION orders_sale_change()""",
            f"""CREATE OR REPLACE TRIGGER orders_sale_task_new AFTER INSERT ON orders_task FOR EACH ROW
            WHEN ({COUNTS_TASK}) EXECUTE FUNCTION orders_sale_task()""",
            f"""CREATE OR REPLACE TRIGGER orders_sale_task_changed {ON_TASK} FOR EACH ROW
            WHEN ({TASK_CHANGED}) EXECUTE FUNCTION orders_sale_task()""",
            *recount("postgresql"),
        ],
    },
)

"""What each customer ordered, pays in the end, and paid: sums that triggers keep in the transaction that writes.

They append a line for each change, so that no code can forget it and no two transactions wait for each other; another
merges the lines. Figures are those of orders/rules/margin.py, in SQL: the tests compare the two.
"""

from collections.abc import Collection
from decimal import Decimal
from typing import Any, NamedTuple

from django.db.models import Sum

from orders.models import CustomerSum
from orders.models.order import NOT_ENDED
from orders.rules.margin import UNPAID
from orders.statistics.charge_totals import MILLIONTHS, dollars
from orders.statistics.triggers import Triggers, are_there
from panel.format.money import DOLLARS

FIGURES = ("orders", "under_way", "earned", "margin")  # of orders; `paid` comes with payments
MERGED_EVERY = 200  # as the lines of charge totals are
MOST_COUNTED = "1000000000"  # dollars of one order: without a bound, a few mistakes would be more than a column holds
SMALLER = {"sqlite": "MIN", "postgresql": "LEAST"}  # of two values
ENDED_IN_NOTHING = str(tuple(status.value for status in UNPAID))  # as SQL writes a list
# An amount in millionths × delivered ÷ total, rounded half up. SQLite's whole numbers have 64 bits: so the amount is
# first divided, and only what is left of it multiplied.
SHARE = {
    "sqlite": "({amount} / {total}) * {part} + (2 * ({amount} % {total}) * {part} + {total}) / (2 * {total})",
    "postgresql": "DIV(2::numeric * {amount} * {part} + {total}, 2::numeric * {total})::bigint",
}


class Sums(NamedTuple):
    """What holds of a customer now. Money is in US dollars."""

    orders: int = 0
    under_way: int = 0
    earned: Decimal = Decimal(0)
    margin: Decimal = Decimal(0)
    paid: Decimal = Decimal(0)

    @property
    def owes(self) -> Decimal:
        """What they have not paid yet; below zero where they paid in advance."""
        return self.earned - self.paid


def sums_of(customers: Collection[int]) -> dict[int, Sums]:
    """Customer → their sums, in one statement for all."""
    lines = CustomerSum.objects.filter(customer__in=customers).order_by().values("customer")
    rows = lines.annotate(**{f"all_{name}": Sum(name) for name in (*FIGURES, "paid")})
    found = {row["customer"]: row for row in rows}
    return {pk: sums_in(found[pk]) if pk in found else Sums() for pk in customers}


def sums_in(row: Any) -> Sums:
    """The sums of one row of `sums_of`."""
    money = (dollars(row[f"all_{name}"]) for name in ("earned", "margin", "paid"))
    return Sums(row["all_orders"], row["all_under_way"], *money)


# ── The triggers, in SQL ─────────────────────────────────────────────────────────────────────────
def counted(vendor: str, row: str) -> dict[str, str]:
    """Column of FIGURES → the SQL of what one order adds to it. `row` is how the SQL calls the order."""

    def millionths(amount: str) -> str:
        return MILLIONTHS[vendor].format(f"{SMALLER[vendor]}({amount}, {MOST_COUNTED})")

    sold, total = millionths(f"{row}.sold_for"), f"({row}.quantity * COALESCE({row}.runs, 1))"
    share = SHARE[vendor].format(amount=sold, part=f"({total} - {row}.remains)", total=total)
    earned = (
        f"CASE WHEN {row}.sold_for IS NULL OR {row}.status IN {ENDED_IN_NOTHING} THEN 0 "
        f"WHEN {row}.status = 'partial' AND {row}.remains > 0 AND {row}.remains <= {total} THEN {share} ELSE {sold} END"
    )
    cost = (
        f"CASE WHEN {row}.status = 'rejected' THEN 0 WHEN {row}.charge IS NULL "
        f"THEN {millionths(f'{row}.expected_charge')} ELSE {millionths(f'{row}.charge')} END"
    )
    in_dollars = f"({row}.status = 'rejected' OR {row}.charge IS NULL OR {row}.currency IN {DOLLARS})"
    known = f"{row}.sold_for IS NOT NULL AND {in_dollars}"
    return {
        "orders": "1",
        "under_way": f"CASE WHEN {row}.status {NOT_ENDED} THEN 1 ELSE 0 END",
        "earned": earned,
        "margin": f"CASE WHEN {known} THEN ({earned}) - ({cost}) ELSE 0 END",
    }


def insert_line(vendor: str, row: str, sign: str) -> str:
    """The SQL that appends what an order counts for, or with the sign `-` takes it back."""
    figures = ", ".join(f"{sign}({figure})" for figure in counted(vendor, row).values())
    return (
        f"INSERT INTO orders_customersum (customer_id, {', '.join(FIGURES)}, paid) "
        f"SELECT {row}.customer_id, {figures}, 0 WHERE {row}.customer_id IS NOT NULL"
    )


def counts_differently(vendor: str) -> str:
    """The SQL condition that an update changes what an order counts for, or for whom."""
    differs = {"sqlite": "IS NOT", "postgresql": "IS DISTINCT FROM"}[vendor]
    old, new = counted(vendor, "OLD"), counted(vendor, "NEW")
    moved = " OR ".join(f"({old[name]}) <> ({new[name]})" for name in FIGURES[1:])
    return (
        "(OLD.customer_id IS NOT NULL OR NEW.customer_id IS NOT NULL) "
        f"AND (OLD.customer_id {differs} NEW.customer_id OR {moved})"
    )


def recount(vendor: str) -> list[str]:
    """The statements that replace all lines by the sums of the orders and payments themselves."""
    figures = ", ".join(f"SUM({figure})" for figure in counted(vendor, "o").values())
    into = f"INSERT INTO orders_customersum (customer_id, {', '.join(FIGURES)}, paid)"
    paid = MILLIONTHS[vendor].format("amount")
    return [
        "DELETE FROM orders_customersum",
        f"{into} SELECT o.customer_id, {figures}, 0 FROM orders_order o "  # noqa: S608  our own names
        "WHERE o.customer_id IS NOT NULL GROUP BY o.customer_id",
        f"{into} SELECT customer_id, 0, 0, 0, 0, SUM({paid}) FROM orders_payment GROUP BY customer_id",  # noqa: S608
    ]


PAID = {
    vendor: f"INSERT INTO orders_customersum (customer_id, {', '.join(FIGURES)}, paid) "  # noqa: S608  our own names
    f"VALUES (NEW.customer_id, 0, 0, 0, 0, {MILLIONTHS[vendor].format('NEW.amount')})"
    for vendor in MILLIONTHS
}
ON_UPDATE = "AFTER UPDATE OF customer_id, sold_for, status, remains, charge, currency ON orders_order"
TRIGGERS = Triggers(
    table=CustomerSum._meta.db_table,
    complete=are_there("orders_customer_new", "orders_customer_moved", "orders_customer_paid"),
    statements={
        "sqlite": [
            f"""CREATE TRIGGER IF NOT EXISTS orders_customer_new AFTER INSERT ON orders_order
            WHEN NEW.customer_id IS NOT NULL BEGIN {insert_line("sqlite", "NEW", "")}; END""",
            f"""CREATE TRIGGER IF NOT EXISTS orders_customer_moved {ON_UPDATE} WHEN {counts_differently("sqlite")}
            BEGIN {insert_line("sqlite", "OLD", "-")}; {insert_line("sqlite", "NEW", "")}; END""",
            f"""CREATE TRIGGER IF NOT EXISTS orders_customer_paid AFTER INSERT ON orders_payment
            BEGIN {PAID["sqlite"]}; END""",
            *recount("sqlite"),
        ],
        "postgresql": [
            f"""CREATE OR REPLACE FUNCTION orders_customer_line() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                IF TG_OP = 'UPDATE' THEN {insert_line("postgresql", "OLD", "-")}; END IF;
                {insert_line("postgresql", "NEW", "")};
                RETURN NULL;
            END $$""",
            f"""CREATE OR REPLACE FUNCTION orders_customer_pays() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                {PAID["postgresql"]};
                RETURN NULL;
            END $$""",
            """CREATE OR REPLACE TRIGGER orders_customer_new AFTER INSERT ON orders_order FOR EACH ROW
            WHEN (NEW.customer_id IS NOT NULL) EXECUTE FUNCTION orders_customer_line()""",
            f"""CREATE OR REPLACE TRIGGER orders_customer_moved {ON_UPDATE} FOR EACH ROW
            WHEN ({counts_differently("postgresql")}) EXECUTE FUNCTION orders_customer_line()""",
            """CREATE OR REPLACE TRIGGER orders_customer_paid AFTER INSERT ON orders_payment FOR EACH ROW
            EXECUTE FUNCTION orders_customer_pays()""",
            *recount("postgresql"),
        ],
    },
)

ALL_FIGURES = (*FIGURES, "paid")
ADDED_UP = ", ".join(f"SUM({name})" for name in ALL_FIGURES)
NEWEST = f"SELECT customer_id FROM orders_customersum WHERE id > NEW.id - {2 * MERGED_EVERY}"  # noqa: S608  our names
MERGING = Triggers(
    table=CustomerSum._meta.db_table,
    complete=are_there("orders_customer_merged"),
    statements={
        "sqlite": [
            f"""CREATE TRIGGER IF NOT EXISTS orders_customer_merged AFTER INSERT ON orders_customersum
            WHEN NEW.id % {MERGED_EVERY} = 0
            BEGIN
                INSERT INTO orders_customersum (customer_id, {", ".join(ALL_FIGURES)})
                SELECT customer_id, {ADDED_UP} FROM orders_customersum WHERE customer_id IN ({NEWEST})
                GROUP BY customer_id;
                DELETE FROM orders_customersum
                WHERE id <= NEW.id AND customer_id IN ({NEWEST} AND id <= NEW.id);
            END""",  # noqa: S608  our names
        ],
        "postgresql": [
            # SKIP LOCKED: two writers that merge at once count no line twice, and none waits for the other.
            f"""CREATE OR REPLACE FUNCTION orders_customer_merge() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                WITH lines AS MATERIALIZED (
                    SELECT id FROM orders_customersum WHERE customer_id = ANY (ARRAY(
                        SELECT customer_id FROM orders_customersum ORDER BY id DESC LIMIT {2 * MERGED_EVERY}
                    )) FOR UPDATE SKIP LOCKED
                ), merged AS (
                    DELETE FROM orders_customersum USING lines WHERE orders_customersum.id = lines.id
                    RETURNING customer_id, {", ".join(ALL_FIGURES)}
                )
                INSERT INTO orders_customersum (customer_id, {", ".join(ALL_FIGURES)})
                SELECT customer_id, {ADDED_UP} FROM merged GROUP BY customer_id;
                RETURN NULL;
            END $$""",  # noqa: S608
            # Not for what a merge itself writes.
            f"""CREATE OR REPLACE TRIGGER orders_customer_merged AFTER INSERT ON orders_customersum FOR EACH ROW
            WHEN (NEW.id % {MERGED_EVERY} = 0 AND pg_trigger_depth() < 2) EXECUTE FUNCTION orders_customer_merge()""",
        ],
    },
)

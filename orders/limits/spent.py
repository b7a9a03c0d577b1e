"""What was spent each day by each person and by the team, which triggers keep in the transaction that writes an order.

An order counts on the day in `counts_on` with what it was expected to cost: as waiting while it waits for approval, and
not at all once it is rejected, which is what a withdrawn, declined, expired or refused order is. What upstream gives
back later, or charges less, does not come back: otherwise orders that end short would be a way around a limit.
"""

from collections.abc import Collection
from datetime import date, datetime
from decimal import Decimal
from typing import NamedTuple

from orders.limits.day import desk_day
from orders.models import Spent
from orders.rules.statuses import Status
from orders.statistics.charge_totals import MILLIONTHS, dollars
from orders.statistics.triggers import Triggers, are_there

TEAM = 0  # stands in Spent.who for everybody together
MOST_COUNTED = "1000000000"  # dollars of one order: without a bound, a few mistakes would be more than a column holds
SMALLER = {"sqlite": "MIN", "postgresql": "LEAST"}  # of two values


class Today(NamedTuple):
    """What counts today, in US dollars: the person's own orders and the team's."""

    spent: Decimal
    waiting: Decimal  # for approval
    team: Decimal  # spent and waiting

    @property
    def used(self) -> Decimal:
        """What counts against the person's limit."""
        return self.spent + self.waiting

    def plus(self, charge: Decimal) -> "Today":
        """The same with one more order, of this charge."""
        return Today(self.spent + charge, self.waiting, self.team + charge)


def today_of(person_id: int, now: datetime) -> Today:
    """What counts today for this person, in one statement."""
    return days_of([person_id], now)[person_id]


def days_of(people: Collection[int], now: datetime) -> dict[int, Today]:
    """Person → what counts today for them, in one statement."""
    rows = Spent.objects.filter(day=desk_day(now), who__in=[TEAM, *people]).order_by()
    sums = {who: (spent, waiting) for who, spent, waiting in rows.values_list("who", "spent", "waiting")}
    team = dollars(sum(sums.get(TEAM, (0, 0))))
    return {pk: Today(*map(dollars, sums.get(pk, (0, 0))), team) for pk in people}  # type: ignore[call-arg]


def last_days(person_id: int, since: date) -> dict[date, Decimal]:
    """Day → what this person's orders cost on it, for the days on which they ordered."""
    rows = Spent.objects.filter(who=person_id, day__gte=since).order_by("-day").values_list("day", "spent")
    return {day: dollars(spent) for day, spent in rows}


# ── The triggers, in SQL ─────────────────────────────────────────────────────────────────────────
def counted(vendor: str, row: str) -> tuple[str, str]:
    """The SQL of what an order adds to `spent` and to `waiting`. `row` is how the SQL calls the order."""
    charge = MILLIONTHS[vendor].format(f"{SMALLER[vendor]}({row}.expected_charge, {MOST_COUNTED})")
    spent = f"CASE WHEN {row}.status IN ('{Status.APPROVAL}', '{Status.REJECTED}') THEN 0 ELSE {charge} END"
    waiting = f"CASE WHEN {row}.status = '{Status.APPROVAL}' THEN {charge} ELSE 0 END"
    return spent, waiting


def lines(vendor: str, row: str, sign: str = "") -> list[str]:
    """The SQL of the lines that an order adds, or takes back with the sign `-`: the team's, and the person's."""
    spent, waiting = counted(vendor, row)
    return [
        f"SELECT {row}.counts_on AS day, {who} AS who, {sign}({spent}) AS spent, {sign}({waiting}) AS waiting"
        for who in (TEAM, f"{row}.placed_by_id")
    ]


def add_up(parts: list[str]) -> str:
    """The SQL that adds lines to the sums.

    The team's row first: whoever has it has everybody's turn, so that no two transactions wait for each other.
    """
    return (
        "INSERT INTO orders_spent (day, who, spent, waiting) "  # noqa: S608  our own names
        f"SELECT day, who, SUM(spent), SUM(waiting) FROM ({' UNION ALL '.join(parts)}) AS line "
        "WHERE day IS NOT NULL GROUP BY who, day ORDER BY who, day "
        "ON CONFLICT (day, who) DO UPDATE SET "
        "spent = orders_spent.spent + excluded.spent, waiting = orders_spent.waiting + excluded.waiting"
    )


def counts_differently(vendor: str) -> str:
    """The SQL condition that an update changes what an order counts for."""
    differs = {"sqlite": "IS NOT", "postgresql": "IS DISTINCT FROM"}[vendor]
    moved = " OR ".join(
        f"{old} <> {new}" for old, new in zip(counted(vendor, "OLD"), counted(vendor, "NEW"), strict=True)
    )
    any_day = "(OLD.counts_on IS NOT NULL OR NEW.counts_on IS NOT NULL)"
    return f"{any_day} AND (OLD.counts_on {differs} NEW.counts_on OR {moved})"


def recount(vendor: str) -> list[str]:
    """The statements that replace all sums by those of the orders themselves."""
    parts = [f"{line} FROM orders_order o" for line in lines(vendor, "o")]
    return ["DELETE FROM orders_spent", add_up(parts)]


ON_UPDATE = "AFTER UPDATE OF status, counts_on, expected_charge ON orders_order"
TRIGGERS = Triggers(
    table=Spent._meta.db_table,
    complete=are_there("orders_spent_new", "orders_spent_moved"),
    statements={
        "sqlite": [
            f"""CREATE TRIGGER IF NOT EXISTS orders_spent_new AFTER INSERT ON orders_order
            WHEN NEW.counts_on IS NOT NULL BEGIN {add_up(lines("sqlite", "NEW"))}; END""",
            f"""CREATE TRIGGER IF NOT EXISTS orders_spent_moved {ON_UPDATE} WHEN {counts_differently("sqlite")}
            BEGIN {add_up([*lines("sqlite", "OLD", "-"), *lines("sqlite", "NEW")])}; END""",
            *recount("sqlite"),
        ],
        "postgresql": [
            f"""CREATE OR REPLACE FUNCTION orders_spent_add() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                IF TG_OP = 'UPDATE' THEN
                    {add_up([*lines("postgresql", "OLD", "-"), *lines("postgresql", "NEW")])};
                ELSE
                    {add_up(lines("postgresql", "NEW"))};
                END IF;
                RETURN NULL;
            END $$""",
            """CREATE OR REPLACE TRIGGER orders_spent_new AFTER INSERT ON orders_order FOR EACH ROW
            WHEN (NEW.counts_on IS NOT NULL) EXECUTE FUNCTION orders_spent_add()""",
            f"""CREATE OR REPLACE TRIGGER orders_spent_moved {ON_UPDATE} FOR EACH ROW
            WHEN ({counts_differently("postgresql")}) EXECUTE FUNCTION orders_spent_add()""",
            *recount("postgresql"),
        ],
    },
)

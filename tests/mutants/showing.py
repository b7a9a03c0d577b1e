"""Mistakes in what is shown: rows that are kept although what they are drawn from has changed."""

from tests.mutants.mistake import Mistake

ROWS, COLUMNS = "orders/table/rows.py", "orders/table/columns.py"
DRAWN = "tests/orders/table/test_drawn_rows.py"
READER = "columns, rights_of(user), stopped, settings.REFILLS_PER_ORDER, zone_name(), marked(PLAIN), today()"
BY_VERSION = """
    def __eq__(self, other: object) -> bool:
        return isinstance(other, Row) and (self.pk, self.version) == (other.pk, other.version)

    def __hash__(self) -> int:
        return hash((self.pk, self.version))

    def __getattr__(self, name: str) -> Any:"""


def forgotten(what: str, old: str, new: str) -> Mistake:
    """A row that is kept although this has changed of who reads it."""
    return Mistake(f"a kept row that forgets {what}", COLUMNS, READER, READER.replace(old, new), DRAWN)


MISTAKES = (
    Mistake(
        "a row that is kept until its version moves", ROWS,
        "\n    def __getattr__(self, name: str) -> Any:", BY_VERSION,
        DRAWN,
    ),
    Mistake(
        "a kept row that forgets its tasks", ROWS,
        "type(self)((*times, *others), tasks)", "type(self)((*times, *others), ())",
        DRAWN,
    ),
    Mistake(
        "a kept row that does not get late", ROWS,
        "late_from and (PAST if is_late(late_from) else FUTURE)", "late_from and FUTURE",
        DRAWN,
    ),
    Mistake(
        "a kept row that does not get stale", ROWS,
        "next_poll_at and (PAST if is_stale(next_poll_at) else FUTURE)", "next_poll_at and FUTURE",
        DRAWN,
    ),
    Mistake(
        "a kept row that goes on saying when it is tried", ROWS,
        "HELD_UNTIL else PAST if due_at <= now else FUTURE)", "HELD_UNTIL else FUTURE)",
        DRAWN,
    ),
    Mistake(
        "a kept row that tells the time at which it was drawn", "templates/orders/table/cells/id.html",
        "{{ blanks.placed }}", "{{ c.when(order.created_at) }}",
        DRAWN,
    ),
    Mistake(
        "a row that asks the database for one fact more", "templates/orders/table/cells/charge.html",
        "{{ money(order.expected_charge) }}", "{{ money(order.expected_charge) }}{{ order.coupon }}",
        DRAWN,
    ),
    forgotten("its reader’s rights", "rights_of(user)", "frozenset(ROW_ACTIONS)"),
    forgotten("that sending is stopped", "stopped,", "False,"),
    forgotten("how many refills there may be", "settings.REFILLS_PER_ORDER", "3"),
    forgotten("its reader’s clock", "zone_name()", '"UTC"'),
    forgotten("its reader’s numbers", "marked(PLAIN)", "PLAIN"),
    forgotten("the day", "today()", "date.min"),
)  # fmt: skip

"""Copies of a template of orders, made inside the database, with times, ids and links of their own.

Every column that nothing is said of is copied as it is, so that a new one needs no word here; times lie further back.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import reduce
from typing import Any, NamedTuple

from django.core.management import call_command
from django.db import connection
from django.db.models import DateTimeField, Model

from orders.models import Attempt, Delivery, Event, Mention, Note, Order, Reading, Task
from tests.benchmarks.history import (
    EVENTS,
    JOB_ORDERS,
    LAST_OLD_JOB,
    NEWEST,
    READINGS,
    RECENT,
    TASKS,
    TEMPLATE,
    TRIES,
)  # fmt: skip

FILLING_CACHE_KB = 1_000_000


class Sql(NamedTuple):
    """What one database calls `code_of` and the like, of an id; and a time that lies so many minutes back."""

    code: str
    padded: str
    uuid: str
    json: str
    earlier: str


SQL = {
    "sqlite": Sql("printf('%%011x', {} * 2654435761 %% 17592186044416)", "printf('%%08d', {})",
                  "lower(hex(randomblob(16)))", "{}", "datetime({}, '-' || %(back)s || ' minutes')"),
    "postgresql": Sql("lpad(to_hex({} * 2654435761 %% 17592186044416), 11, '0')", "lpad(({})::text, 8, '0')",
                      "gen_random_uuid()", "({})::jsonb", "{} - make_interval(mins => %(back)s)"),
}  # fmt: skip


class Copied(NamedTuple):
    """How the rows of one table are copied: which belong to the template, and which columns differ in the copy."""

    key: str  # the column that tells, in `of_each` units of an order's id
    of_each: int
    ids: dict[str, int]  # column → how many of its ids an order has
    order_id: str  # an order's id, in terms of a row
    coded: tuple[str, ...] = ()  # texts that hold the code of the order or a neighbour
    named: tuple[str, ...] = ()  # texts that hold its upstream id
    json: tuple[str, ...] = ()  # which of these are JSON
    uuids: tuple[str, ...] = ()
    other: dict[str, str] = {}


COPIED: dict[type[Model], Copied] = {
    Order: Copied("id", 1, {"id": 1}, "id", ("link", "target", "haystack", "body"), ("upstream_id",), ("body",),
                  ("request_id", "form_token")),
    Task: Copied("order_id", 1, {"id": TASKS, "order_id": 1}, "order_id", other={
        "bulk_id": "CASE WHEN bulk_id IS NULL THEN NULL "
                   f"ELSE {LAST_OLD_JOB} - ({NEWEST - RECENT} - order_id + %(back)s) / {JOB_ORDERS} END"}),
    Attempt: Copied("task_id", TASKS, {"id": TRIES, "task_id": TASKS}, f"(task_id / {TASKS})"),
    Event: Copied("order_id", 1, {"id": EVENTS, "order_id": 1}, "order_id", named=("facts",), json=("facts",),
                  other={"seal": "NULL"}),  # as of lines from before there was a trail: their seals would not fit
    Reading: Copied("order_id", 1, {"id": READINGS, "order_id": 1}, "order_id"),
    Delivery: Copied("id", 1, {"id": 1}, "id", named=("key", "digest", "upstream_id", "body")),
    Note: Copied("order_id", 1, {"id": 1, "order_id": 1}, "order_id", uuids=("form_token",)),
    Mention: Copied("note_id", 1, {"id": 1, "note_id": 1}, "note_id"),
}  # fmt: skip


def copy_template(back: int, above: int) -> None:
    """Copies the template to where it lies `back` orders and as many minutes earlier, from the order `above` on."""
    sql = SQL[connection.vendor]
    first, last = max(NEWEST - RECENT - TEMPLATE, above + back), NEWEST - RECENT
    with connection.cursor() as cursor:
        for model, how in COPIED.items():
            columns = {str(field.column): _copied(field, how, sql) for field in model._meta.concrete_fields
                       if not field.generated}  # fmt: skip
            names = ", ".join(connection.ops.quote_name(name) for name in columns)
            within = f"{how.key} >= {(first + 1) * how.of_each} AND {how.key} < {(last + 1) * how.of_each}"
            cursor.execute(
                f"INSERT INTO {model._meta.db_table} ({names}) SELECT {', '.join(columns.values())} "
                f"FROM {model._meta.db_table} WHERE {within} ORDER BY id", {"back": back},
            )  # fmt: skip


def _copied(field: Any, how: Copied, sql: Sql) -> str:
    """The SQL of one column of a copy."""
    column, name = field.column, connection.ops.quote_name(field.column)
    if column in how.ids:
        return f"{name} - {how.ids[column]} * %(back)s"
    if column in how.other:
        return how.other[column]
    if column in how.uuids:
        return sql.uuid
    if isinstance(field, DateTimeField):
        return sql.earlier.format(name)
    swaps = [(sql.code, how.order_id), (sql.code, f"({how.order_id} - 3)")] if column in how.coded else []
    swaps += [(sql.padded, how.order_id)] if column in how.named else []
    if not swaps:
        return name
    is_json = column in how.json
    text = f"{name}::text" if is_json and connection.vendor == "postgresql" else name
    changed = reduce(
        lambda so_far, swap: f"replace({so_far}, {swap[0].format(swap[1])}, "
                             f"{swap[0].format(f'({swap[1]} - %(back)s)')})",
        swaps, text,
    )  # fmt: skip
    return sql.json.format(changed) if is_json else changed


@contextmanager
def unwatched() -> Iterator[None]:
    """Inside, no trigger counts orders and no key is checked, which takes longer than the rows; then all is counted."""
    on_sqlite = connection.vendor == "sqlite"
    with connection.cursor() as cursor:
        if on_sqlite:
            for pragma in ("synchronous=OFF", f"cache_size=-{FILLING_CACHE_KB}", "foreign_keys=OFF"):
                cursor.execute(f"PRAGMA {pragma}")
            cursor.execute("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'orders_order'")
            drops = [f"DROP TRIGGER {name}" for (name,) in cursor.fetchall()]
        else:
            cursor.execute("SET session_replication_role = replica")
            cursor.execute("SELECT tgname FROM pg_trigger "
                           "WHERE tgrelid = 'orders_order'::regclass AND NOT tgisinternal")  # fmt: skip
            drops = [f"DROP TRIGGER {name} ON orders_order" for (name,) in cursor.fetchall()]
            drops.append("DROP INDEX orders_words")
        for drop in drops:
            cursor.execute(drop)
    yield
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA foreign_keys=ON" if on_sqlite else "SET session_replication_role = origin")
    call_command("migrate", verbosity=0)  # which installs what is missing after it
    connection.close()

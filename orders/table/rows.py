"""Orders as rows of the table: read in two queries however many rows, and the versions that open pages compare."""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from itertools import chain, pairwise
from operator import itemgetter
from typing import Any, NamedTuple, Self, TypeVar

from django.db import DEFAULT_DB_ALIAS, connection
from django.db.models import F, Model, Q
from django.db.models.functions import Coalesce
from django.db.models.lookups import In

from accounts.models import User
from catalog.models import Service
from orders.models import Order, OrderQuerySet, Poll, Task
from orders.models.team import Colleague
from orders.rules.lateness import is_late
from orders.rules.poll_schedule import is_stale
from orders.rules.retry import HELD_UNTIL
from orders.rules.statuses import Status
from panel.format.times import latest
from panel.ops.database import Select, marks
from panel.web.params import read_number
from panel.web.polling import version_of

# Times that a row tells in words, which change while nothing is written: see `Row.timeless`.
TIME_FIELDS = ("created_at", "reported_at", "poll__reported_at", "poll__next_poll_at", "late_from")
ORDER_FIELDS = (*TIME_FIELDS, "id", "request_id", "link", "quantity", "runs", "expected_charge", "send_when_funded",
                "upstream_id", "status", "charge", "currency", "start_count", "remains", "left_out", "failing_since",
                "refills_elsewhere", "missing_since", "doubts", "version", "cost", "placed_by_id",
                "assigned_to_id", "service_id")  # fmt: skip
SERVICE_FIELDS = ("upstream_id", "name", "type", "category", "refill", "cancel", "changed_at")
PERSON_FIELDS = ("username", "name")
ROW_FIELDS = (*ORDER_FIELDS, *(f"service__{name}" for name in SERVICE_FIELDS),
              *(f"placed_by__{name}" for name in PERSON_FIELDS),
              *(f"assigned_to__{name}" for name in PERSON_FIELDS))  # fmt: skip
TASK_FIELDS = ("due_at", "order_id", "id", "kind", "asked_by_id", "asked_at", "attempts", "unclear_since", "settled_at",
               "outcome", "answer", "needs", "known_at", "over_at", "slot")  # fmt: skip
ROW_TASK_FIELDS = (*TASK_FIELDS, *(f"asked_by__{name}" for name in PERSON_FIELDS))
PLACES = {"pk": ROW_FIELDS.index("id")} | {name: place for place, name in enumerate(ROW_FIELDS)}
VERSION_FIELDS = ("version", "status", "upstream_id", "poll__next_poll_at", "late_from")  # the arguments of row_version
# When upstream was last asked about an order and answered, also where that changed nothing.
CHECKED_AT = Coalesce("poll__reported_at", "reported_at")
POLLED_ROWS = 200  # most rows that one poll may ask about
# Letters in a row's version:
WAITS_MARK = "s"  # the row says that it waits because sending is stopped
STALE_MARK = "o"  # the row says that its facts may be old
LATE_MARK = "l"  # the row says that the order is late
# Ids between the first and the last of a list, for each id of the list, up to which reading that range of the index
# costs less than looking up each id: PostgreSQL reads a block again for each row, SQLite's look-ups are cheap.
NEAR_RATIO = {"sqlite": 2, "postgresql": 25}
# Stand for a time of which a row shows only this, besides its words: that it has come, or that it has not.
PAST, FUTURE = datetime(2000, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC)

ROWS, TASKS = Select(Order, *ROW_FIELDS), Select(Task, *ROW_TASK_FIELDS)
ORDER_ID = "orders_task.order_id"

AnyModel = TypeVar("AnyModel", bound=Model)
Values = tuple[Any, ...]


class Row(NamedTuple):
    """An order with all that its row shows, as the database has it. Rows that are equal look the same."""

    values: Values  # of ROW_FIELDS
    tasks: tuple[Values, ...]  # of ROW_TASK_FIELDS, newest first

    def __getattr__(self, name: str) -> Any:
        """A field of ROW_FIELDS by its name."""
        if name not in PLACES:
            raise AttributeError(name)
        return self.values[PLACES[name]]

    @property
    def times(self) -> tuple[int, datetime, datetime | None, datetime | None, datetime | None]:
        """Its id, when it was placed, when upstream was last asked, from when on it is late, when it is tried next."""
        created_at, *checked_at, _, late_from, pk = self.values[: len(TIME_FIELDS) + 1]
        due_at = next((due_at for due_at, _, _, kind, *_ in self.tasks if kind == Task.Kind.PLACE), None)
        return pk, created_at, latest(*checked_at), late_from, due_at

    def timeless(self, now: datetime) -> Self:
        """The same row, with PAST or FUTURE in place of the times whose words change by themselves."""
        _, reported_at, polled_at, next_poll_at, late_from, *others = self.values
        times = (
            PAST,
            latest(reported_at, polled_at) and PAST,
            None,
            next_poll_at and (PAST if is_stale(next_poll_at) else FUTURE),
            late_from and (PAST if is_late(late_from) else FUTURE),
        )
        tasks = tuple(
            (due_at and (due_at if due_at == HELD_UNTIL else PAST if due_at <= now else FUTURE), *facts)
            for due_at, *facts in self.tasks
        )
        return type(self)((*times, *others), tasks)

    def order(self) -> Order:
        """The order. What its row does not show is read from the database when it is asked for."""
        facts = dict(zip(ROW_FIELDS, self.values, strict=True))
        order, poll = _loaded(Order, facts, ORDER_FIELDS), _part(facts, "poll__")
        order.recall_poll(_loaded(Poll, {"order_id": order.pk} | poll) if poll["next_poll_at"] else None)
        order.service = _loaded(Service, {"id": order.service_id} | _part(facts, "service__"))
        order.placed_by = _loaded(User, {"id": order.placed_by_id} | _part(facts, "placed_by__"))
        assignee = {"id": order.assigned_to_id} | _part(facts, "assigned_to__")
        order.assigned_to = _loaded(User, assignee) if order.assigned_to_id else None
        order.__dict__["known_tasks"] = [_task(values, order) for values in self.tasks]
        return order


def _task(values: Values, order: Order) -> Task:
    facts = dict(zip(ROW_TASK_FIELDS, values, strict=True))
    task = _loaded(Task, facts, TASK_FIELDS)
    asked_by = {"id": task.asked_by_id} | _part(facts, "asked_by__")
    task.order, task.asked_by = order, _loaded(User, asked_by) if task.asked_by_id else None
    return task


def _part(facts: dict[str, Any], prefix: str) -> dict[str, Any]:
    return {name.removeprefix(prefix): value for name, value in facts.items() if name.startswith(prefix)}


def _loaded(model: type[AnyModel], facts: dict[str, Any], names: Collection[str] = ()) -> AnyModel:
    """An instance as a query makes it that reads these columns and leaves the others for later."""
    columns = [field.attname for field in model._meta.concrete_fields if field.attname in (names or facts)]
    return model.from_db(DEFAULT_DB_ALIAS, columns, [facts[column] for column in columns])


def fetch_rows(orders: OrderQuerySet) -> list[Row]:
    """The rows of these orders, in the query's order, each with its service, its people and the tasks that it shows."""
    return with_tasks(ROWS.of(orders))


class Sale(NamedTuple):
    """For whom an order is, what they call it, and what they pay for it. A row shows it only where somebody asks."""

    customer: str | None
    reference: str
    price: Decimal | None


NOT_SOLD = Sale(None, "", None)


def sales_of(pks: Collection[int]) -> dict[int, Sale]:
    """Id → the sale of an order."""
    sold = Order.objects.filter(pk__in=pks).order_by()
    facts = sold.values_list("pk", "customer__name", "customer_reference", "sold_for")
    return {pk: Sale(name, reference, price) for pk, name, reference, price in facts}


def with_tasks(orders: list[Values]) -> list[Row]:
    """These orders, values of ROW_FIELDS, as rows."""
    found = [Row(values, ()) for values in orders]
    tasks: dict[int, list[Values]] = {row.pk: [] for row in found}
    for task in row_tasks(found):
        tasks[task[1]].append(task)
    return [Row(row.values, tuple(tasks[row.pk])) for row in found]


def row_tasks(rows: list[Row]) -> list[Values]:
    """The rows' refills and cancels, newest first, and their placings where upstream has not taken the order."""
    pks = [row.pk for row in rows]
    if not pks:
        return []
    not_taken = [row.pk for row in rows if not row.upstream_id or row.status == Status.REJECTED]
    # Written so that no index serves it: one on kinds would lead through the tasks of all orders.
    kinds = f"NOT orders_task.kind = '{Task.Kind.PLACE}' OR {ORDER_ID} + 0 IN ({marks(not_taken)})"
    # In halves, or PostgreSQL reads a block again for each task in it instead of making a bitmap of the blocks first.
    ranges = near_ranges(pks, halves=True)
    near = " OR ".join([f"{ORDER_ID} BETWEEN %s AND %s"] * len(ranges)) or f"{ORDER_ID} IN ({marks(pks)})"
    params = [*not_taken, *(chain(*ranges) if ranges else pks), *pks]
    tasks = TASKS.where(f"({kinds}) AND ({near}) AND {ORDER_ID} + 0 IN ({marks(pks)})", params)
    return sorted(tasks, key=itemgetter(2), reverse=True)


def near_ranges(pks: Collection[int], *, halves: bool = False) -> list[tuple[int, int]]:
    """The range of ids, or with `halves` the two, that these ids fill well enough; [] where they stand too far apart.

    Each id costs a look-up in the index, which is dearer among a million rows than among a thousand. A range of the
    index costs the same among both.
    """
    low, high = min(pks, default=0), max(pks, default=0)
    if high - low >= NEAR_RATIO[connection.vendor] * len(pks):
        return []
    return list(pairwise([low, (low + high) // 2, high] if halves else [low, high]))


def is_one_of(pks: Collection[int], field: str = "id") -> Q:
    """The condition that `field` is one of these ids, read one by one or as a range: see `near_ranges`."""
    if not (ranges := near_ranges(pks)):
        return Q(**{f"{field}__in": pks})
    [(first, last)] = ranges
    # Plus zero, or the database would look up each id in the index after all.
    return Q(**{f"{field}__gte": first, f"{field}__lte": last}) & Q(In(F(field) + 0, list(pks)))


def row_version(
    version: int, status: str, upstream_id: str | None, next_poll_at: datetime | None, late_from: datetime | None,
    *, stopped: bool,
) -> str:  # fmt: skip
    """A text that changes when what a row shows does: with the order's own version; when sending stops or resumes
    while the order waits to be sent; when its next poll is long overdue; and when the order becomes late."""
    waits = WAITS_MARK if stopped and status == Status.QUEUED and not upstream_id else ""
    return f"{version}{waits}{STALE_MARK if is_stale(next_poll_at) else ''}{LATE_MARK if is_late(late_from) else ''}"


def company_mark(company: Sequence[Colleague]) -> str:
    """What a row's version ends with: it changes when somebody else comes to the order or leaves it."""
    return f"p{version_of(company)[:6]}" if company else ""


def shown_versions(text: str) -> dict[int, str]:
    """The versions of the rows on an open page: `12:3,13:1s` → {12: "3", 13: "1s"}. Parts without an id are ignored."""
    parts = (part.partition(":") for part in text.split(",")[:POLLED_ROWS])
    return {pk: version for digits, _, version in parts if (pk := read_number(digits))}

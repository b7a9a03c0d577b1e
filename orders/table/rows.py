"""Orders as rows of the table: read in three queries however many, and without what no row shows."""

from collections.abc import Collection, Iterable
from datetime import datetime
from functools import reduce
from itertools import pairwise
from operator import or_

from django.db import connection
from django.db.models import F, Q
from django.db.models.lookups import In

from accounts.models import User
from orders.models import Order, OrderQuerySet, Task
from orders.rules.lateness import is_late
from orders.rules.poll_schedule import is_stale
from orders.rules.statuses import Status
from panel.web.params import read_number

ORDER_FIELDS = ("request_id", "link", "quantity", "runs", "expected_charge", "created_at", "send_when_funded",
                "upstream_id", "status", "charge", "currency", "start_count", "remains", "reported_at", "left_out",
                "refills_elsewhere", "missing_since", "doubts", "next_look_at", "late_from", "version", "cost",
                "placed_by_id")  # fmt: skip
SERVICE_FIELDS = ("upstream_id", "name", "type", "category", "refill", "cancel")
TASK_FIELDS = ("order_id", "kind", "asked_by_id", "asked_at", "due_at", "attempts", "unclear_since", "settled_at",
               "outcome", "answer", "needs", "known_at", "over_at", "slot")  # fmt: skip
PERSON_FIELDS = ("username", "name")
ROW_FIELDS = (*ORDER_FIELDS, *(f"service__{name}" for name in SERVICE_FIELDS))
# Ids from the first to the last of some, for each of them, up to which one walk costs less than a descent for each:
# PostgreSQL counts blocks, of which it reads one again for each row; SQLite's descents are cheap.
NEAR_RATIO = {"sqlite": 2, "postgresql": 25}


def fetch_rows(orders: OrderQuerySet) -> list[Order]:
    """These orders, as they come, each with its service, its people and those of its tasks that a row tells of."""
    rows = list(orders.select_related("service").only(*ROW_FIELDS))
    tasks = tasks_of(rows)
    # Asked for by themselves: a team is small, and many rows name the same few.
    named = {row.placed_by_id for row in rows} | {task.asked_by_id for task in tasks}
    people = User.objects.only(*PERSON_FIELDS).order_by().in_bulk(named)
    told: dict[int, list[Task]] = {order.pk: [] for order in rows}
    for task in tasks:
        task.asked_by = people.get(task.asked_by_id)
        told[task.order_id].append(task)
    for order in rows:
        order.placed_by = people[order.placed_by_id]
        order.__dict__["known_tasks"] = told[order.pk]
        for task in told[order.pk]:
            task.order = order
    return rows


def tasks_of(rows: list[Order]) -> list[Task]:
    """What was asked of them since they were placed, newest first; and the placing itself where upstream has not
    taken it."""
    if not rows:
        return []
    # Neither of them in a way that an index could serve: it would lead through all orders' tasks of a kind.
    some = ~Q(kind=Task.Kind.PLACE)
    if unheard := [order.pk for order in rows if not order.upstream_id or order.status == Status.REJECTED]:
        some |= Q(In(F("order_id") + 0, unheard))
    # In halves, or PostgreSQL would read a block again for each task in it, instead of making a map of them first.
    near = is_one_of([order.pk for order in rows], "order_id", halves=True)
    return sorted(Task.objects.filter(some, near).only(*TASK_FIELDS).order_by(), key=lambda task: -task.pk)


def is_one_of(pks: Collection[int], field: str = "id", *, halves: bool = False) -> Q:
    """These ids as a condition. Each costs a descent through the index, and more of a million rows than of a thousand;
    where they stand near each other, one walk along it costs less, and the same of both."""
    low, high = min(pks, default=0), max(pks, default=0)
    if high - low >= NEAR_RATIO[connection.vendor] * len(pks):
        return Q(**{f"{field}__in": pks})
    ends = [low, (low + high) // 2, high] if halves else [low, high]
    walks = [Q(**{f"{field}__gte": first, f"{field}__lte": last}) for first, last in pairwise(ends)]
    # Plus nothing, or the database would make descents of it again.
    return reduce(or_, walks) & Q(In(F(field) + 0, list(pks)))


ROWS_POLLED = 200  # most rows that one poll may ask about
WAITS_MARK = "s"  # in a row's version: it says that it waits because sending is stopped
STALE_MARK = "o"  # and this, that what it says may be old
LATE_MARK = "l"  # and this, that it is late


def row_version(
    version: int, status: str, upstream_id: str | None, next_look_at: datetime | None, late_from: datetime | None,
    *, stopped: bool,
) -> str:  # fmt: skip
    """Changes when what a row shows does: with its order; with a stop, for an order that waits to be sent; when
    upstream was to be asked long ago; and when it becomes late."""
    waits = WAITS_MARK if stopped and status == Status.QUEUED and not upstream_id else ""
    return f"{version}{waits}{STALE_MARK if is_stale(next_look_at) else ''}{LATE_MARK if is_late(late_from) else ''}"


def shown_versions(text: str) -> dict[int, str]:
    """`12:3,13:1s` → {12: "3", 13: "1s"}; what names no order is passed over."""
    pairs: Iterable[tuple[str, str, str]] = (part.partition(":") for part in text.split(",")[:ROWS_POLLED])
    return {read_number(pk): version for pk, _, version in pairs if read_number(pk)}

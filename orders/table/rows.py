"""Orders as rows of the table: read in three queries however many rows, and the versions that open pages compare."""

from collections.abc import Collection
from datetime import datetime
from functools import reduce
from itertools import pairwise
from operator import or_

from django.db import connection
from django.db.models import F, Q
from django.db.models.functions import Coalesce
from django.db.models.lookups import In

from accounts.models import User
from orders.models import Order, OrderQuerySet, Task
from orders.rules.lateness import is_late
from orders.rules.poll_schedule import is_stale
from orders.rules.statuses import Status
from panel.web.params import read_number

ORDER_FIELDS = ("request_id", "link", "quantity", "runs", "expected_charge", "created_at", "send_when_funded",
                "upstream_id", "status", "charge", "currency", "start_count", "remains", "reported_at", "left_out",
                "failing_since", "refills_elsewhere", "missing_since", "doubts", "late_from", "version", "cost",
                "placed_by_id")  # fmt: skip
SERVICE_FIELDS = ("upstream_id", "name", "type", "category", "refill", "cancel", "changed_at")
POLL_FIELDS = ("poll__next_poll_at", "poll__reported_at")
ROW_FIELDS = (*ORDER_FIELDS, *POLL_FIELDS, *(f"service__{name}" for name in SERVICE_FIELDS))
TASK_FIELDS = ("order_id", "kind", "asked_by_id", "asked_at", "due_at", "attempts", "unclear_since", "settled_at",
               "outcome", "answer", "needs", "known_at", "over_at", "slot")  # fmt: skip
PERSON_FIELDS = ("username", "name")
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


def fetch_rows(orders: OrderQuerySet) -> list[Order]:
    """These orders in the query's order, each with its service, its people and the tasks that a row shows."""
    rows = list(orders.select_related("service", "poll").only(*ROW_FIELDS))
    tasks = row_tasks(rows)
    # In a query of its own: a team is small, and many rows name the same few people.
    person_ids = {order.placed_by_id for order in rows} | {task.asked_by_id for task in tasks}
    people = User.objects.only(*PERSON_FIELDS).order_by().in_bulk(person_ids)
    by_id = {order.pk: order for order in rows}
    for order in rows:
        order.placed_by = people[order.placed_by_id]
        order.__dict__["known_tasks"] = []
    for task in tasks:
        task.asked_by, task.order = people.get(task.asked_by_id), by_id[task.order_id]
        task.order.__dict__["known_tasks"].append(task)
    return rows


def row_tasks(rows: list[Order]) -> list[Task]:
    """The rows' refills and cancels, newest first, and their placings where upstream has not taken the order."""
    # Written so that no index serves it: one on kinds would lead through the tasks of all orders.
    condition = ~Q(kind=Task.Kind.PLACE)
    if not_taken := [order.pk for order in rows if not order.upstream_id or order.status == Status.REJECTED]:
        condition |= Q(In(F("order_id") + 0, not_taken))
    # In halves, or PostgreSQL reads a block again for each task in it instead of making a bitmap of the blocks first.
    near = is_one_of([order.pk for order in rows], "order_id", halves=True)
    return sorted(Task.objects.filter(condition, near).only(*TASK_FIELDS).order_by(), key=lambda task: -task.pk)


def is_one_of(pks: Collection[int], field: str = "id", *, halves: bool = False) -> Q:
    """The condition that `field` is one of these ids.

    Each id costs a look-up in the index, which is dearer among a million rows than among a thousand. Where the ids
    stand near each other the condition is a range of the index instead (with `halves`, two), which costs the same
    among both.
    """
    low, high = min(pks, default=0), max(pks, default=0)
    if high - low >= NEAR_RATIO[connection.vendor] * len(pks):
        return Q(**{f"{field}__in": pks})
    ends = [low, (low + high) // 2, high] if halves else [low, high]
    ranges = [Q(**{f"{field}__gte": first, f"{field}__lte": last}) for first, last in pairwise(ends)]
    # Plus zero, or the database would look up each id in the index after all.
    return reduce(or_, ranges) & Q(In(F(field) + 0, list(pks)))


def row_version(
    version: int, status: str, upstream_id: str | None, next_poll_at: datetime | None, late_from: datetime | None,
    *, stopped: bool,
) -> str:  # fmt: skip
    """A text that changes when what a row shows does: with the order's own version; when sending stops or resumes
    while the order waits to be sent; when its next poll is long overdue; and when the order becomes late."""
    waits = WAITS_MARK if stopped and status == Status.QUEUED and not upstream_id else ""
    return f"{version}{waits}{STALE_MARK if is_stale(next_poll_at) else ''}{LATE_MARK if is_late(late_from) else ''}"


def shown_versions(text: str) -> dict[int, str]:
    """The versions of the rows on an open page: `12:3,13:1s` → {12: "3", 13: "1s"}. Parts without an id are ignored."""
    parts = (part.partition(":") for part in text.split(",")[:POLLED_ROWS])
    return {pk: version for digits, _, version in parts if (pk := read_number(digits))}

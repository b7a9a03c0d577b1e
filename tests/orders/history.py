"""An old desk in a few seconds: orders that ended, with what was asked after them; and what reading costs there."""

import json
import uuid
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import cycle, islice

from django.core.management.color import no_style
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import BalanceReading, User
from catalog.models import Service
from catalog.networks import target_of
from orders.models import Attempt, Delivery, Event, Order, Task
from panel.alarms.models import Alarm
from tests.benchmarks.measure import Work, vm_steps

Kind, Outcome, Settled = Task.Kind, Task.Outcome, Task.Settled
LINK = "https://instagram.com/lumen.studio"
ENDS = {
    Kind.REFILL: (Settled.REFUSED, Settled.PRESUMED, Settled.MARKED, Settled.FOLLOWED, Settled.DOUBTED),
    Kind.CANCEL: (Settled.AGREED, Settled.DELIVERED, Settled.OTHERWISE, Settled.REFUSED, Settled.WITHDRAWN),
}
OLDEST_YEARS = timedelta(days=700)
SLACK = 150  # steps, or rows, that a cost may grow by besides: an index is deeper, or read in another way


def write_history(first: int, count: int, service: Service, by: User) -> None:
    """Orders from the id `first` on, of one service for one target, that ended long ago.

    Each has a refill or a cancel that is over, and what else a desk keeps is as much. Later rows get larger ids.
    """
    begin, gap = timezone.now() - OLDEST_YEARS, timedelta(days=600) / (count or 1)
    times = [begin + gap * n for n in range(count)]
    # One in ten was rejected, so that many have no id of upstream's; and one ended short.
    statuses = cycle(("rejected", *["completed"] * 8, "partial"))
    orders = Order.objects.bulk_create(
        Order(
            pk=first + n, request_id=uuid.uuid4(), service=service, placed_by=by, link=LINK, quantity=100,
            target=target_of(LINK),
            rate_seen=1, expected_charge=1, charge=Decimal(2), currency="USD", body={}, created_at=at, ended_at=at,
            status=next(statuses), reported_at=at,
            upstream_id=None if n % 10 == 0 else f"ord_{uuid.uuid4().hex[:20]}",
        )
        for n, at in enumerate(times)
    )  # fmt: skip
    placings = [
        Task(
            pk=2 * order.pk,
            order=order,
            kind=Kind.PLACE,
            asked_by=by,
            asked_at=at,
            settled_at=at,
            outcome=Outcome.DONE,
            attempts=1,
        )
        for order, at in zip(orders, times, strict=True)
    ]
    ends = islice(cycle([(kind, how) for kind, hows in ENDS.items() for how in hows]), count)
    asked = [
        Task(
            pk=2 * order.pk + 1, order=order, kind=kind, asked_by=by, asked_at=at, settled_at=at, known_at=at,
            over_at=at + gap, over_how=how, attempts=1,
            outcome=Outcome.REFUSED if how == Settled.REFUSED else Outcome.DONE,
        )
        for order, at, (kind, how) in zip(orders, times, ends, strict=True)
    ]  # fmt: skip
    tasks = Task.objects.bulk_create([*placings, *asked])
    kinds = cycle(("moved", "review", "refused", "refill_accepted", "refill_unclear", "doubted"))
    Event.objects.bulk_create(  # in the order of their ids, as a desk writes them
        Event(pk=3 * order.pk + n, order=order, kind=next(kinds), at=begin + timedelta(minutes=order.pk))
        for order in orders
        for n in range(3)
    )
    Attempt.objects.bulk_create(Attempt(task=task, began_at=begin, ended_at=begin, ending="placed") for task in tasks)
    BalanceReading.objects.bulk_create(
        BalanceReading(amount=Decimal(1000 + n), first_asked_at=at, asked_at=at) for n, at in enumerate(times)
    )
    Event.objects.bulk_create(
        Event(order=order, kind="moved" if n % 7 else "noted", by=None if n % 3 else by, at=at, facts={"to": "Done"})
        for n, (order, at) in enumerate(zip(orders, times, strict=True))
    )
    Alarm.objects.bulk_create(Alarm(kind="balance", raised_at=at, ended_at=at) for at in times)
    with connection.cursor() as cursor:
        for sql in connection.ops.sequence_reset_sql(no_style(), [Order, Task, Event]):
            cursor.execute(sql)
    Delivery.objects.bulk_create(
        Delivery(key=uuid.uuid4().hex, digest=uuid.uuid4().hex, received_at=timezone.now(), body="", how="looked")
        for _ in times
    )


def analyse() -> None:
    """Has the database count what its tables hold, as it does by itself on a desk."""
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def cost_of(work: Work) -> int:
    """SQLite's steps, or the rows that PostgreSQL reads for the work's questions: the same at every run."""
    if connection.vendor == "sqlite":
        return vm_steps(work)
    with CaptureQueriesContext(connection) as captured:
        work()
    return sum(rows_read(query["sql"]) for query in captured.captured_queries if query["sql"].startswith("SELECT"))


def rows_read(sql: str) -> int:
    """The rows that the scans of PostgreSQL's plan go through, those that they throw away included."""
    with connection.cursor() as cursor:
        # Some thousand rows it rightly reads from end to end; tests/benchmarks has them a million, and this as it is.
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql.replace('%', '%%')}", [])
        said = cursor.fetchone()[0]
    return _rows((json.loads(said) if isinstance(said, str) else said)[0]["Plan"])


def _rows(plan: dict[str, object]) -> int:
    own = 0
    if "Scan" in str(plan["Node Type"]):
        once = sum(int(str(plan.get(name, 0))) for name in ("Actual Rows", "Rows Removed by Filter",
                                                           "Rows Removed by Index Recheck"))  # fmt: skip
        own = once * int(str(plan["Actual Loops"]))
    inner = plan.get("Plans", [])
    assert isinstance(inner, list)
    return own + sum(_rows(part) for part in inner)


def grown(few: dict[str, int], many: dict[str, int], share: float = 1.2) -> dict[str, tuple[int, int]]:
    """What costs more on the larger desk than it may: name → both costs."""
    return {name: (few[name], cost) for name, cost in many.items() if cost > few[name] * share + SLACK}


def days_ago(days: float) -> datetime:
    return timezone.now() - timedelta(days=days)

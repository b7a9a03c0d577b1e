"""A desk full of orders, written in bulk: a recent thousand as a day leaves them, and years of older ones behind."""

import random
import uuid
from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal

from django.core.management.color import no_style
from django.db import connection, transaction
from django.utils import timezone

from accounts.access import Role
from accounts.models import BalanceReading, User
from catalog.models import Service
from catalog.sync import apply_catalog
from orders.models import Event, Order, Poll, Task
from orders.rules.statuses import LIVE, Status
from orders.statistics import charge_totals
from orders.statistics.status_counts import compact
from panel.notpanel.shapes import Catalog
from panel.ops.database import ONLY_ROW, quoted
from panel.upstream.models import Beat, Upstream
from tests.benchmarks.measure import SEED
from tests.makers import make_row, make_user

RECENT = 1_000  # orders; more than a page of each status is among them
SERVICES = 300
PEOPLE = 8
BATCH = 1_000  # rows an INSERT
FILLING_CACHE_KB = 400_000  # the random keys of a million rows fit into it
# The turns of the recent ones; older ones have come to an end.
MIX = (
    Status.COMPLETED, Status.IN_PROGRESS, Status.PENDING, Status.COMPLETED, Status.PROCESSING, Status.QUEUED,
    Status.COMPLETED, Status.IN_PROGRESS, Status.REVIEW, Status.PENDING, Status.PARTIAL, Status.REJECTED,
    Status.COMPLETED, Status.PROCESSING, Status.CANCELLED, Status.REFUNDED,
)  # fmt: skip
UNDER_WAY = ", ".join(f"'{status}'" for status in sorted({*LIVE, Status.QUEUED, Status.REVIEW}))
ENDS = {Status.QUEUED: Task.Outcome.DONE, Status.REVIEW: Task.Outcome.REVIEW, Status.REJECTED: Task.Outcome.REFUSED}


def open_desk() -> User:
    """A team, a catalog, a worker that beats, an upstream that answers; the owner."""
    now = timezone.now()
    owner = make_user(Role.OWNER)
    for _ in range(PEOPLE - 1):
        make_user(Role.OPERATOR)
    apply_catalog(Catalog(tuple(make_row() for _ in range(SERVICES)), ()), now)
    Upstream.objects.update_or_create(pk=ONLY_ROW, defaults={"spoke_at": now})
    Beat.objects.create(name="here:1", started_at=now, beat_at=now + timedelta(days=1))
    BalanceReading.objects.create(amount=Decimal("812.40"), first_asked_at=now, asked_at=now)
    return owner


def write_orders(first: int, count: int, statuses: Sequence[Status] = MIX) -> None:
    """Orders `first` … `first + count - 1`, each with its task and what happened to it."""
    chance, now = random.Random(SEED + first), timezone.now()
    services, people = list(Service.objects.order_by("pk")), list(User.objects.order_by("pk"))
    orders, tasks, events = [], [], []
    for pk in range(first, first + count):
        status, service, person = statuses[pk % len(statuses)], chance.choice(services), chance.choice(people)
        heard = status not in (Status.QUEUED, Status.REVIEW, Status.REJECTED)
        quantity = chance.choice((100, 250, 1_000, 5_000))
        at = now - timedelta(minutes=first + count - pk)
        link = f"https://www.instagram.com/p/{chance.getrandbits(60):x}/"
        orders.append(
            Order(
                pk=pk, request_id=some_uuid(chance), form_token=some_uuid(chance),
                service=service, link=link, quantity=quantity, placed_by=person, created_at=at, status=status,
                body={"service": str(service.upstream_id), "link": link, "quantity": str(quantity)},
                rate_seen=service.rate, expected_charge=service.expected_charge(quantity),
                upstream_id=f"ord_{pk:08}" if heard else None, charge=Decimal("0.90") if heard else None,
                currency="USD" if heard else "", start_count=chance.randrange(10**6) if heard else None,
                remains=chance.randrange(quantity) if status in LIVE else 0 if heard else None,
                said={"status": status} if heard else None, reported_at=at if heard else None,
            )
        )  # fmt: skip
        waits = status == Status.QUEUED
        tasks.append(
            Task(
                order_id=pk, kind=Task.Kind.PLACE, asked_by=person, asked_at=at, due_at=at if waits else None,
                attempts=0 if waits else 1, settled_at=None if waits else at,
                outcome="" if waits else ENDS.get(status, Task.Outcome.DONE),
            )
        )  # fmt: skip
        facts = {"quantity": f"{quantity:,}", "rate": "$0.90", "expected": "$0.90"}
        events.append(Event(order_id=pk, kind="placed", by=person, at=at, facts=facts))
        if heard:
            events.append(Event(order_id=pk, kind="moved", at=at, facts={"was": "Queued", "to": status}))
    for order in orders:
        order.fill_search_fields()
    polls = [Poll(order_id=order.pk, next_poll_at=now) for order in orders if order.status in LIVE]
    with transaction.atomic():
        Order.objects.bulk_create(orders, batch_size=BATCH)
        Poll.objects.bulk_create(polls, batch_size=BATCH)
        Task.objects.bulk_create(tasks, batch_size=BATCH)
        Event.objects.bulk_create(events, batch_size=BATCH)
        with connection.cursor() as cursor:  # whoever places one more gets a number that is free
            for sql in connection.ops.sequence_reset_sql(no_style(), [Order]):
                cursor.execute(sql)
    tidy_up()


def tidy_up() -> None:
    """What the worker does for the tally and the sums, and autovacuum; nobody vacuums SQLite."""
    charge_totals.compact()
    while compact(least=2 * len(Status)):
        pass
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            for table in ("orders_tally", "orders_customersum"):  # no desk gets a million orders within a minute
                cursor.execute(f"VACUUM FULL {table}")
            cursor.execute("VACUUM ANALYZE")


def some_uuid(chance: random.Random) -> uuid.UUID:
    return uuid.UUID(int=chance.getrandbits(128))


def write_older(first: int, blocks: int) -> None:
    """So many thousands of ended orders before order `first`: copies of that thousand, with ids of their own.

    A copy of columns inside the database, so that it takes a minute and needs no word here when a model grows.
    """
    own = {
        "id": "id - %(back)s", "request_id": _random_uuid(), "form_token": _random_uuid(),
        "upstream_id": "'ord_' || (id - %(back)s)",
        "status": f"CASE WHEN status IN ({UNDER_WAY}) "
                  f"THEN '{Status.COMPLETED}' ELSE status END",
    }  # fmt: skip
    tasks = {"order_id": "order_id - %(back)s", "due_at": "NULL", "settled_at": "asked_at"}
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("PRAGMA synchronous=OFF")
            cursor.execute(f"PRAGMA cache_size=-{FILLING_CACHE_KB}")
        for block in range(blocks, 0, -1):
            for model, columns, key in ((Order, own, "id"), (Task, tasks, "order_id")):
                names = [str(field.column) for field in model._meta.concrete_fields if not field.generated]
                if "id" not in columns:
                    names.remove("id")
                cursor.execute(
                    f"INSERT INTO {model._meta.db_table} ({', '.join(map(quoted, names))}) "
                    f"SELECT {', '.join(columns.get(n) or quoted(n) for n in names)} FROM {model._meta.db_table} "
                    f"WHERE {key} >= %(first)s AND {key} < %(first)s + {RECENT} ORDER BY {key}",
                    {"back": block * RECENT, "first": first},
                )
    tidy_up()
    connection.close()  # and with it what the filling had set


def _random_uuid() -> str:
    return "gen_random_uuid()" if connection.vendor == "postgresql" else "lower(hex(randomblob(16)))"

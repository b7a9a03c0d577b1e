"""What the worker does, each thing by itself: an idle round, a placement, polls, every recurring chore."""

import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from itertools import islice
from typing import Any, NamedTuple

from django.http import QueryDict
from django.utils import timezone

from accounts.models import DeskSession, SignInCount, User
from catalog.models import Service
from orders.following.poll import poll_once
from orders.models import Delivery, Order, Pace, Plan, PlanPart, Poll, Task
from orders.models.poll import Queue
from orders.rules.statuses import LIVE, Status
from orders.table import export
from orders.table.listing import Listing
from panel.alarms.models import Watch
from panel.upstream.models import Chore
from panel.worker.heartbeat import Heartbeat
from panel.worker.loop import STEPS, work_round
from panel.worker.recurring import RECURRING_WORK
from tests.benchmarks import polls
from tests.benchmarks.history import NEWEST, RECENT
from tests.benchmarks.measure import Work
from tests.benchmarks.supplier import ReadySupplier, answer_of, catalog_row
from tests.makers import place_order

A_CALL = 100  # orders or tasks that go in one call
EXPORTED = 100  # rows
STEPS_HERE = 12  # of the worker


class Probe(NamedTuple):
    """One thing that is measured: its name, what is done, and what must be so before."""

    name: str
    work: Work
    prepare: Work = lambda: None
    writes: bool = False  # it must write something
    dirty: bool = False  # it writes many rows, or its preparation does


def all_rounds() -> Iterator[Probe]:
    """Every step and chore of the worker. Fails when there is one that it does not know."""
    return (probe._replace(dirty=True) for probe in _all_rounds())


def _all_rounds() -> Iterator[Probe]:
    client = ReadySupplier()
    yield Probe("idle round", partial(work_round, client))
    yield Probe("a worker begins, and beats once more", begin_and_beat)
    yield Probe("a round: one placement", partial(work_round, client), placement_due)
    yield Probe(f"a round: {A_CALL} refills", partial(work_round, client), partial(aftersale_due, Task.Kind.REFILL))
    yield Probe(f"a round: {A_CALL} cancels", partial(work_round, client), partial(aftersale_due, Task.Kind.CANCEL))
    yield Probe(f"a poll: {A_CALL} orders, unchanged", partial(poll_once, client), partial(polls_due, client))
    yield Probe(f"a poll: {A_CALL} orders, changed", partial(poll_once, client), partial(polls_due, client, moved=True))
    yield Probe(f"a poll: {A_CALL} orders, ended", partial(poll_once, client),
                partial(polls_due, client, status=Status.COMPLETED, remains="0"))  # fmt: skip
    yield Probe(f"a round: {A_CALL} deliveries", partial(work_round, client), deliveries_due)
    yield Probe(f"a round: {A_CALL} refills presumed settled", partial(work_round, client), refills_to_presume)
    yield Probe("a round: alarms", partial(work_round, client), alarms_due)
    assert len(STEPS) == STEPS_HERE, "the worker has a new step; measure it here, then count it in"
    for name in RECURRING_WORK:
        assert name in CHORES, f"the worker has a new chore, {name}; say in CHORES what it must find to do"
        yield Probe(f"chore: {name}", partial(work_round, client), partial(chore_due, name, client, CHORES[name]))
    yield Probe(f"export: the first {EXPORTED} rows", first_exported)


# ── What is due ──────────────────────────────────────────────────────────────────────────────────
def begin_and_beat() -> None:
    heartbeat, now = Heartbeat(once=False), timezone.now()
    assert heartbeat.record(now) and heartbeat.record(now + timedelta(minutes=1))


def placement_due() -> None:
    place_order(by=User.objects.order_by("pk")[5], service=Service.objects.get(upstream_id=1_000),
                link="https://instagram.com/lumen.anew")  # fmt: skip
    Task.objects.filter(pk=Task.objects.latest("pk").pk).update(due_at=timezone.now())


def aftersale_due(kind: str) -> None:
    """A call full of tasks of a kind, each of an order of its own that has none pending."""
    at = timezone.now()
    statuses = (Status.COMPLETED,) if kind == Task.Kind.REFILL else (Status.IN_PROGRESS, Status.PENDING)
    pending = Task.objects.pending().filter(kind=kind).values("order_id")
    fitting = recent().filter(status__in=statuses).exclude(pk__in=pending).order_by("-pk")[:A_CALL]
    slots: dict[str, Any] = {"slot": 2, "slots": 3} if kind == Task.Kind.REFILL else {}
    asked = [Task(order=order, kind=kind, asked_at=at, due_at=at, **slots) for order in fitting]
    assert len(asked) == A_CALL
    Task.objects.bulk_create(asked)


def polls_due(client: ReadySupplier, *, moved: bool = False, **news: Any) -> None:
    """A call full of orders that were polled before, with nothing new since, or with news of each."""
    due = list(recent().filter(status__in=LIVE, upstream_id__isnull=False, missing_since=None).order_by("pk")[:A_CALL])
    assert len(due) == A_CALL
    client.told = {str(order.upstream_id): answer_of(order) for order in due}
    polls.poll_at([order.pk for order in due], timezone.now() - timedelta(minutes=1))
    poll_once(client)
    if moved or news:
        client.told = {
            str(order.upstream_id): answer_of(order, **(news or {"remains": str((order.remains or 1) - 1)}))
            for order in due
        }
    polls.poll_at([order.pk for order in due], timezone.now() - timedelta(minutes=1))


def deliveries_due() -> None:
    due = Delivery.objects.filter(pk__in=recent().filter(status__in=LIVE).order_by("-pk").values("pk")[:A_CALL])
    assert due.update(due_at=timezone.now(), how=Delivery.How.CAME, received_at=timezone.now()) == A_CALL


def refills_to_presume() -> None:
    """A call full of refills of which nothing was heard for long."""
    aftersale_due(Task.Kind.REFILL)
    long_ago = timezone.now() - timedelta(days=5)
    Task.objects.filter(kind=Task.Kind.REFILL, due_at__lte=timezone.now()).update(
        due_at=None, settled_at=long_ago, known_at=long_ago, outcome=Task.Outcome.DONE
    )


def alarms_due() -> None:
    Watch.objects.update(due_at=timezone.now())


# ── Chores ───────────────────────────────────────────────────────────────────────────────────────
def chore_due(name: str, client: ReadySupplier, prepare: Callable[[ReadySupplier], object]) -> None:
    prepare(client)
    Chore.objects.filter(name=name).update(due_at=timezone.now())


def nothing(_client: ReadySupplier) -> None:
    """It finds what it is to do by itself."""


def whole_catalog(client: ReadySupplier) -> None:
    """Ten of all services have another rate."""
    client.listed = [catalog_row(service) for service in Service.objects.filter(active=True).order_by("pk")]
    for row in client.listed[:10]:
        row["rate"] = "9.99"


def one_left_out(client: ReadySupplier) -> None:
    order = recent().filter(status__in=LIVE).order_by("-pk")[0]
    Order.objects.filter(pk=order.pk).update(left_out=3)
    client.told = {str(order.upstream_id): answer_of(order)}
    polls.poll_at([order.pk], timezone.now() - timedelta(minutes=1))
    Poll.objects.filter(order=order).update(queue=Queue.ALONE)


def fifty_ended(_client: ReadySupplier) -> None:
    """Orders that have ended since the services were measured last."""
    ended = recent().filter(ended_at__isnull=False).order_by("-pk").values_list("pk", flat=True)[:50]
    Order.objects.filter(pk__in=list(ended)).update(ended_at=timezone.now() - timedelta(minutes=4))
    Pace.objects.update(ends_to=timezone.now() - timedelta(minutes=5))


def hundred_ended(_client: ReadySupplier) -> None:
    """Sessions that nobody has used for long."""
    long_ago, person = timezone.now() - timedelta(days=30), User.objects.order_by("pk")[5]
    DeskSession.objects.bulk_create(
        DeskSession(digest=f"old {n}", user=person, began_at=long_ago, used_at=long_ago, ends_at=long_ago)
        for n in range(A_CALL)
    )


def hundred_tries(_client: ReadySupplier) -> None:
    """Counts whose time is over."""
    SignInCount.objects.bulk_create(SignInCount(key=f"old {n}", tries=1, ends_at=n) for n in range(A_CALL))


def part_due(_client: ReadySupplier) -> None:
    """One part of a plan, of a line that can go."""
    person, now = User.objects.order_by("pk")[5], timezone.now()
    service = Service.objects.get(upstream_id=1_000)
    typed = {"service": "1000", "link": "https://instagram.com/lumen.planned", "quantity": "1000"}
    plan = Plan.objects.create(token=uuid.uuid4(), owner=person, made_at=now, source="a pasted list", zone="UTC",
                               seen={"1000": service.terms}, listed=1, part_lines=1, every=1, unit="days")  # fmt: skip
    PlanPart.objects.create(plan=plan, number=1, due_at=now, next_at=now, listed=1, lines=[{"n": 1, "typed": typed}])


CHORES: dict[str, Callable[[ReadySupplier], object]] = {
    "balance": nothing, "catalog": whole_catalog, "left out": one_left_out, "pace": fifty_ended, "spending": nothing,
    "approvals": nothing, "query plans": nothing, "old deliveries": nothing, "old readings": nothing,
    "old sessions": hundred_ended, "old tries": hundred_tries, "new devices": nothing,
    "trail": nothing, "sales": nothing, "scores": nothing, "weekly reports": nothing, "parts of plans": part_due,
}  # fmt: skip


def first_exported() -> None:
    listing = Listing.of(User.objects.order_by("pk")[0], QueryDict(""))
    assert len(list(islice(export.export_rows(listing), EXPORTED))) == EXPORTED


def recent() -> Any:
    """The recent thousand, which is the same on a desk of any size."""
    return Order.objects.filter(pk__gt=NEWEST - RECENT, pk__lte=NEWEST)

"""What the worker's rounds cost in statements and commits: `pytest -s` prints each of them."""

from collections.abc import Callable, Collection
from datetime import timedelta
from typing import Any, NamedTuple

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from orders.models import Order, Poll, Task
from orders.rules.statuses import Status
from panel.notpanel.budget import Purpose
from panel.notpanel.client import Client
from panel.upstream.call_budget import Meter
from panel.upstream.client import record_call
from panel.upstream.models import ROLES, Chore
from panel.worker.loop import work_round
from panel.worker.recurring import create_rows
from tests.benchmarks.measure import of_transaction
from tests.makers import make_order, make_user, place_order, sold_by
from tests.upstream import Upstream

pytestmark = pytest.mark.django_db(transaction=True)

PLACING = (Purpose.PLACE,)


class Cost(NamedTuple):
    """What some work asked of the database."""

    statements: int  # without those that begin and end a transaction
    commits: int  # each write outside a transaction is one as well
    writes: int


def cost_of(work: Callable[[], object], title: str) -> Cost:
    """Counts the statements and commits of some work, and prints them."""
    with CaptureQueriesContext(connection) as captured:
        work()
    statements = [str(query["sql"]) for query in captured.captured_queries]
    commits = writes = 0
    inside = False
    for sql in statements:
        word = sql.lstrip(" (").split(" ", 1)[0].upper()
        inside = {"BEGIN": True, "COMMIT": False}.get(word, inside)
        write = word in ("INSERT", "UPDATE", "DELETE", "WITH")
        writes += write
        commits += word == "COMMIT" or (write and not inside)
    cost = Cost(sum(not of_transaction(sql) for sql in statements), commits, writes)
    print(f"\n== {title}: {cost}", *(sql[:160] for sql in statements), sep="\n   ")
    return cost


@pytest.fixture
def worker(upstream: Upstream) -> Client:
    """The client of a worker that has made a call before, with nothing recurring due."""
    client = Client(upstream.url, upstream.key, on_call=record_call, meter=Meter(), connect_seconds=5, total_seconds=10)
    create_rows(timezone.now())
    Chore.objects.update(due_at=timezone.now() + timedelta(days=1))
    client.balance()
    work_round(client)
    return client


def placed(worker: Client, roles: Collection[str], title: str, **fields: Any) -> Cost:
    """The cost of a round in which one order is placed."""
    order = place_order(by=make_user(), service=sold_by(worker), quantity=1000, **fields)
    cost = cost_of(lambda: work_round(worker, roles), title)
    order.refresh_from_db()
    assert order.upstream_id
    return cost


def test_a_placement(worker: Client) -> None:
    cost = placed(worker, PLACING, "a placement")
    assert cost.statements <= 20
    assert cost.commits <= 4


def test_a_round_that_places_one_order(worker: Client) -> None:
    cost = placed(worker, ROLES, "a placing worker's whole round")
    assert cost.statements <= 20
    assert cost.commits <= 4


def test_an_idle_round(worker: Client) -> None:
    cost = cost_of(lambda: work_round(worker), "an idle round")
    assert cost == (1, 0, 0)


@pytest.mark.parametrize("fault", ["error_200", "lose_answer", "throttle"])
def test_a_placement_that_fails(worker: Client, upstream: Upstream, fault: str) -> None:
    place_order(by=make_user(), service=sold_by(worker), quantity=1000)
    upstream.will(fault, action="add")
    cost_of(lambda: work_round(worker, PLACING), f"a placement that meets {fault}")


@pytest.mark.parametrize("kind", [Task.Kind.REFILL, Task.Kind.CANCEL])
def test_refills_and_cancels(worker: Client, kind: str) -> None:
    service, by = sold_by(worker, refill=True, cancel=True), make_user()
    for _ in range(2):
        order = place_order(by=by, service=service, quantity=1000)
        work_round(worker, PLACING)
        Order.objects.filter(pk=order.pk).update(status=Status.COMPLETED)
        Poll.objects.filter(order=order).delete()
        slot = {"slot": 1, "slots": 3} if kind == Task.Kind.REFILL else {}
        Task.objects.create(order=order, kind=kind, asked_by=by, due_at=timezone.now(), **slot)
    cost_of(lambda: work_round(worker, (Purpose.ASK,)), f"two {kind}s in one call")
    assert Task.objects.filter(kind=kind, settled_at__isnull=False).count() == 2


def test_a_poll(worker: Client) -> None:
    make_order(Status.IN_PROGRESS)
    cost_of(lambda: work_round(worker, (Purpose.POLL,)), "a poll")

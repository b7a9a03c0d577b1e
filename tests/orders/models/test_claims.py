"""Work is claimed by one worker and by no other, on SQLite and on PostgreSQL."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from accounts.access import Role
from orders.models import Task
from orders.placing import review
from orders.rules.refusal import Refusal
from orders.rules.retry import LEASE
from orders.rules.statuses import Status
from tests.makers import claimed_ids, make_order, make_service, make_user, place_order

WORKERS = 4
LOCK_SECONDS = 0.5  # enough to reach the locked row; a slower thread finds it changed, which is right too


def together(*acts: Callable[[], object]) -> None:
    """Runs each in a thread of its own, all started at the same moment."""
    gate = threading.Barrier(len(acts))

    def run(act: Callable[[], object]) -> None:
        gate.wait()
        try:
            act()
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)


@contextmanager
def meanwhile(act: Callable[[], object]) -> Iterator[None]:
    """A transaction that ends only after another thread has begun to act."""

    def run() -> None:
        act()
        connection.close()

    with transaction.atomic():
        yield
        thread = threading.Thread(target=run)
        thread.start()
        time.sleep(LOCK_SECONDS)
    thread.join(timeout=60)


@pytest.mark.django_db(transaction=True)
def test_each_task_goes_to_one_worker() -> None:
    by, service = make_user(), make_service()
    for _ in range(20):
        place_order(by=by, service=service)
    claimed: list[int] = []

    def worker() -> None:
        while task := Task.objects.claim(timezone.now(), LEASE):
            claimed.append(task.pk)

    together(*[worker] * WORKERS)
    assert Counter(claimed) == Counter(Task.objects.values_list("pk", flat=True))


@pytest.mark.django_db(transaction=True)
def test_a_claim_that_waited_for_another_finds_nothing() -> None:
    """On PostgreSQL the second claim waits for the row, and must then see the row as the first has left it."""
    place_order()
    claimed: list[Task | None] = []
    with meanwhile(lambda: claimed.append(Task.objects.claim(timezone.now(), LEASE))):
        assert Task.objects.claim(timezone.now(), LEASE)
    assert claimed == [None]


@pytest.mark.django_db(transaction=True)
def test_a_decision_that_waited_for_another_is_refused() -> None:
    order, manager = make_order(Status.REVIEW), make_user(Role.MANAGER)
    refusals: list[str] = []

    def decide() -> None:
        try:
            review.ask_again(order, by=manager)
        except Refusal as refusal:
            refusals.append(str(refusal))

    with meanwhile(decide):
        review.close(order, "It is not there.", by=manager)
    assert refusals


@pytest.mark.django_db(transaction=True)
def test_each_poll_goes_to_one_worker() -> None:
    by, service = make_user(), make_service()
    upstream_ids = {make_order(Status.IN_PROGRESS, by=by, service=service).upstream_id for _ in range(250)}
    claimed: list[str] = []

    def worker() -> None:
        while ids := claimed_ids(timezone.now()):
            claimed.extend(ids)

    together(*[worker] * WORKERS)
    assert Counter(claimed) == Counter(upstream_ids)


@pytest.mark.django_db
def test_a_worker_whose_clock_is_behind_leaves_the_orders_of_a_call_that_runs() -> None:
    running = make_order(Status.IN_PROGRESS)
    assert set(claimed_ids(timezone.now() + timedelta(seconds=3))) == {running.upstream_id}
    waiting = make_order(Status.IN_PROGRESS)
    assert set(claimed_ids(timezone.now())) == {waiting.upstream_id}


@pytest.mark.django_db(transaction=True)
def test_each_task_of_a_kind_goes_to_one_worker() -> None:
    by, service = make_user(), make_service()
    for _ in range(20):
        order = make_order(Status.COMPLETED, by=by, service=service)
        Task.objects.create(order=order, kind=Task.Kind.REFILL, asked_by=by, due_at=timezone.now(), slot=1, slots=3)
    claimed: list[int] = []

    def worker() -> None:
        while tasks := Task.objects.claim_together(Task.Kind.REFILL, timezone.now(), LEASE, 3):
            claimed.extend(task.pk for task in tasks)

    together(*[worker] * WORKERS)
    refills = Task.objects.filter(kind=Task.Kind.REFILL)
    assert Counter(claimed) == Counter(refills.values_list("pk", flat=True))
    assert set(refills.values_list("attempts", flat=True)) == {1}


@pytest.mark.django_db
def test_a_dead_workers_claim_runs_out_by_the_clock() -> None:
    place_order()
    now = timezone.now()
    assert Task.objects.claim(now, LEASE)
    assert not Task.objects.claim(now + LEASE - timedelta(seconds=1), LEASE)
    assert Task.objects.claim(now + LEASE, LEASE)

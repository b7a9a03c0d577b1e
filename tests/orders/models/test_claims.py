"""Work is claimed by one worker and by no other, on both databases."""

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
from orders.following.poll import claim
from orders.models import Task
from orders.placing import review
from orders.rules.refusal import Refusal
from orders.rules.retry import LEASE
from orders.rules.statuses import Status
from tests.makers import make_order, make_service, make_user, place_order

WORKERS = 4
LONG_ENOUGH_SECONDS = 0.5  # to come to the row that is locked; who is slower finds it changed, as is right too


def together(*acts: object) -> None:
    """Runs each in a thread of its own, all let go at once."""
    gate = threading.Barrier(len(acts))

    def run(act: object) -> None:
        gate.wait()
        try:
            act()  # type: ignore[operator]
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)


@contextmanager
def meanwhile(act: Callable[[], object]) -> Iterator[None]:
    """A transaction in which somebody else has begun to act by the time it ends."""

    def run() -> None:
        act()
        connection.close()

    with transaction.atomic():
        yield
        thread = threading.Thread(target=run)
        thread.start()
        time.sleep(LONG_ENOUGH_SECONDS)
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
    """On PostgreSQL it waits for the row; what it then sees must be how the row has become."""
    place_order()
    claimed: list[Task | None] = []
    with meanwhile(lambda: claimed.append(Task.objects.claim(timezone.now(), LEASE))):
        assert Task.objects.claim(timezone.now(), LEASE)
    assert claimed == [None]


@pytest.mark.django_db(transaction=True)
def test_a_decision_that_waited_for_another_is_refused() -> None:
    order, boss = make_order(Status.REVIEW), make_user(Role.MANAGER)
    refused: list[str] = []

    def decide() -> None:
        try:
            review.ask_again(order, by=boss)
        except Refusal as no:
            refused.append(str(no))

    with meanwhile(decide):
        review.close(order, "It is not there.", by=boss)
    assert refused


@pytest.mark.django_db(transaction=True)
def test_each_look_goes_to_one_worker() -> None:
    by, service = make_user(), make_service()
    orders = {make_order(Status.IN_PROGRESS, by=by, service=service).upstream_id for _ in range(250)}
    claimed: list[str] = []

    def worker() -> None:
        while ids := claim(timezone.now()):
            claimed.extend(ids)

    together(*[worker] * WORKERS)
    assert Counter(claimed) == Counter(orders)


@pytest.mark.django_db
def test_a_worker_whose_clock_is_behind_leaves_the_orders_of_a_call_that_runs() -> None:
    running = make_order(Status.IN_PROGRESS)
    assert set(claim(timezone.now() + timedelta(seconds=3))) == {running.upstream_id}
    waiting = make_order(Status.IN_PROGRESS)
    assert set(claim(timezone.now())) == {waiting.upstream_id}


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
    wishes = Task.objects.filter(kind=Task.Kind.REFILL)
    assert Counter(claimed) == Counter(wishes.values_list("pk", flat=True))
    assert set(wishes.values_list("attempts", flat=True)) == {1}


@pytest.mark.django_db
def test_a_dead_workers_claim_runs_out_by_the_clock() -> None:
    place_order()
    now = timezone.now()
    assert Task.objects.claim(now, LEASE)
    assert not Task.objects.claim(now + LEASE - timedelta(seconds=1), LEASE)
    assert Task.objects.claim(now + LEASE, LEASE)

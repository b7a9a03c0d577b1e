"""What a worker's look for due polls costs does not grow with the polls, whether or not the database has statistics."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from orders.following.claim import claim
from orders.models import Poll
from orders.models.poll import Queue, Urgency
from orders.rules.statuses import Status
from tests.benchmarks import data, measure
from tests.makers import poll_wanted
from tests.upstream import soon

pytestmark = pytest.mark.django_db(transaction=True)
FEW, MANY = 1_000, 4_000  # both fill more than one page of each index
MOST_GROWTH = 1.2
NOW = timezone.now()
LATER = NOW + timedelta(minutes=30)

# What is asked → the polls that there are: those due now, the queue and the urgency of some that are due, the question.
QUESTIONS: dict[str, tuple[bool, dict[str, int], Callable[[], object]]] = {
    "nothing is due": (False, {}, lambda: poll_wanted(NOW)),
    "much is due": (True, {}, lambda: poll_wanted(NOW)),
    "a call full": (True, {}, lambda: claim(NOW)),
    "a person asked": (True, {"urgency": Urgency.PERSON}, lambda: (poll_wanted(NOW), claim(NOW))),
    "a call failed": (True, {"urgency": Urgency.SUSPECT, "share": 3}, lambda: claim(NOW)),
    "all alone": (False, {"queue": Queue.ALONE}, lambda: list(Poll.objects.due_alone(NOW)[:1])),
    "no wait is too long": (False, {}, lambda: Poll.objects.by_index().filter(next_poll_at__gt=LATER).exists()),
}


@pytest.mark.slow
@pytest.mark.parametrize("statistics", [False, True])
def test_a_worker_s_question_costs_the_same_with_four_times_the_polls(*, statistics: bool) -> None:
    data.open_desk()
    costs = {}
    for first, last in ((1, FEW), (FEW + 1, MANY)):
        data.write_orders(first, last - first + 1, (Status.IN_PROGRESS,))
        if statistics:
            with connection.cursor() as cursor:
                cursor.execute("ANALYZE")
        costs[last] = {name: cost_of(*question) for name, question in QUESTIONS.items()}
    assert {
        name: (few, many) for (name, few), many in zip(costs[FEW].items(), costs[MANY].values(), strict=True)
        if many > few * MOST_GROWTH + 4  # a block for each of four urgencies, where the index is a level deeper
    } == {}  # fmt: skip


def cost_of(due: bool, first_ten: dict[str, int], question: Callable[[], object]) -> float:
    """VM steps on SQLite, blocks on PostgreSQL, of a question that changes nothing in the end."""
    Poll.objects.update(next_poll_at=NOW if due else LATER, queue=Queue.TOGETHER, urgency=Urgency.NONE, share=None)
    Poll.objects.filter(order__lte=10 if first_ten else 0).update(next_poll_at=NOW, **first_ten)
    if not measure.on_sqlite():
        # Or it would read what the updates above have left behind; as long as another one looks at it, it stays.
        assert soon(nobody_else_vacuums)
        measure.execute("VACUUM orders_poll")
    with undone():
        if measure.on_sqlite():
            return measure.vm_steps(question)
        return measure.shared_hit_blocks(measure.queries_of(question))


def nobody_else_vacuums() -> bool:
    """Whether no worker of PostgreSQL's own is at work in this database."""
    with connection.cursor() as cursor:
        theirs = "datname = current_database() AND backend_type = 'autovacuum worker'"
        cursor.execute(f"SELECT FROM pg_stat_activity WHERE {theirs}")
        return cursor.fetchone() is None


@contextmanager
def undone() -> Iterator[None]:
    with transaction.atomic():
        yield
        transaction.set_rollback(True)

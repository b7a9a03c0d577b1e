"""All processes spend from one budget: no call is granted twice, and every call is counted."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from django.db import OperationalError, connection
from django.utils import timezone

from orders.models import Order, Task
from orders.placing.submit import submit_one
from orders.rules.statuses import Status
from panel.notpanel import budget
from panel.notpanel.budget import SPAN, LimitHeaders, Purpose
from panel.notpanel.client import Client
from panel.upstream import call_budget
from panel.upstream.call_budget import Granted, Meter
from panel.upstream.models import Window
from panel.worker.loop import Step, take_step, work_round
from tests.makers import make_order, make_service, make_user, place_order
from tests.upstream import Upstream

NOON = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)
PROCESSES = 8


@pytest.fixture
def metered(upstream: Upstream) -> Client:
    """A client with a meter, as the worker has it."""
    return Client(upstream.url, upstream.key, meter=Meter(), connect_seconds=5, total_seconds=10)


def make_spent_window(**columns: int) -> Window:
    """The current minute, with no call left unless `columns` say so."""
    usual = {"key_limit": 100, "key_left": 0, "ip_limit": 300, "ip_left": 300}
    return Window.objects.create(number=1, ends_at=timezone.now() + SPAN, **{**usual, **columns})


def together(work: Callable[[], object]) -> None:
    """Runs `work` in PROCESSES threads at once, each with a database connection of its own."""

    def work_and_disconnect() -> None:
        try:
            work()
        finally:
            connection.close()

    threads = [threading.Thread(target=work_and_disconnect) for _ in range(PROCESSES)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@pytest.mark.django_db(transaction=True)
def test_many_processes_at_once_get_exactly_what_is_left() -> None:
    granted: list[Granted] = []

    def worker() -> None:
        while permit := call_budget.take(Purpose.PLACE, NOON):
            granted.append(permit)

    together(worker)
    row = Window.objects.get()
    assert len(granted) == row.place == row.flying == 100 - row.key_left
    assert row.key_left == 5 + 2 + 2, "the shares of the other purposes"


@pytest.mark.django_db(transaction=True)
def test_many_processes_at_once_open_one_window() -> None:
    call_budget.take(Purpose.POLL, NOON)
    together(lambda: call_budget.take(Purpose.POLL, NOON + SPAN + timedelta(seconds=1)))
    assert list(Window.objects.values_list("number", "look")) == [(2, PROCESSES), (1, 1)]


@pytest.mark.django_db
def test_windows_older_than_a_day_are_deleted() -> None:
    call_budget.take(Purpose.POLL, NOON)
    call_budget.take(Purpose.POLL, NOON + timedelta(days=1, minutes=2))
    assert Window.objects.get().number == 2


@pytest.mark.django_db
def test_the_limits_are_learned_from_an_answers_headers(upstream: Upstream, metered: Client) -> None:
    upstream.supplier.limits.per_minute |= {"key": 60, "tier": 40}
    metered.balance()
    row = Window.objects.get()
    assert (row.key_limit, row.key_left, row.tier_limit, row.tier_left) == (60, 59, 40, 39)
    assert (row.upkeep, row.flying) == (1, 0)
    assert row.ends_at.timestamp() % 60 == 0


@pytest.mark.django_db
def test_a_call_without_a_permit_waits_for_one(metered: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    make_spent_window()
    waited: list[float] = []

    def next_minute(seconds: float) -> None:
        waited.append(seconds)
        Window.objects.update(ends_at=timezone.now() - timedelta(seconds=1))

    monkeypatch.setattr("panel.upstream.call_budget.time.sleep", next_minute)
    metered.balance()
    assert waited == [call_budget.WAIT_SECONDS]


@pytest.mark.django_db
def test_an_answer_of_trouble_ends_the_call_too(upstream: Upstream, metered: Client) -> None:
    upstream.will("html_502", action="balance")
    with pytest.raises(Exception, match="502"):
        metered.balance()
    assert Window.objects.get().flying == 0


@pytest.mark.django_db
def test_a_call_that_ends_in_the_next_minute_opens_that_minutes_window() -> None:
    granted = call_budget.take(Purpose.PLACE, NOON)
    assert granted
    call_budget.settle(granted, LimitHeaders(None, None, None, None), NOON + SPAN + timedelta(seconds=1))
    assert list(Window.objects.values_list("number", "place")) == [(2, 0), (1, 1)]


@pytest.mark.django_db
def test_a_call_is_settled_on_what_others_have_spent_meanwhile() -> None:
    first = call_budget.take(Purpose.PLACE, NOON)
    second = call_budget.take(Purpose.PLACE, NOON)
    assert first and second
    for granted in (first, second):
        call_budget.settle(granted, LimitHeaders(None, None, None, None), NOON)
    row = Window.objects.get()
    assert (row.place, row.flying, row.key_left) == (2, 0, 98)


@pytest.mark.django_db
@pytest.mark.parametrize("begins", [True, False])
def test_a_database_that_fails_after_a_call_does_not_lose_its_answer(
    metered: Client, monkeypatch: pytest.MonkeyPatch, begins: bool
) -> None:
    @contextmanager
    def failing() -> Iterator[None]:
        if begins:
            yield
        raise OperationalError("database is locked")

    metered.balance()
    monkeypatch.setattr("panel.upstream.call_budget.transaction", SimpleNamespace(atomic=failing))
    assert metered.balance().amount == 500


@pytest.mark.django_db
def test_a_mistake_in_counting_a_call_does_not_lose_its_answer(
    metered: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_args: object) -> None:
        raise OverflowError

    monkeypatch.setattr("panel.upstream.call_budget.settle", broken)
    assert metered.balance().amount == 500


# ── The worker ───────────────────────────────────────────────────────────────────────────────────
@pytest.mark.django_db
def test_without_a_permit_no_task_is_claimed(upstream: Upstream, metered: Client) -> None:
    order = place_order()
    order.tasks.update(due_at=timezone.now())
    make_spent_window()
    assert not work_round(metered)
    assert upstream.calls() == 0
    task = Task.objects.get()
    assert (task.attempts, task.unclear_since, task.tries.count()) == (0, None, 0), "the task is untouched"


@pytest.mark.django_db
def test_no_permit_is_taken_when_nothing_is_due(metered: Client) -> None:
    work_round(metered)
    assert not Window.objects.exists()


@pytest.mark.django_db
def test_a_permit_is_given_back_when_another_worker_did_the_work(metered: Client) -> None:
    step = Step(Purpose.PLACE, lambda _now: [], submit_one)
    assert not take_step(step, metered, Purpose.PLACE, contested=False)
    row = Window.objects.get()
    assert (row.key_left, row.place, row.flying) == (100, 0, 0)


@pytest.mark.django_db
def test_a_poll_that_a_person_asked_for_does_not_wait_for_the_others(upstream: Upstream, metered: Client) -> None:
    by, service = make_user(), make_service()
    make_order(Status.IN_PROGRESS, by=by, service=service)
    asked_for = make_order(Status.IN_PROGRESS, by=by, service=service, next_poll_at=timezone.now() + timedelta(hours=1))
    make_spent_window(key_left=10, look=2)  # its share is spent, and the rest is held for people
    assert not work_round(metered), "the other polls wait"
    Order.objects.filter(pk=asked_for.pk).poll_now(timezone.now())
    assert work_round(metered)
    assert Window.objects.get().ask == 1
    assert upstream.calls("status") == 1


@pytest.mark.django_db
@pytest.mark.parametrize("role", [Purpose.PLACE, Purpose.POLL])
def test_a_worker_does_only_what_its_roles_say(upstream: Upstream, metered: Client, role: Purpose) -> None:
    place_order().tasks.update(due_at=timezone.now())
    make_order(Status.IN_PROGRESS)
    work_round(metered, [role])
    assert (upstream.calls("add"), upstream.calls("status")) == ((1, 0) if role == Purpose.PLACE else (0, 1))


@pytest.mark.django_db
def test_a_worker_told_to_stop_finishes_its_step_and_begins_no_other(upstream: Upstream, metered: Client) -> None:
    place_order().tasks.update(due_at=timezone.now())
    make_order(Status.IN_PROGRESS)
    stop = threading.Event()
    metered._on_call = lambda _action, _trouble: stop.set()  # the signal comes while it places
    assert work_round(metered, stop=stop)
    assert (upstream.calls("add"), upstream.calls("status")) == (1, 0)
    assert Window.objects.get().flying == 0


def test_every_purpose_has_its_share() -> None:
    assert set(budget.SHARES) == set(Purpose)

"""A clock that is set back freezes nothing, and the desk says that it was."""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db.models import Model
from django.utils import timezone

from accounts.access import Role
from accounts.desk_settings import longest_delay
from accounts.models import BalanceReading
from orders.models import Delivery, Event, Order, Poll, PollCall, Sending, Task
from orders.rules.retry import LEASE
from orders.rules.statuses import Status
from panel.alarms.conditions import SET_BACK_STANDS_FOR
from panel.alarms.evaluate import evaluate
from panel.alarms.models import Alarm, Notice, Recipient, Watch
from panel.notpanel.client import Client
from panel.ops.database import ONLY_ROW
from panel.upstream import client as book
from panel.upstream.call_budget import Meter
from panel.upstream.clock import CLOCKS_APART, TOLD_AGAIN_AFTER, record_skew, set_back_by, skew_words
from panel.upstream.models import Beat, Chore, Upstream
from panel.worker.clock import mend_waits
from panel.worker.heartbeat import Heartbeat
from panel.worker.loop import work
from panel.worker.recurring import RECURRING_WORK
from tests.makers import make_order, make_user, place_order, sold_by
from tests.people import as_a
from tests.upstream import Upstream as Sandbox

pytestmark = pytest.mark.django_db
AN_HOUR = timedelta(hours=1)


@pytest.fixture
def desk_phone(upstream: Sandbox) -> Client:
    """A client as the worker has it, with the call budget, which reads the Date of each answer."""
    return Client(
        upstream.url, upstream.key, on_call=book.record_call, meter=Meter(), connect_seconds=5, total_seconds=10
    )


def make_task(at: datetime, kind: str = Task.Kind.PLACE) -> Task:
    """A task that waits until then."""
    order = place_order() if kind == Task.Kind.PLACE else make_order(Status.IN_PROGRESS)
    fields: dict[str, Any] = {"slot": 1, "slots": 3} if kind == Task.Kind.REFILL else {}
    task, _ = Task.objects.update_or_create(order=order, kind=kind, defaults={"due_at": at, **fields})
    return task


def make_notice(at: datetime) -> Notice:
    """A message that waits until then."""
    alarm = Alarm.objects.create(kind="balance", facts={"balance": "1", "below": "20"}, raised_at=timezone.now())
    to = Recipient.objects.create(user=make_user(), kinds=["balance"])
    return Notice.objects.create(alarm=alarm, to=to, channel=to.channel, due_at=at)


def make_delivery(at: datetime) -> Delivery:
    """A webhook's delivery that waits until then for its order."""
    return Delivery.objects.create(
        key="k", digest="d", upstream_id="ord_9", body="{}", mark="0", received_at=timezone.now(), due_at=at
    )


Maker = Callable[[datetime], Model]
# What waits → how it is made, its column, how far ahead is too long, and how far ahead is right.
STORED: dict[str, tuple[Maker, str, timedelta, timedelta]] = {
    "a placement": (make_task, "due_at", AN_HOUR, timedelta(seconds=370)),
    "a refill": (lambda at: make_task(at, Task.Kind.REFILL), "due_at", AN_HOUR, timedelta(seconds=300)),
    "a cancel": (lambda at: make_task(at, Task.Kind.CANCEL), "due_at", AN_HOUR, timedelta(seconds=300)),
    "a poll": (lambda at: make_order(Status.IN_PROGRESS, next_poll_at=at).poll, "next_poll_at",
               AN_HOUR + timedelta(minutes=1), AN_HOUR),
    "a call about orders": (lambda at: PollCall.objects.create(ends_at=at, order_ids=[]), "ends_at", AN_HOUR, LEASE),
    "a probe": (lambda at: Sending.objects.create(pk=ONLY_ROW, probe_at=at), "probe_at", AN_HOUR,
                timedelta(seconds=60)),
    "a delivery": (make_delivery, "due_at", AN_HOUR, timedelta(minutes=10)),
    "a limit": (lambda at: Upstream.objects.create(pk=ONLY_ROW, paused_until=at), "paused_until", AN_HOUR,
                timedelta(seconds=300)),
    "the alarms": (lambda at: Watch.objects.create(pk=ONLY_ROW, due_at=at), "due_at", AN_HOUR, timedelta(seconds=10)),
    "an alarm's end": (lambda at: Alarm.objects.create(kind="worker", raised_at=timezone.now(), calm_since=at),
                       "calm_since", AN_HOUR, timedelta()),
    "a message": (make_notice, "due_at", timedelta(days=2), timedelta(hours=23)),
    **{
        name: (lambda at, name=name: Chore.objects.create(name=name, due_at=at), "due_at",  # type: ignore[misc]
               timedelta(seconds=max(300, chore.every_seconds())) + AN_HOUR, timedelta(seconds=chore.every_seconds()))
        for name, chore in RECURRING_WORK.items()
    },
}  # fmt: skip


@pytest.mark.parametrize("stored", STORED)
def test_no_stored_wait_is_longer_than_the_longest_possible_one(stored: str) -> None:
    make, column, too_long, _ = STORED[stored]
    now = timezone.now()
    row = make(now + too_long)
    assert mend_waits(now)
    row.refresh_from_db()
    assert getattr(row, column) == now
    assert not mend_waits(now)


@pytest.mark.parametrize("stored", STORED)
def test_a_wait_that_is_possible_stays(stored: str) -> None:
    make, column, _, possible = STORED[stored]
    now = timezone.now()
    row = make(now + possible)
    assert not mend_waits(now)
    row.refresh_from_db()
    assert getattr(row, column) == now + possible


def test_a_long_undo_window_stays(settings: Any) -> None:
    settings.SEND_DELAY_SECONDS = 3600
    task, now = make_task(timezone.now() + AN_HOUR), timezone.now()
    assert longest_delay(now) == AN_HOUR
    assert not mend_waits(now)
    task.refresh_from_db()
    assert task.due_at and task.due_at > now


@pytest.mark.slow
def test_a_desk_whose_clock_was_an_hour_ahead_goes_on_at_once(
    upstream: Sandbox, desk_phone: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = sold_by(desk_phone)
    with monkeypatch.context() as ahead:
        ahead.setattr("django.utils.timezone.now", lambda: datetime.now(timezone.get_current_timezone()) + AN_HOUR)
        first = place_order(service=service)
        work(desk_phone, threading.Event(), once=True)
        upstream.will("throttle", action="balance")
        Chore.objects.filter(name="balance").update(due_at=timezone.now())
        work(desk_phone, threading.Event(), once=True)
    first.refresh_from_db()
    assert first.reported_at
    before, calls = timezone.now(), upstream.calls()
    upstream.advance(hours=240)
    second = place_order(service=service)
    Upstream.objects.update(paused_until=before + AN_HOUR)
    Order.objects.filter(pk=first.pk).update(reported_at=before + AN_HOUR)
    Poll.objects.update_or_create(order=first, defaults={"next_poll_at": before + AN_HOUR})
    work(desk_phone, threading.Event(), once=True)
    for order in (first, second):
        order.refresh_from_db()
        assert order.reported_at and before <= order.reported_at <= timezone.now()
    assert first.ended_at, "its end was heard of"
    assert upstream.calls() > calls
    assert Chore.objects.get(name="balance").due_at < before + timedelta(minutes=5)
    assert BalanceReading.objects.first().asked_at <= timezone.now()  # type: ignore[union-attr]
    assert Event.objects.filter(kind="set_back").count() == 1


def test_what_waits_keeps_its_distance_when_the_clock_is_set_back() -> None:
    now = timezone.now()
    Beat.objects.create(name="desk:1", started_at=now, beat_at=now + timedelta(minutes=40))
    soon = make_order(Status.IN_PROGRESS, next_poll_at=now + timedelta(minutes=40, seconds=10))
    later = make_order(Status.IN_PROGRESS, next_poll_at=now + timedelta(minutes=50))
    mend_waits(now)
    for order, waits in ((soon, timedelta(seconds=10)), (later, timedelta(minutes=10))):
        order.refresh_from_db()
        assert order.next_poll_at
        assert timedelta() <= now + waits - order.next_poll_at <= CLOCKS_APART


def test_the_undo_window_is_as_long_as_ever_when_the_clock_is_set_back() -> None:
    now = timezone.now()
    Beat.objects.create(name="desk:1", started_at=now, beat_at=now + AN_HOUR)
    task = make_task(now + AN_HOUR + timedelta(seconds=5))
    mend_waits(now)
    task.refresh_from_db()
    assert task.due_at
    assert abs(task.due_at - now - timedelta(seconds=5)) < timedelta(milliseconds=1)


@pytest.mark.parametrize(
    ("seen", "found"),
    [(3600, True), (600, True), (60, True), (16, True), (86_400, True),
     (14, False), (5, False), (0, False), (-5, False), (-3600, False)],
)  # fmt: skip
def test_a_moment_that_lies_ahead_tells_that_the_clock_was_set_back(seen: int, found: bool) -> None:
    now = timezone.now()
    Beat.objects.create(name="desk:1", started_at=now, beat_at=now + timedelta(seconds=seen))
    assert (set_back_by(now) is not None) == found
    Beat.objects.all().delete()
    Upstream.objects.create(pk=ONLY_ROW, spoke_at=now + timedelta(seconds=seen))
    assert (set_back_by(now) is not None) == found
    Upstream.objects.update(spoke_at=None)
    assert (set_back_by(now, [now + timedelta(seconds=seen), None]) is not None) == found


def test_it_is_said_once_and_raises_an_alarm_for_an_hour() -> None:
    now = timezone.now()
    Beat.objects.create(name="desk:1", started_at=now, beat_at=now + AN_HOUR)
    mend_waits(now)
    Beat.objects.update(beat_at=now + AN_HOUR)  # a worker whose clock runs ahead goes on so
    mend_waits(now + timedelta(seconds=30))
    event = Event.objects.get(kind="set_back")
    assert event.sentence.plain.startswith("The desk’s clock was set back by 1 h")
    evaluate(now)
    alarm = Alarm.objects.open().get(kind="clock")
    assert alarm.sentence.startswith("The desk’s clock was set back by 1 h at ")
    evaluate(now + SET_BACK_STANDS_FOR)
    assert not Alarm.objects.open().filter(kind="clock").exists()
    mend_waits(now + TOLD_AGAIN_AFTER)
    assert Event.objects.filter(kind="set_back").count() == 2


def test_a_worker_goes_on_beating_when_its_clock_is_set_back() -> None:
    now, heartbeat = timezone.now(), Heartbeat()
    assert heartbeat.record(now + AN_HOUR)
    assert heartbeat.record(now)
    assert Beat.objects.get().beat_at == now
    assert not heartbeat.record(now + timedelta(seconds=1))


@pytest.mark.parametrize(
    ("ahead", "waits"),
    [(3600, False), (600, False), (301, False), (-1, False), (0, False), (1, True), (120, True), (299, True)],
)
def test_a_stored_limit_counts_only_while_it_is_possible(ahead: int, waits: bool) -> None:
    now = timezone.now()
    Upstream.objects.create(pk=ONLY_ROW, paused_until=now + timedelta(seconds=ahead), trouble="Slow down.")
    assert (book.paused_until(now) is not None) == waits
    book.record_health(None, now)
    assert bool(Upstream.objects.get().trouble) == waits


# ── Against upstream's clock ─────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("seconds", "words"),
    [(None, ""), (0.0, "agrees with the supplier’s"), (2.9, "agrees with the supplier’s"),
     (-3.0, "agrees with the supplier’s"),
     (4.0, "4 s ahead of the supplier’s"), (-5.0, "5 s behind the supplier’s"), (90.0, "1 min ahead of the supplier’s"),
     (3600.0, "1 h ahead of the supplier’s"), (-7200.0, "2 h behind the supplier’s"),
     (-61.0, "1 min behind the supplier’s")],
)  # fmt: skip
def test_the_difference_to_upstreams_clock_is_told_in_words(seconds: float | None, words: str) -> None:
    assert skew_words(seconds) == words


def test_each_answer_tells_how_our_clock_compares(desk_phone: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    viewer = as_a(Role.VIEWER)
    assert "not compared with the supplier’s yet" in viewer.get("/upstream/").content.decode()
    desk_phone.balance()
    assert abs(Upstream.objects.get().skew_seconds or 99) < 3
    assert "agrees with the supplier’s" in viewer.get("/upstream/").content.decode()
    now = timezone.now()
    evaluate(now)
    assert not Alarm.objects.filter(kind="clock").exists()
    monkeypatch.setattr("django.utils.timezone.now", lambda: now + AN_HOUR)
    desk_phone.balance()
    assert 3590 < (Upstream.objects.get().skew_seconds or 0) < 3610
    evaluate(timezone.now())
    assert "ahead of the supplier’s" in Alarm.objects.open().get(kind="clock").sentence
    assert "ahead of the supplier’s" in viewer.get("/upstream/").content.decode()


def test_the_comparison_is_not_written_with_every_call() -> None:
    now = timezone.now()
    record_skew(now - timedelta(seconds=1), now)
    record_skew(now - timedelta(seconds=50), now + timedelta(seconds=1))
    assert Upstream.objects.get().skew_seconds == 1
    record_skew(now - timedelta(seconds=50), now - AN_HOUR)
    assert Upstream.objects.get().skew_at == now - AN_HOUR, "also when our clock was set back meanwhile"

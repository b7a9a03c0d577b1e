"""A worker looks at its books before it takes anything up, and again when it may have missed a change of them."""

import threading
from datetime import timedelta

import pytest
from django.utils import timezone

from orders.models import Sending
from panel.notpanel.client import Client
from panel.upstream.models import Beat
from panel.worker.heartbeat import Heartbeat
from panel.worker.loop import work
from panel.worker.start import look_at_books
from tests.makers import make_order, place_order, sold_by
from tests.orders.placing.test_old_books import age
from tests.upstream import Upstream

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


def worked(ago: timedelta, name: str = "desk:7", **fields: object) -> None:
    at = timezone.now() - ago
    Beat.objects.create(name=name, started_at=at, beat_at=at, **fields)


@pytest.mark.parametrize("once", [True, False])
def test_nothing_of_old_books_is_sent(upstream: Upstream, phone: Client, once: bool) -> None:
    place_order(service=sold_by(phone))
    age(3 * HOUR)
    worked(3 * HOUR)
    stop = threading.Event()
    if not once:
        threading.Timer(1.0, stop.set).start()
    work(phone, stop, once=once)
    assert upstream.calls("add") == 0
    assert Sending.objects.get().old_since


def test_it_looks_before_its_own_first_heartbeat(phone: Client) -> None:
    place_order(service=sold_by(phone))
    age(3 * HOUR)
    worked(3 * HOUR, Heartbeat(once=True).name)
    work(phone, threading.Event(), once=True)
    assert Sending.objects.get().old_since


@pytest.mark.parametrize(
    ("last", "stops"),
    [
        ([("desk:7", 3.0)], True),
        ([("desk:7", 3.0), ("other:9", 0.01)], False),  # another worker goes on beside it
        ([("desk:once", 3.0)], True),
        ([], False),  # the first worker of a fresh desk
    ],
)
def test_the_last_worker_of_all_counts(last: list[tuple[str, float]], stops: bool) -> None:
    place_order()
    age(3 * HOUR)
    for name, hours in last:
        worked(hours * HOUR, name)
    assert look_at_books(timezone.now()) is stops


def test_cron_teaches_its_pause() -> None:
    now = timezone.now()
    worked(25 * HOUR, "desk:once")
    place_order()
    age(24 * HOUR)
    Heartbeat(once=True).record(now)
    newest = Beat.objects.order_by("-beat_at")[0]
    assert newest.pause and newest.pause > 23 * HOUR
    Beat.objects.filter(pk=newest.pk).update(beat_at=now - 24 * HOUR)
    assert not look_at_books(now)
    Heartbeat().record(now - 23 * HOUR)
    assert look_at_books(now), "a worker that goes on has no pauses"


@pytest.mark.parametrize(("seconds", "overslept"), [(5, False), (80, False), (100, True), (9000, True)])
def test_a_worker_that_was_frozen_looks_again(seconds: float, overslept: bool) -> None:
    heartbeat, now = Heartbeat(), timezone.now()
    assert heartbeat.overslept(now)
    heartbeat.record(now)
    assert heartbeat.overslept(now + timedelta(seconds=seconds)) is overslept


def test_it_looks_again_after_a_round_that_broke_off(phone: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    looks, stop = list[object](), threading.Event()

    def round_of(client: Client, *_more: object) -> bool:
        if len(looks) > 1:
            stop.set()
            return False
        raise RuntimeError("the database is away")

    monkeypatch.setattr("panel.worker.loop.look_at_books", looks.append)
    monkeypatch.setattr("panel.worker.loop.work_round", round_of)
    monkeypatch.setattr("panel.worker.loop.close_old_connections", lambda: None)
    monkeypatch.setattr("panel.worker.loop.AFTER_A_CRASH_SECONDS", 0.0)
    make_order()
    work(phone, stop, once=False)
    assert len(looks) == 2

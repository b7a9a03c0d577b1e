"""The worker does what is due, obeys upstream's limits, and records that it runs."""

import threading
from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import BalanceReading
from catalog.models import Service
from orders.models import Order
from orders.rules.statuses import Status
from panel.notpanel.client import Client
from panel.ops.database import ONLY_ROW
from panel.upstream import client as book
from panel.upstream.models import Beat, Chore, Upstream
from panel.worker.heartbeat import Heartbeat
from panel.worker.loop import work, work_round
from panel.worker.recurring import do_recurring_work
from tests.makers import make_order, place_order, sold_by
from tests.upstream import Upstream as Sandbox

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk_phone(upstream: Sandbox) -> Client:
    """A client as the worker has it: each call records how upstream is."""
    return Client(upstream.url, upstream.key, on_call=book.record_call, connect_seconds=5, total_seconds=10)


def work_once(phone: Client) -> None:
    """Runs the worker until nothing is due."""
    work(phone, threading.Event(), once=True)


def test_it_does_all_that_is_due_and_ends(upstream: Sandbox, desk_phone: Client) -> None:
    order = place_order(service=sold_by(desk_phone), quantity=1000)
    work_once(desk_phone)
    order.refresh_from_db()
    assert order.upstream_id
    assert order.reported_at, "it was polled at once"
    assert BalanceReading.objects.get().amount == 500 - order.expected_charge
    assert Service.objects.active().count() > 250
    assert Beat.objects.get().stopped_at is None, "cron starts the next one; the desk is not without a worker"


def test_one_step_that_fails_does_not_keep_the_others_from_work(upstream: Sandbox, desk_phone: Client) -> None:
    place_order(service=sold_by(desk_phone), quantity=1000)
    upstream.will("html", action="services", times=None)
    work_once(desk_phone)
    assert Order.objects.get().upstream_id
    assert Chore.objects.get(name="catalog").trouble


def test_recurring_work_is_due_again_after_its_time(desk_phone: Client) -> None:
    now = timezone.now()
    Chore.objects.create(name="balance", due_at=now)
    assert do_recurring_work(desk_phone, now)
    assert not do_recurring_work(desk_phone, now)
    assert do_recurring_work(desk_phone, now + timedelta(days=1))
    assert BalanceReading.objects.count() == 1, "the same amount is one reading"


def test_a_limit_stops_all_calls_until_it_ends(upstream: Sandbox, desk_phone: Client) -> None:
    place_order(service=sold_by(desk_phone), quantity=1000)
    make_order(Status.IN_PROGRESS)
    upstream.will("throttle", action="add", times=1)
    work_round(desk_phone)
    assert book.paused_until(timezone.now())
    assert upstream.calls("status") == 0, "nor does the rest of that round call"
    before = upstream.calls()
    place_order(service=Service.objects.active().first())
    assert not work_round(desk_phone), "though something is due"
    assert upstream.calls() == before
    Upstream.objects.update(paused_until=timezone.now())
    assert book.paused_until(timezone.now()) is None


def test_a_suspension_is_recorded_until_upstream_is_well(upstream: Sandbox, desk_phone: Client) -> None:
    place_order(service=sold_by(desk_phone), quantity=1000)
    upstream.suspended()
    work_round(desk_phone)
    health = Upstream.objects.get(pk=ONLY_ROW)
    assert "suspended" in health.trouble
    assert health.trouble_since and health.paused_until
    upstream.suspended(False)
    desk_phone.balance()
    assert Upstream.objects.get().paused_until, "one call that was under way does not end the wait for all"
    Upstream.objects.update(paused_until=timezone.now())
    desk_phone.balance()
    health.refresh_from_db()
    assert health.trouble == ""
    assert [health.trouble_since, health.paused_until] == [None, None]


def test_a_refusal_is_no_trouble_with_upstream(upstream: Sandbox, desk_phone: Client) -> None:
    order = place_order(service=sold_by(desk_phone), quantity=1000)
    upstream.vanish(order.service.upstream_id)
    work_round(desk_phone)
    order.refresh_from_db()
    assert order.status == Status.REJECTED
    assert Upstream.objects.get().trouble == ""


def test_its_heartbeat_is_recorded_and_not_too_often() -> None:
    heartbeat, now = Heartbeat(), timezone.now()
    heartbeat.record(now)
    heartbeat.record(now + timedelta(seconds=1))
    assert Beat.objects.get().beat_at == now
    heartbeat.record(now + timedelta(seconds=6))
    assert Beat.objects.get().beat_at == now + timedelta(seconds=6)


@pytest.mark.django_db(transaction=True)
def test_a_mistake_in_one_round_is_logged_and_work_goes_on(
    desk_phone: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    rounds, stop = [], threading.Event()

    def broken(client: Client, *_more: object) -> bool:
        rounds.append(1)
        if len(rounds) == 1:
            raise RuntimeError("our own")
        stop.set()
        return False

    monkeypatch.setattr("panel.worker.loop.work_round", broken)
    monkeypatch.setattr("panel.worker.loop.AFTER_A_CRASH_SECONDS", 0.0)
    work(desk_phone, stop, once=False)
    assert len(rounds) == 2
    assert "our own" in caplog.text

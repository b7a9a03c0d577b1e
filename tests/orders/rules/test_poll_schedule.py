"""When each live order is polled: by age, by usual times, by webhooks; full calls, and people first."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from orders.following.poll import apply_reports, poll_once
from orders.models import Order, Poll
from orders.models.poll import Urgency
from orders.rules.lateness import UsualTimes
from orders.rules.poll_schedule import BY_AGE_ALONE, WEBHOOKS_TOGETHER, PollSchedule
from orders.rules.retry import LEASE
from orders.rules.statuses import Status
from panel.notpanel.budget import Purpose
from panel.notpanel.client import Client
from panel.notpanel.shapes import Reports
from tests.makers import claimed_ids, make_order, make_report, make_service, make_user, minutes, poll_wanted
from tests.upstream import Upstream

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)
USUAL = UsualTimes(minutes(4), minutes(10), minutes(60), minutes(120), 50, 50, 1000, None)


def aged(age: timedelta, status: str = Status.IN_PROGRESS) -> Order:
    """An order that upstream took so long before noon, and that is due at noon."""
    return make_order(status, created_at=NOON - age, taken_at=NOON - age, next_poll_at=NOON)


def pause(order: Order, usual: UsualTimes | None = None, *, webhooks: bool = False) -> timedelta:
    """How long to wait at noon before the order's next poll."""
    return PollSchedule({order.service_id: usual} if usual else {}, webhooks).pause(order, NOON)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("status", "age", "seconds"),
    [
        (Status.PENDING, 1, 30),  # before half of the usual start: a third as often as when it is due
        (Status.PENDING, 3, 10),
        (Status.PENDING, 9, 10),
        (Status.PENDING, 11, 10),  # beyond its 95th percentile age alone counts
        (Status.IN_PROGRESS, 20, 108),
        (Status.IN_PROGRESS, 40, 36),
        (Status.IN_PROGRESS, 119, 36),
        (Status.IN_PROGRESS, 121, 120),
    ],
)
def test_a_services_usual_times_say_when_the_next_report_is_due(status: str, age: int, seconds: int) -> None:
    assert pause(aged(minutes(age), status), USUAL) == timedelta(seconds=seconds)


def test_without_usual_times_age_alone_counts() -> None:
    order = aged(minutes(20))
    assert pause(order) == pause(order, UsualTimes(None, None, None, None, 3, 3, 1000, None)) == timedelta(seconds=30)


@pytest.mark.parametrize(("age", "paused"), [(1, 5), (60, 7.5), (600, 30), (60 * 24 * 3, 60), (60 * 24 * 30, 60)])
def test_while_webhooks_are_reliable_polls_only_make_sure(age: int, paused: float) -> None:
    assert pause(aged(minutes(age)), webhooks=True) == minutes(paused)


def test_an_order_polled_early_is_not_polled_again_at_once() -> None:
    order = aged(minutes(60))  # every 30 seconds
    due_soon = PollSchedule(due={order.upstream_id or "": NOON + timedelta(seconds=5)})
    assert due_soon.next_poll(order, NOON) == NOON + timedelta(seconds=30)
    due_after_noon = PollSchedule(due={order.upstream_id or "": NOON + timedelta(seconds=1)})
    before_noon = NOON - timedelta(seconds=2)
    assert BY_AGE_ALONE.next_poll(order, before_noon) == NOON
    assert due_after_noon.next_poll(order, before_noon) == NOON + timedelta(seconds=30)


def test_while_webhooks_are_reliable_an_order_that_filled_a_webhooks_call_has_had_its_poll() -> None:
    order = aged(minutes(60))
    asked_at = NOON + minutes(1)  # no tick of the schedule
    early = PollSchedule(webhooks_reliable=True, due={order.upstream_id or "": NOON + minutes(7)})
    assert early.next_poll(order, asked_at) == asked_at + minutes(7.5)


def many(count: int, **fields: object) -> list[Order]:
    """Orders in progress, by one person and of one service."""
    by, service = make_user(), make_service()
    return [make_order(Status.IN_PROGRESS, by=by, service=service, **fields) for _ in range(count)]


def test_a_call_is_filled_with_those_due_soonest() -> None:
    [due] = many(1, next_poll_at=NOON)
    soon = many(3, next_poll_at=NOON + minutes(5))
    later = many(1, next_poll_at=NOON + minutes(90))
    claimed = claimed_ids(NOON)
    assert claimed == [order.upstream_id for order in (due, *soon)]
    assert later[0].upstream_id not in claimed, "only what is due within an hour fills a call"


def test_no_call_is_made_for_orders_that_are_not_due() -> None:
    many(3, next_poll_at=NOON + timedelta(seconds=1))
    assert not claimed_ids(NOON)
    assert poll_wanted(NOON) is None


def test_a_call_is_not_filled_with_what_another_worker_has_claimed() -> None:
    many(2, next_poll_at=NOON)
    assert len(claimed_ids(NOON)) == 2
    [due] = many(1, next_poll_at=NOON)
    assert claimed_ids(NOON + timedelta(seconds=20)) == [due.upstream_id]
    later = NOON + LEASE + timedelta(seconds=20)
    assert len(claimed_ids(later)) == 3, "what a dead worker had claimed is due again"


def test_what_a_person_wants_goes_first_then_what_a_webhook_named_then_the_longest_due() -> None:
    now = timezone.now()
    overdue = many(150, next_poll_at=now - minutes(30))
    by_webhook, by_person = many(2, next_poll_at=now + minutes(30))
    Order.objects.filter(pk=by_webhook.pk).poll_soon(now - WEBHOOKS_TOGETHER)
    assert poll_wanted(now) == Purpose.POLL
    Order.objects.filter(pk=by_person.pk).poll_now(now)
    assert poll_wanted(now) == Purpose.ASK
    claimed = claimed_ids(now)
    assert claimed[:2] == [by_person.upstream_id, by_webhook.upstream_id]
    assert len(claimed) == 100
    assert set(claimed[2:]) <= {order.upstream_id for order in overdue}
    assert not Poll.objects.exclude(urgency=Urgency.NONE).exists()


def test_webhooks_of_one_moment_share_a_call(upstream: Upstream, phone: Client) -> None:
    orders = many(5, next_poll_at=NOON + minutes(40))
    for second, order in enumerate(orders):
        Order.objects.filter(pk=order.pk).poll_soon(NOON + timedelta(seconds=second))
        assert poll_wanted(NOON + timedelta(seconds=second)) is None
    assert poll_once(phone, NOON + WEBHOOKS_TOGETHER)
    assert not poll_once(phone, NOON + WEBHOOKS_TOGETHER)
    assert upstream.calls("status") == 1


@pytest.mark.parametrize("status", ["in_progress", "completed"])
def test_what_a_person_wanted_to_know_during_a_call_is_polled_again(status: str) -> None:
    now = timezone.now()
    order = make_order(Status.IN_PROGRESS, next_poll_at=now)
    assert claimed_ids(now)
    Order.objects.filter(pk=order.pk).poll_now(now)
    report = make_report(order, status)
    apply_reports([report.upstream_id], Reports({report.upstream_id: report}, {}), now)
    assert poll_wanted(now) == Purpose.ASK
    assert claimed_ids(now) == [order.upstream_id]


def test_a_webhook_never_makes_an_order_wait_longer() -> None:
    due, ended, by_person = many(3, next_poll_at=NOON)
    Poll.objects.filter(order=ended).delete()
    Order.objects.filter(pk=by_person.pk).poll_now(NOON)
    assert Order.objects.all().poll_soon(NOON) == 2, "what a person wants stays so"
    for order in (due, ended, by_person):
        order.refresh_from_db()
    assert (due.next_poll_at, ended.next_poll_at) == (NOON, NOON + WEBHOOKS_TOGETHER)
    assert (due.poll.urgency, ended.poll.urgency, by_person.poll.urgency) == (
        Urgency.WEBHOOK,
        Urgency.WEBHOOK,
        Urgency.PERSON,
    )

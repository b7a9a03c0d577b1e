"""Live orders are polled a hundred in a call, and upstream's words are applied as they are."""

from datetime import timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from orders.following.poll import apply_reports, poll_once
from orders.models import Order
from orders.placing.submit import submit_one
from orders.rules.poll_schedule import LONGEST_PAUSE, PAUSES_BY_AGE, next_poll_by_age
from orders.rules.statuses import FINAL, LIFE, LIVE, Status
from panel.notpanel.client import Client
from panel.notpanel.shapes import Reports
from tests.makers import make_order, make_report, make_service, make_user, place_order, sold_by
from tests.upstream import Upstream

pytestmark = pytest.mark.django_db


def report(order: Order, **fields: object) -> list[str]:
    """Applies a report with these fields, and returns the kinds of its events."""
    made = make_report(order, **fields)  # type: ignore[arg-type]
    before = set(order.events.values_list("pk", flat=True))
    apply_reports([made.upstream_id], Reports({made.upstream_id: made}, {}), timezone.now())
    order.refresh_from_db()
    return [event.kind for event in order.events.all() if event.pk not in before]


def test_an_order_is_followed_to_its_end(upstream: Upstream, phone: Client) -> None:
    order = place_order(service=sold_by(phone), quantity=1000)
    submit_one(phone)
    upstream.advance(hours=240)
    assert poll_once(phone)
    order.refresh_from_db()
    [booked] = upstream.books()["orders"]
    assert order.status == booked["status"]
    assert order.status in FINAL
    assert order.charge == Decimal(booked["charge"])
    assert order.next_poll_at is None
    assert not poll_once(phone), "what has ended is not asked after"


def test_a_hundred_orders_cost_one_call(upstream: Upstream, phone: Client) -> None:
    by, service = make_user(), make_service()
    for _ in range(101):
        make_order(Status.IN_PROGRESS, by=by, service=service)
    while poll_once(phone):
        pass
    assert upstream.calls("status") == 2


def test_charges_unlike_their_prices_are_judged_without_a_query_for_the_services() -> None:
    service, reports = make_service(), {}
    for _ in range(5):
        made = make_report(make_order(Status.IN_PROGRESS, service=service), charge=Decimal("9"))
        reports[made.upstream_id] = made
    with CaptureQueriesContext(connection) as queries:
        apply_reports(list(reports), Reports(reports, {}), timezone.now())
    assert Order.objects.filter(doubts="charge").count() == 5
    assert len([query for query in queries if 'FROM "catalog_service"' in query["sql"]]) == 0
    assert len([query for query in queries if 'JOIN "catalog_service"' in query["sql"]]) == 1


@pytest.mark.parametrize("fault", ["lose_answer", "error_before", "html", "throttle"])
def test_a_poll_that_fails_changes_nothing_and_comes_again(upstream: Upstream, phone: Client, fault: str) -> None:
    order = make_order(Status.IN_PROGRESS)
    upstream.will(fault, action="status", times=2)
    assert poll_once(phone)
    before, order = order, Order.objects.get(pk=order.pk)
    assert (order.status, order.version) == (before.status, before.version)
    assert order.next_poll_at and order.next_poll_at > timezone.now()


def test_what_upstream_leaves_out_is_counted_and_kept(upstream: Upstream, phone: Client) -> None:
    order = make_order(Status.IN_PROGRESS)  # the sandbox has never heard of it
    poll_once(phone)
    order.refresh_from_db()
    assert (order.status, order.left_out) == (Status.IN_PROGRESS, 1)
    assert order.next_poll_at is not None
    assert report(order) == []
    assert order.left_out == 0


def test_a_row_that_cannot_be_read_is_recorded_in_upstreams_words(upstream: Upstream, phone: Client) -> None:
    order = make_order(Status.IN_PROGRESS)
    apply_reports([order.upstream_id or ""], Reports({}, {order.upstream_id or "": "Order not found"}), timezone.now())
    event = order.events.first()
    assert event
    assert (event.kind, event.sentence.said) == ("unreadable", "Order not found")


def test_a_final_order_that_was_due_is_not_due_again() -> None:
    order = make_order(Status.COMPLETED, next_poll_at=timezone.now())
    report(order, status="completed", charge=None, start_count=None, remains=None, currency="")
    assert order.next_poll_at is None


def test_an_expected_move_is_recorded() -> None:
    assert report(make_order(Status.PENDING), status="in_progress") == ["moved"]


def test_an_unexpected_status_is_applied_and_recorded() -> None:
    order = make_order(Status.IN_PROGRESS)
    assert report(order, status="pending") == ["surprised"]
    assert order.status == "pending"


def test_an_unknown_word_is_kept_raw_and_asked_after() -> None:
    order = make_order(Status.IN_PROGRESS)
    assert report(order, status="in_moderation") == ["puzzled"]
    assert (order.status, order.label) == ("in_moderation", "in_moderation")
    assert order.next_poll_at is not None


def test_an_older_answer_that_was_overtaken_is_ignored() -> None:
    order = make_order(Status.PENDING)
    now = timezone.now()
    report(order, status="completed", asked_at=now)
    assert report(order, status="in_progress", asked_at=now - timedelta(seconds=1)) == []
    assert order.status == "completed"


@pytest.mark.parametrize(
    ("known", "asked", "taken"),
    [
        # Seconds from now: the report that is known, the one that comes. Set back by an hour, a minute, a few seconds:
        (3600, 0, True), (3600, -1, True), (60, 0, True), (60, -20, True), (10, 0, True), (86_400, -5, True),
        # Overtaken, also by a worker whose clock is a little ahead of this one's:
        (0, -1, False), (-1, -2, False), (0, -3600, False), (3, -1, False), (4, 0, False),
        # In turn:
        (-1, 0, True), (-3600, -1, True), (None, 0, True),
    ],
)  # fmt: skip
def test_a_report_is_ignored_only_if_a_later_one_is_known_that_does_not_lie_in_the_future(
    known: int | None, asked: int, taken: bool
) -> None:
    now = timezone.now()
    reported_at = None if known is None else now + timedelta(seconds=known)
    order = make_order(Status.IN_PROGRESS, reported_at=reported_at)
    made = make_report(order, status="completed", remains=0, asked_at=now + timedelta(seconds=asked))
    apply_reports([made.upstream_id], Reports({made.upstream_id: made}, {}), now)
    order.refresh_from_db()
    assert (order.status == "completed") == taken
    assert not taken or order.reported_at == made.asked_at


def test_a_report_that_says_the_same_moves_no_version() -> None:
    order = make_order(Status.PENDING)
    report(order)
    version, checked_at = order.version, order.checked_at
    assert report(order) == []
    assert order.version == version
    assert order.checked_at and checked_at and order.checked_at > checked_at


@pytest.mark.parametrize("remains", [-1, 1001, None])
def test_remains_that_make_no_sense_are_kept_but_not_shown_as_delivered(remains: int | None) -> None:
    order = make_order(Status.IN_PROGRESS, quantity=1000)
    report(order, remains=remains)
    assert order.remains == remains
    assert order.delivered is None


def test_old_orders_are_asked_after_more_seldom() -> None:
    now = timezone.now()
    for (age, pause), (_, longer) in pairwise([*PAUSES_BY_AGE, (timedelta.max, LONGEST_PAUSE)]):
        assert next_poll_by_age(now - age + timedelta(seconds=1), now) - now <= pause
        assert next_poll_by_age(now - age, now + pause) - now <= pause + longer


def test_orders_placed_at_different_moments_share_a_call() -> None:
    start = timezone.now().replace(microsecond=0)
    polls = {next_poll_by_age(start - timedelta(seconds=n / 3), start + timedelta(seconds=n / 3)) for n in range(30)}
    assert len(polls) <= 2, "thirty orders over ten seconds fall due together"


def test_the_life_table_is_whole() -> None:
    assert set(LIFE) == set(Status)
    assert not LIVE & FINAL
    for status, stage in LIFE.items():
        assert stage.then <= set(Status.values), status
        assert not stage.live or stage.then, f"{status} is live and leads nowhere"

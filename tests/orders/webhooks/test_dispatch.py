"""What becomes of a delivery: its order is polled soon, and only upstream's answer to that poll changes the order."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from orders.following.poll import poll_once
from orders.models import Delivery, Endpoint, Order, Poll
from orders.models.poll import Urgency
from orders.rules.poll_schedule import WEBHOOKS_TOGETHER, next_tick
from orders.rules.statuses import Status
from orders.webhooks import dispatch
from panel.notpanel.client import Client
from panel.ops import failpoints
from panel.upstream.models import Chore
from panel.worker.recurring import RECURRING_WORK, balance_due_now
from tests.makers import make_order, minutes, place_order, sold_by
from tests.upstream import Upstream

pytestmark = pytest.mark.django_db
How = Delivery.How
NOW = timezone.now()
SOON = next_tick(WEBHOOKS_TOGETHER, NOW)  # together with all orders that are named within a moment


def delivery_for(order: str = "", at: datetime | None = None, **fields: Any) -> Delivery:
    """A delivery in the database that came in at this time and is due; `order` is upstream's id."""
    key, at = f"dlv_{Delivery.objects.count()}", at or NOW
    usual = {"event": "order.completed", "upstream_id": order, "body": "{}", "mark": "abc", "received_at": at}
    return Delivery.objects.create(key=key, digest=key, due_at=at, **{**usual, **fields})


def dispatch_all(at: datetime = NOW) -> list[datetime]:
    """Dispatches all that is due at this time, and returns when the balance was to be read, once for each time."""
    balance_reads: list[datetime] = []
    while dispatch.dispatch_due(at, balance_reads.append):
        pass
    return balance_reads


def outcomes() -> list[str]:
    """What came of each delivery, in the order in which they came in."""
    return list(Delivery.objects.order_by("pk").values_list("how", flat=True))


@pytest.mark.parametrize("status", [Status.IN_PROGRESS, Status.COMPLETED, Status.REFUNDED])
def test_the_order_of_a_delivery_is_polled_soon_even_if_it_has_ended(status: Status) -> None:
    order, other = (make_order(status, next_poll_at=None) for _ in range(2))
    delivery_for(order.upstream_id or "")
    assert dispatch_all() == []
    order.refresh_from_db()
    other.refresh_from_db()
    assert (order.next_poll_at, other.next_poll_at) == (SOON, None)
    assert order.status == status


def test_what_a_delivery_says_changes_nothing_else_of_the_order() -> None:
    order = make_order(Status.IN_PROGRESS)
    before = Order.objects.values().get()
    delivery_for(order.upstream_id or "", status="refunded")
    dispatch_all()
    assert Order.objects.values().get() == before


def test_a_delivery_is_handled_when_its_order_was_polled_since() -> None:
    order = make_order(Status.IN_PROGRESS, next_poll_at=NOW + minutes(9), reported_at=NOW - minutes(1))
    delivery_for(order.upstream_id or "")
    dispatch_all()
    assert outcomes() == [How.RUNG]
    Order.objects.update(reported_at=NOW + timedelta(seconds=1))
    dispatch_all(NOW + dispatch.POLLED_WITHIN)
    assert outcomes() == [How.LOOKED]
    assert Delivery.objects.get().due_at is None


def test_a_delivery_that_came_during_a_poll_is_dispatched_again() -> None:
    """The poll was asked before the delivery came, and its answer, saved after it, put the next poll far off."""
    order = make_order(Status.IN_PROGRESS, reported_at=NOW - minutes(1))
    delivery_for(order.upstream_id or "")
    dispatch_all()
    Order.objects.update(reported_at=NOW - timedelta(seconds=1))
    Poll.objects.update(next_poll_at=NOW + minutes(10), urgency=Urgency.NONE)
    later = NOW + dispatch.POLLED_WITHIN
    dispatch_all(later)
    assert Order.objects.get().next_poll_at == next_tick(WEBHOOKS_TOGETHER, later)


def test_a_delivery_that_came_before_its_order_was_known_waits_for_it() -> None:
    delivery_for("ord_early")
    dispatch_all()
    assert outcomes() == [How.PARKED]
    order = make_order(Status.PENDING, upstream_id="ord_early", next_poll_at=NOW + minutes(9))
    dispatch_all(NOW + timedelta(seconds=5))
    order.refresh_from_db()
    assert (outcomes(), order.next_poll_at) == ([How.RUNG], next_tick(WEBHOOKS_TOGETHER, NOW + timedelta(seconds=5)))


def test_a_delivery_whose_order_never_becomes_known_is_given_up_after_a_day() -> None:
    delivery_for("ord_elsewhere")
    at, tries = NOW, 0
    while due := Delivery.objects.get().due_at:
        assert outcomes() == ([How.PARKED] if tries else [How.CAME])
        at, tries = due, tries + 1
        dispatch_all(at)
    assert outcomes() == [How.UNKNOWN]
    assert timedelta(hours=24) <= at - NOW < timedelta(hours=24, minutes=11)
    assert 12 + 59 + 138 <= tries <= 230


def test_a_delivery_for_an_order_that_upstream_leaves_out_is_dispatched_once() -> None:
    order = make_order(Status.IN_PROGRESS, left_out=3, next_poll_at=NOW + minutes(50))
    delivery_for(order.upstream_id or "")
    dispatch_all()
    assert outcomes() == [How.RUNG]
    Poll.objects.all().delete()  # a person gave it up
    dispatch_all(NOW + dispatch.POLLED_WITHIN)
    assert outcomes() == [How.UNANSWERED]
    assert Order.objects.get().next_poll_at is None


def test_a_delivery_whose_order_is_never_polled_is_given_up_after_a_day() -> None:
    delivery_for(make_order(Status.IN_PROGRESS).upstream_id or "", at=NOW - dispatch.LOST_AFTER)
    dispatch_all()
    assert outcomes() == [How.UNANSWERED]


def test_a_low_balance_is_read_at_once() -> None:
    delivery_for(event="balance.low")
    Chore.objects.create(name="balance", due_at=timezone.now() + minutes(9))
    assert dispatch.dispatch_due(timezone.now(), balance_due_now)
    assert Chore.objects.get().due_at <= timezone.now()
    assert outcomes() == [How.BALANCE]
    assert not dispatch.dispatch_due(timezone.now(), balance_due_now)


def test_an_unknown_event_polls_the_order_that_it_names_or_is_only_stored() -> None:
    order = make_order(Status.IN_PROGRESS, next_poll_at=NOW + minutes(9))
    delivery_for(order.upstream_id or "", event="order.teleported")
    delivery_for(event="something.else")
    dispatch_all()
    assert outcomes() == [How.RUNG, How.KEPT]
    assert Order.objects.get().next_poll_at == SOON


def test_many_deliveries_for_one_order_are_one_update() -> None:
    order = make_order(Status.IN_PROGRESS)
    for _ in range(40):
        delivery_for(order.upstream_id or "")
    with CaptureQueriesContext(connection) as queries:
        dispatch_all()
    assert set(outcomes()) == {How.RUNG}
    assert sum(query["sql"].startswith('UPDATE "orders_poll"') for query in queries) == 1


def test_many_orders_cost_as_many_queries_as_one() -> None:
    counts = []
    for orders in (1, 50):
        for _ in range(orders):
            delivery_for(make_order(Status.IN_PROGRESS).upstream_id or "", mark="")
        with CaptureQueriesContext(connection) as queries:
            dispatch.dispatch_due(NOW, lambda _: None)
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_with_nothing_due_it_costs_one_query_and_writes_nothing() -> None:
    with CaptureQueriesContext(connection) as queries:
        assert not dispatch.dispatch_due(NOW, lambda _: None)
    assert len(queries) == 1


def test_it_notes_when_each_endpoint_was_delivered_to() -> None:
    endpoints = [Endpoint(url="https://d.example/", mark=mark, registered_at=NOW) for mark in ("abc", "x")]
    first, second = Endpoint.objects.bulk_create(endpoints)
    delivery_for("ord_1", at=NOW - minutes(3))
    delivery_for("ord_2", at=NOW - minutes(1))
    dispatch_all()
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.last_delivery_at, second.last_delivery_at) == (NOW - minutes(1), None)


@pytest.mark.parametrize("point", ["bell.commit", "bell.committed"])
def test_a_crash_in_the_middle_loses_no_delivery(point: str, monkeypatch: pytest.MonkeyPatch) -> None:
    class Crash(BaseException):
        pass

    def crash(name: str) -> None:
        if name == point:
            raise Crash

    order = make_order(Status.IN_PROGRESS, next_poll_at=NOW + minutes(9))
    delivery_for(order.upstream_id or "")
    with monkeypatch.context() as patched, pytest.raises(Crash):
        patched.setattr(failpoints, "act", crash)
        dispatch_all()
    assert outcomes() == [How.CAME if point == "bell.commit" else How.RUNG]
    dispatch_all()
    order.refresh_from_db()
    assert (outcomes(), order.next_poll_at) == ([How.RUNG], SOON)


def test_deliveries_of_a_month_ago_are_deleted_in_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatch, "DELETED_AT_ONCE", 2)
    for days in (40, 35, 31, 29, 1):
        delivery_for(at=NOW - timedelta(days=days))
    assert [dispatch.delete_old(NOW) for _ in range(3)] == [True, True, False]
    assert Delivery.objects.count() == 2
    assert RECURRING_WORK["old deliveries"].act(None) is False  # type: ignore[arg-type]


def test_what_upstream_answers_counts_and_not_what_the_delivery_said(upstream: Upstream, phone: Client) -> None:
    """The delivery says completed; polled, upstream says refunded."""
    order = place_order(service=sold_by(phone))
    upstream_id = upstream.place()
    Order.objects.update(upstream_id=upstream_id, status="completed")
    upstream.set_status(upstream_id, "refunded")
    delivery_for(upstream_id, status="completed", at=timezone.now())
    assert dispatch.dispatch_due(timezone.now(), balance_due_now)
    assert poll_once(phone, timezone.now() + WEBHOOKS_TOGETHER)
    order.refresh_from_db()
    assert order.status == "refunded"
    assert upstream.calls("status") == 1
    later = timezone.now() + dispatch.POLLED_WITHIN
    dispatch.dispatch_due(later, lambda _: None)
    assert outcomes() == [How.LOOKED]
    assert not poll_once(phone)

"""What a delivery does: its order is looked at soon, and what upstream says then is what holds."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from orders.following.poll import poll_once
from orders.models import Delivery, Endpoint, Order
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
SOON = next_tick(WEBHOOKS_TOGETHER, NOW)  # with all that are rung for within a moment


def came(order: str = "", at: datetime | None = None, **said: Any) -> Delivery:
    """A delivery in the inbox."""
    key, at = f"dlv_{Delivery.objects.count()}", at or NOW
    usual = {"event": "order.completed", "upstream_id": order, "body": "{}", "mark": "abc", "received_at": at}
    return Delivery.objects.create(key=key, digest=key, due_at=at, **{**usual, **said})


def rings(at: datetime = NOW) -> list[datetime]:
    """When somebody hurried the balance."""
    hurried: list[datetime] = []
    while dispatch.dispatch_due(at, hurried.append):
        pass
    return hurried


def fates() -> list[str]:
    return list(Delivery.objects.order_by("pk").values_list("how", flat=True))


@pytest.mark.parametrize("status", [Status.IN_PROGRESS, Status.COMPLETED, Status.REFUNDED])
def test_its_order_is_looked_at_soon_also_one_that_has_ended(status: Status) -> None:
    order, other = (make_order(status, next_look_at=None) for _ in range(2))
    came(order.upstream_id or "")
    assert rings() == []
    order.refresh_from_db()
    other.refresh_from_db()
    assert (order.next_look_at, other.next_look_at) == (SOON, None)
    assert order.status == status


def test_what_it_says_is_not_taken_for_true() -> None:
    order = make_order(Status.IN_PROGRESS)
    before = Order.objects.values().get()
    came(order.upstream_id or "", status="refunded")
    rings()
    when = {"next_look_at": None, "hurry": None}
    assert Order.objects.values().get() | when == before | when


def test_it_is_done_with_when_its_order_was_looked_at_since() -> None:
    order = make_order(Status.IN_PROGRESS, next_look_at=NOW + minutes(9), reported_at=NOW - minutes(1))
    came(order.upstream_id or "")
    rings()
    assert fates() == [How.RUNG]
    Order.objects.update(reported_at=NOW + timedelta(seconds=1))
    rings(NOW + dispatch.POLLED_WITHIN)
    assert fates() == [How.LOOKED]
    assert Delivery.objects.get().due_at is None


def test_a_ring_that_a_look_under_way_did_not_hear_is_rung_again() -> None:
    """The look was asked before the delivery came, and its answer, written after, put the next one far off."""
    order = make_order(Status.IN_PROGRESS, reported_at=NOW - minutes(1))
    came(order.upstream_id or "")
    rings()
    Order.objects.update(reported_at=NOW - timedelta(seconds=1), next_look_at=NOW + minutes(10), hurry=None)
    later = NOW + dispatch.POLLED_WITHIN
    rings(later)
    assert Order.objects.get().next_look_at == next_tick(WEBHOOKS_TOGETHER, later)


def test_one_that_came_before_its_order_was_known_waits_for_it() -> None:
    came("ord_early")
    rings()
    assert fates() == [How.PARKED]
    order = make_order(Status.PENDING, upstream_id="ord_early", next_look_at=NOW + minutes(9))
    rings(NOW + timedelta(seconds=5))
    order.refresh_from_db()
    assert (fates(), order.next_look_at) == ([How.RUNG], next_tick(WEBHOOKS_TOGETHER, NOW + timedelta(seconds=5)))


def test_an_order_that_never_becomes_known_is_given_up_after_a_day() -> None:
    came("ord_elsewhere")
    at, tries = NOW, 0
    while due := Delivery.objects.get().due_at:
        assert fates() == ([How.PARKED] if tries else [How.CAME])
        at, tries = due, tries + 1
        rings(at)
    assert fates() == [How.UNKNOWN]
    assert timedelta(hours=24) <= at - NOW < timedelta(hours=24, minutes=11)
    assert 12 + 59 + 138 <= tries <= 230


def test_an_order_that_upstream_keeps_leaving_out_is_rung_for_once() -> None:
    order = make_order(Status.IN_PROGRESS, left_out=3, next_look_at=NOW + minutes(50))
    came(order.upstream_id or "")
    rings()
    assert fates() == [How.RUNG]
    Order.objects.update(hurry=None, next_look_at=None)  # a person gave it up
    rings(NOW + dispatch.POLLED_WITHIN)
    assert fates() == [How.UNANSWERED]
    assert Order.objects.get().next_look_at is None


def test_a_ring_that_is_never_answered_is_given_up_after_a_day() -> None:
    came(make_order(Status.IN_PROGRESS).upstream_id or "", at=NOW - dispatch.LOST_AFTER)
    rings()
    assert fates() == [How.UNANSWERED]


def test_a_low_balance_is_asked_for_at_once() -> None:
    came(event="balance.low")
    Chore.objects.create(name="balance", due_at=timezone.now() + minutes(9))
    assert dispatch.dispatch_due(timezone.now(), balance_due_now)
    assert Chore.objects.get().due_at <= timezone.now()
    assert fates() == [How.BALANCE]
    assert not dispatch.dispatch_due(timezone.now(), balance_due_now)


def test_an_event_that_nobody_knows_rings_for_the_order_that_it_names_or_is_just_kept() -> None:
    order = make_order(Status.IN_PROGRESS, next_look_at=NOW + minutes(9))
    came(order.upstream_id or "", event="order.teleported")
    came(event="something.else")
    rings()
    assert fates() == [How.RUNG, How.KEPT]
    assert Order.objects.get().next_look_at == SOON


def test_many_for_one_order_are_one_ring() -> None:
    order = make_order(Status.IN_PROGRESS)
    for _ in range(40):
        came(order.upstream_id or "")
    with CaptureQueriesContext(connection) as asked:
        rings()
    assert set(fates()) == {How.RUNG}
    assert sum(sql["sql"].startswith('UPDATE "orders_order"') for sql in asked) == 1


def test_it_asks_no_more_of_the_database_for_many_orders_than_for_one() -> None:
    counts = []
    for orders in (1, 50):
        for _ in range(orders):
            came(make_order(Status.IN_PROGRESS).upstream_id or "", mark="")
        with CaptureQueriesContext(connection) as asked:
            dispatch.dispatch_due(NOW, lambda _: None)
        counts.append(len(asked))
    assert counts[0] == counts[1]


def test_with_nothing_in_the_inbox_it_asks_once_and_writes_nothing() -> None:
    with CaptureQueriesContext(connection) as asked:
        assert not dispatch.dispatch_due(NOW, lambda _: None)
    assert len(asked) == 1


def test_it_notes_which_address_is_delivered_to() -> None:
    first, second = (Endpoint.objects.create(url="https://d.example/", mark=m, registered_at=NOW) for m in ("abc", "x"))
    came("ord_1", at=NOW - minutes(3))
    came("ord_2", at=NOW - minutes(1))
    rings()
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.last_delivery_at, second.last_delivery_at) == (NOW - minutes(1), None)


@pytest.mark.parametrize("point", ["bell.commit", "bell.committed"])
def test_a_crash_in_the_middle_rings_later_or_has_rung(point: str, monkeypatch: pytest.MonkeyPatch) -> None:
    class Crash(BaseException):
        pass

    def crash(name: str) -> None:
        if name == point:
            raise Crash

    order = make_order(Status.IN_PROGRESS, next_look_at=NOW + minutes(9))
    came(order.upstream_id or "")
    with monkeypatch.context() as patched, pytest.raises(Crash):
        patched.setattr(failpoints, "act", crash)
        rings()
    assert fates() == [How.CAME if point == "bell.commit" else How.RUNG]
    rings()
    order.refresh_from_db()
    assert (fates(), order.next_look_at) == ([How.RUNG], SOON)


def test_what_came_a_month_ago_is_forgotten_in_portions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatch, "FORGOTTEN_AT_ONCE", 2)
    for days in (40, 35, 31, 29, 1):
        came(at=NOW - timedelta(days=days))
    assert [dispatch.delete_old(NOW) for _ in range(3)] == [True, True, False]
    assert Delivery.objects.count() == 2
    assert RECURRING_WORK["old deliveries"].act(None) is False  # type: ignore[arg-type]


def test_upstreams_word_is_what_holds(upstream: Upstream, phone: Client) -> None:
    """The delivery says completed; asked, upstream says refunded."""
    order = place_order(service=sold_by(phone))
    upstream_id = upstream.place()
    Order.objects.update(upstream_id=upstream_id, status="completed", next_look_at=None)
    upstream.set_status(upstream_id, "refunded")
    came(upstream_id, status="completed", at=timezone.now())
    assert dispatch.dispatch_due(timezone.now(), balance_due_now)
    assert poll_once(phone, timezone.now() + WEBHOOKS_TOGETHER)
    order.refresh_from_db()
    assert order.status == "refunded"
    assert upstream.calls("status") == 1
    later = timezone.now() + dispatch.POLLED_WITHIN
    dispatch.dispatch_due(later, lambda _: None)
    assert fates() == [How.LOOKED]
    assert not poll_once(phone)

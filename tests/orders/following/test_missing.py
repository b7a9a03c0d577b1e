"""An order that upstream no longer mentions is counted, then polled alone; its status is never guessed."""

from datetime import timedelta

import pytest
from django.test import Client as Browser
from django.utils import timezone

from orders.following.poll import ALONE_EVERY_SECONDS, poll_alone, poll_once
from orders.models import Order, Poll
from orders.models.poll import Queue
from orders.placing.submit import submit_one
from orders.rules.poll_schedule import LONGEST_PAUSE, POLLED_ALONE_FROM
from orders.rules.statuses import Status
from panel.notpanel.client import Client
from panel.site.status_bar import StatusBar
from panel.upstream.models import Chore
from panel.worker.recurring import RECURRING_WORK, do_recurring_work
from tests.makers import make_order, place_order, poll_wanted, sold_by
from tests.upstream import Upstream

pytestmark = pytest.mark.django_db


def come_due() -> None:
    """Makes all orders that are polled due now."""
    Poll.objects.update(next_poll_at=timezone.now())


def left_out_often(phone: Client) -> Order:
    """A live order that the sandbox does not know, after so many answers without it that it is polled alone."""
    order = make_order(Status.IN_PROGRESS)
    for _ in range(POLLED_ALONE_FROM):
        come_due()
        assert poll_once(phone)
    come_due()
    order.refresh_from_db()
    return order


def event_kinds(order: Order) -> list[str]:
    """The kinds of the order's events, oldest first."""
    return list(order.events.order_by("pk").values_list("kind", flat=True))


def test_after_three_answers_without_it_an_order_is_polled_alone_and_flagged(upstream: Upstream, phone: Client) -> None:
    order = left_out_often(phone)
    assert (order.left_out, order.missing_since) == (POLLED_ALONE_FROM, None)
    assert poll_wanted(timezone.now()) is None, "the budget is not asked for a batch without it"
    assert not poll_once(phone), "it is in no batch any more"
    before = upstream.calls("status")
    poll_alone(phone)
    order.refresh_from_db()
    assert upstream.calls("status") == before + 1
    assert order.missing_since
    assert (order.status, order.left_out, order.charge) == (Status.IN_PROGRESS, POLLED_ALONE_FROM + 1, None), (
        "nothing guessed"
    )
    assert event_kinds(order)[-2:] == ["left_out", "missing"]
    assert order.next_poll_at and order.next_poll_at - timezone.now() > LONGEST_PAUSE - timedelta(minutes=1)


def test_it_is_recorded_once_and_polled_again_every_hour(upstream: Upstream, phone: Client) -> None:
    order = left_out_often(phone)
    poll_alone(phone)
    order.refresh_from_db()
    since, before = order.missing_since, upstream.calls("status")
    poll_alone(phone)
    assert upstream.calls("status") == before, "not before its hour"
    come_due()
    poll_alone(phone)
    order.refresh_from_db()
    assert (order.missing_since, event_kinds(order).count("missing")) == (since, 1)


@pytest.mark.parametrize("fault", ["lose_answer", "error_before", "html", "throttle"])
def test_a_poll_that_fails_says_nothing_about_the_order(upstream: Upstream, phone: Client, fault: str) -> None:
    order = left_out_often(phone)
    Chore.objects.create(name="left out", due_at=timezone.now())
    upstream.will(fault, action="status", times=2)
    assert do_recurring_work(phone)
    order.refresh_from_db()
    assert (order.missing_since, order.left_out) == (None, POLLED_ALONE_FROM)
    assert order.next_poll_at and order.next_poll_at > timezone.now(), "it comes again with its lease"
    assert Chore.objects.get().trouble


def test_when_upstream_knows_it_again_it_is_followed_as_before(phone: Client) -> None:
    order = place_order(service=sold_by(phone), quantity=1000)
    submit_one(phone)
    now = timezone.now()
    Order.objects.filter(pk=order.pk).update(missing_since=now, left_out=POLLED_ALONE_FROM)
    Poll.objects.filter(order=order).update(queue=Queue.ALONE, next_poll_at=now)
    poll_alone(phone)
    order.refresh_from_db()
    assert (order.missing_since, order.left_out) == (None, 0)
    assert "back" in event_kinds(order)
    come_due()
    assert poll_once(phone), "with the others again"


def test_a_refusal_in_other_words_makes_no_order_missing(phone: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    order = left_out_often(phone)
    monkeypatch.setattr("orders.following.poll.UNKNOWN_ORDER", "no such words")
    poll_alone(phone)
    order.refresh_from_db()
    assert (order.missing_since, order.left_out) == (None, POLLED_ALONE_FROM + 1)


def test_many_missing_orders_are_polled_one_at_a_time(upstream: Upstream, phone: Client) -> None:
    """A key that has lost sight of all its orders must not spend all its calls on them."""
    for _ in range(3):
        make_order(Status.IN_PROGRESS, left_out=POLLED_ALONE_FROM)
    now = timezone.now()
    Chore.objects.create(name="left out", due_at=now)
    assert do_recurring_work(phone, now)
    assert not do_recurring_work(phone, now)
    assert upstream.calls("status") == 1
    assert RECURRING_WORK["left out"][1]() == ALONE_EVERY_SECONDS


def test_a_missing_order_is_in_the_list_of_what_needs_a_look(viewer: Browser, phone: Client) -> None:
    order, other = left_out_often(phone), make_order(Status.IN_PROGRESS)
    assert StatusBar().needs_a_look == 0
    poll_alone(phone)
    assert StatusBar().needs_a_look == 1
    page = viewer.get("/orders/?open=look").content.decode()
    assert f'id="order-{order.pk}"' in page
    assert f'id="order-{other.pk}"' not in page
    assert "missing: unknown to the supplier" in page
    detail = viewer.get(order.get_absolute_url()).content.decode()
    assert "The supplier says that it knows no such order" in detail
    assert "by itself, because the supplier leaves it out" in detail
    assert "In progress" in detail

"""“Check now” has an order polled with the next batch, without a call of its own."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from orders.models import Poll
from orders.rules.statuses import Status
from tests.makers import make_order
from tests.people import htmx
from tests.upstream import Upstream

pytestmark = pytest.mark.django_db


def test_checked_orders_join_the_next_batch(operator: Client, upstream: Upstream) -> None:
    later = timezone.now() + timedelta(hours=1)
    orders = [make_order(Status.IN_PROGRESS, next_poll_at=later) for _ in range(3)]
    for order in orders:
        row = operator.post(f"/orders/{order.pk}/looks/", headers=htmx()).content.decode()
        assert f'id="order-{order.pk}"' in row
    assert upstream.calls() == 0, "the web never calls"
    due = Poll.objects.due(timezone.now())
    assert {poll.order for poll in due} == set(orders)


def test_an_ended_order_may_be_checked_too(operator: Client) -> None:
    order = make_order(Status.COMPLETED, next_poll_at=None)
    operator.post(f"/orders/{order.pk}/looks/")
    assert order.poll in Poll.objects.due(timezone.now())


def test_what_upstream_does_not_have_is_refused_in_words(operator: Client) -> None:
    order = make_order(Status.QUEUED)
    answer = operator.post(f"/orders/{order.pk}/looks/", headers=htmx())
    assert answer.status_code == 409
    assert "the supplier does not have it yet" in answer.content.decode()
    assert not Poll.objects.due(timezone.now()).exists()


def test_a_row_whose_poll_is_long_overdue_is_shown_as_old(operator: Client) -> None:
    now = timezone.now()
    fresh = make_order(Status.IN_PROGRESS, reported_at=now, next_poll_at=now + timedelta(minutes=1))
    stale = make_order(Status.IN_PROGRESS, reported_at=now - timedelta(hours=1), next_poll_at=now - timedelta(hours=1))
    assert (fresh.stale, stale.stale) == (False, True)
    page = operator.get("/orders/").content.decode()
    assert page.count('<span class="sub old">checked') == 1


def test_an_open_page_sees_a_row_grow_old(operator: Client) -> None:
    now = timezone.now()
    order = make_order(Status.IN_PROGRESS, reported_at=now, next_poll_at=now + timedelta(minutes=1))
    poll = f"/orders/changes/?v={order.pk}:{order.version}"
    assert f'id="order-{order.pk}"' not in operator.get(poll, headers=htmx()).content.decode()
    Poll.objects.filter(order=order).update(next_poll_at=now - timedelta(minutes=10))
    changed = operator.get(poll, headers=htmx()).content.decode()
    assert '<span class="sub old">checked' in changed
    assert 'id="heard"' not in changed, "nothing happened to it, so no screen reader announces it"

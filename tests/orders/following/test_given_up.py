"""An order that upstream does not know any more waits for a person, who may end its polling."""

from datetime import timedelta

import pytest
from django.test import Client as Browser
from django.utils import timezone

from accounts.access import Role
from orders.following.poll import apply_reports, poll_alone, poll_once
from orders.following.triage import give_up
from orders.models import Order, Poll
from orders.placing.submit import submit_one
from orders.rules.poll_schedule import POLLED_ALONE_FROM
from orders.rules.refusal import Refusal
from orders.rules.statuses import Status
from panel.notpanel.client import Client
from panel.notpanel.shapes import Reports
from panel.site.status_bar import StatusBar
from tests.makers import make_order, make_user, place_order, sold_by
from tests.people import as_a, htmx
from tests.upstream import Upstream

pytestmark = pytest.mark.django_db


def missing(**fields: object) -> Order:
    """A live order that upstream says it does not know, due to be polled alone."""
    now = timezone.now()
    return make_order(Status.IN_PROGRESS, left_out=POLLED_ALONE_FROM + 1, missing_since=now, next_poll_at=now, **fields)


def test_it_keeps_its_status_and_no_longer_needs_a_look(upstream: Upstream, phone: Client) -> None:
    order = missing(remains=300)
    manager = as_a(Role.MANAGER)
    assert f'id="order-{order.pk}"' in manager.get("/orders/?open=look").content.decode()
    answer = manager.post(f"/orders/{order.pk}/abandonment/", {"reason": "The supplier refunded it."}, follow=True)
    assert "no longer checked" in answer.content.decode()
    before = (order.status, order.remains, order.upstream_id)
    order.refresh_from_db()
    assert (order.status, order.remains, order.upstream_id) == before
    assert (order.next_poll_at, order.missing_since) == (None, None)
    assert order.events.get(kind="given_up").facts == {"reason": "The supplier refunded it."}
    assert StatusBar().needs_a_look == 0
    for address in ("/orders/?open=look", "/orders/?status=review"):
        assert f'id="order-{order.pk}"' not in manager.get(address).content.decode()
    poll_alone(phone)
    poll_once(phone)
    assert upstream.calls("status") == 0
    assert "no longer checked" in manager.get("/orders/").content.decode()
    assert "It is no longer checked" in manager.get(order.get_absolute_url()).content.decode()


def test_if_upstream_knows_it_again_that_wins(phone: Client) -> None:
    order = place_order(service=sold_by(phone), quantity=1000)
    submit_one(phone)
    Order.objects.filter(pk=order.pk).update(left_out=POLLED_ALONE_FROM, missing_since=timezone.now(), status="pending")
    order.refresh_from_db()
    give_up(order, "Lost.", by=make_user(Role.MANAGER))
    Order.objects.filter(pk=order.pk).poll_now(timezone.now())  # somebody pressed “Check now”
    poll_alone(phone)
    order.refresh_from_db()
    assert (order.left_out, order.given_up) == (0, False)
    assert order.reported_at and order.next_poll_at


def test_an_answer_that_was_under_way_does_not_make_it_due_again() -> None:
    order = missing()
    give_up(order, "Lost.", by=make_user(Role.MANAGER))
    reports = Reports({}, {order.upstream_id or "": "Order not found"})
    apply_reports([order.upstream_id or ""], reports, timezone.now(), alone=True)
    order.refresh_from_db()
    assert (order.missing_since, order.next_poll_at) == (None, None)


def test_it_takes_a_reason_a_manager_and_an_order_that_is_missing() -> None:
    boss, order, known = make_user(Role.MANAGER), missing(), make_order(Status.IN_PROGRESS)
    with pytest.raises(Refusal, match="Write why"):
        give_up(order, "  ", by=boss)
    with pytest.raises(Refusal, match="Only managers"):
        give_up(order, "Lost.", by=make_user(Role.OPERATOR))
    with pytest.raises(Refusal, match="does not know"):
        give_up(known, "Lost.", by=boss)
    known.refresh_from_db()
    assert known.next_poll_at
    give_up(order, "Lost.", by=boss)
    with pytest.raises(Refusal):
        give_up(order, "Again.", by=boss)
    assert order.events.filter(kind="given_up").count() == 1


def test_giving_up_forgets_an_earlier_check_now_and_a_later_one_counts() -> None:
    order, now = missing(), timezone.now()
    Order.objects.filter(pk=order.pk).poll_now(now)
    give_up(order, "Lost.", by=make_user(Role.MANAGER))
    order.refresh_from_db()
    assert order.next_poll_at is None
    assert Order.objects.filter(pk=order.pk).poll_now(now) == 1
    assert Poll.objects.due(now).get().order == order


# ── The tab and the badge ────────────────────────────────────────────────────────────────────────
def test_the_tab_the_badge_and_the_list_agree(viewer: Browser) -> None:
    orders = [make_order(Status.REVIEW), make_order(Status.REVIEW), missing()]
    make_order(Status.IN_PROGRESS)
    page = viewer.get("/orders/?status=review").content.decode()
    assert StatusBar().needs_a_look == 3
    assert '<span class="n" id="n-review">3</span>' in page
    assert page.count('role="row" data-v') == 3
    assert all(f'id="order-{order.pk}"' in page for order in orders)
    assert "need a look: </span>3</span>" in page


def test_an_open_page_learns_of_one_that_goes_missing(viewer: Browser) -> None:
    order, bar = make_order(Status.IN_PROGRESS), StatusBar()
    poll = f"/orders/changes/?v=&bar={bar.version}&counts={bar.counts_version}"
    assert viewer.get(poll, headers=htmx()).status_code == 204
    Order.objects.filter(pk=order.pk).update(missing_since=timezone.now())
    changed = viewer.get(poll, headers=htmx()).content.decode()
    assert '<span class="n" id="n-review" hx-swap-oob="true">1</span>' in changed


def test_when_upstream_last_knew_it_outlives_its_poll() -> None:
    order, known_at = missing(), timezone.now() - timedelta(minutes=5)
    Poll.objects.filter(order=order).update(reported_at=known_at)
    give_up(order, "Lost.", by=make_user(Role.MANAGER))
    assert not Poll.objects.exists()
    assert Order.objects.get().checked_at == known_at

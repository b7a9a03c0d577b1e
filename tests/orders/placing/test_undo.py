"""A placed order waits a few seconds before it may be sent, and can be taken back while upstream cannot have it."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.access import Role
from orders.aftersale.withdraw import withdraw
from orders.models import Order, Task
from orders.placing.submit import submit_one
from orders.rules.refusal import Refusal
from orders.rules.retry import LEASE
from orders.rules.statuses import Status
from panel.notpanel.client import Client
from tests.makers import make_order, make_service, make_user, place_order, sold_by
from tests.orders.models.test_claims import together
from tests.people import as_a, as_user, htmx
from tests.upstream import Upstream

pytestmark = pytest.mark.django_db
WINDOW = 5  # seconds


@pytest.fixture
def window(settings: Any) -> None:
    settings.SEND_DELAY_SECONDS = WINDOW


def test_it_is_not_sent_before_the_window_is_over(window: None) -> None:
    order = place_order()
    assert not Task.objects.claim(order.created_at + timedelta(seconds=WINDOW - 0.1), LEASE)
    assert Task.objects.claim(order.created_at + timedelta(seconds=WINDOW), LEASE)


def test_without_a_window_it_may_go_at_once() -> None:
    order = place_order()
    assert Task.objects.claim(order.created_at, LEASE)


def test_what_was_withdrawn_is_never_sent(upstream: Upstream, phone: Client) -> None:
    order, ana = place_order(service=sold_by(phone)), make_user(name="Ana")
    withdraw(order, by=ana)
    assert not submit_one(phone, timezone.now() + timedelta(days=1))
    order.refresh_from_db()
    assert (order.status, order.label) == (Status.REJECTED, "Withdrawn")
    assert order.tasks.get().answer == "Withdrawn by Ana before it was sent."
    assert order.events.first().by == ana  # type: ignore[union-attr]
    assert upstream.calls("add") == 0


def test_what_a_worker_has_in_hand_is_too_late(window: None) -> None:
    order = place_order()
    Task.objects.claim(timezone.now() + timedelta(seconds=WINDOW), LEASE)
    with pytest.raises(Refusal, match="Too late"):
        withdraw(order, by=make_user())
    order.refresh_from_db()
    assert order.status == Status.QUEUED


def test_what_provably_did_not_leave_can_still_be_withdrawn() -> None:
    order = place_order()
    submit_one(Client("http://127.0.0.1:9/api/v2", "k", connect_seconds=1))
    withdraw(order, by=make_user())
    order.refresh_from_db()
    assert order.label == "Withdrawn"


@pytest.mark.parametrize("status", sorted(set(Status) - {Status.QUEUED, Status.APPROVAL}))
def test_what_is_settled_is_not_withdrawn(status: str) -> None:
    order = make_order(status)
    with pytest.raises(Refusal):
        withdraw(order, by=make_user())
    order.refresh_from_db()
    assert order.status == status


@pytest.mark.django_db(transaction=True)
def test_undo_and_a_worker_cannot_both_win() -> None:
    by, service = make_user(), make_service()
    for _ in range(20):
        order = place_order(by=by, service=service)
        won: list[str] = []

        def undo(order: Order = order, won: list[str] = won) -> None:
            try:
                withdraw(order, by=by)
                won.append("undo")
            except Refusal:
                pass

        def work(won: list[str] = won) -> None:
            if Task.objects.claim(timezone.now(), LEASE):
                won.append("worker")

        together(undo, work)
        assert len(won) == 1, won


def test_the_row_offers_it_and_answers_with_itself(window: None) -> None:
    order, ana = place_order(), as_a(Role.OPERATOR)
    assert "Undo" in ana.get("/orders/").content.decode()
    answer = ana.post(f"/orders/{order.pk}/withdrawal/", headers=htmx())
    assert answer.status_code == 200
    assert f'id="order-{order.pk}"' in answer.content.decode()
    assert "Withdrawn" in answer.content.decode()


def test_who_is_too_late_is_told_so_in_the_row(window: None) -> None:
    order = place_order()
    Task.objects.update(unclear_since=timezone.now())
    answer = as_a(Role.OPERATOR).post(f"/orders/{order.pk}/withdrawal/", headers=htmx())
    assert answer.status_code == 409
    assert "Too late to undo" in answer.content.decode()


def test_without_a_script_undo_leads_back_to_the_page(window: None) -> None:
    order = place_order()
    ana = as_user(make_user())
    here = f"http://testserver/orders/{order.pk}/"
    page = ana.post(f"/orders/{order.pk}/withdrawal/", headers={"Referer": here}, follow=True)
    assert page.redirect_chain == [(f"/orders/{order.pk}/", 302)]
    assert "is withdrawn. Nothing was sent." in page.content.decode()
    assert "Undo" not in page.content.decode()


def test_viewers_see_no_button(window: None) -> None:
    place_order()
    assert "/withdrawal/" not in as_a(Role.VIEWER).get("/orders/").content.decode()

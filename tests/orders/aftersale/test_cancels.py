"""Cancels: withdrawn before it is sent, asked after, and agreed to only by a status that says so."""

from datetime import timedelta

import pytest
from django.utils import timezone

from orders.aftersale import ask as aftersale
from orders.aftersale.submit import submit_cancels
from orders.aftersale.withdraw import withdraw
from orders.following.poll import poll_once
from orders.models import Order, Poll, Sending, Task
from orders.placing.submit import submit_one
from orders.rules.refusal import Refusal
from orders.rules.retry import LEASE
from orders.rules.statuses import Status
from panel.notpanel.client import Client
from panel.ops.database import ONLY_ROW
from tests.makers import make_order, make_user, place_order, reloaded, sold_by
from tests.upstream import Upstream

pytestmark = pytest.mark.django_db
CANCEL, Outcome, Settled = Task.Kind.CANCEL, Task.Outcome, Task.Settled
AN_HOUR = timedelta(hours=1)


def placed(upstream: Upstream, phone: Client, status: str = "in_progress", **service_fields: object) -> Order:
    """An order with this status here and upstream, of a service that takes cancels."""
    service = sold_by(phone, **{"cancel": True, **service_fields})
    upstream_id = upstream.place(service=service.upstream_id)
    upstream.set_status(upstream_id, status)
    return make_order(status, service=service, upstream_id=upstream_id)


def ask(order: Order) -> Task | None:
    return aftersale.ask(order, CANCEL, by=make_user(name="Ana"))


def cancel_task() -> Task:
    return Task.objects.get(kind=CANCEL)


def poll(phone: Client) -> None:
    Poll.objects.update(next_poll_at=timezone.now())
    poll_once(phone)


def test_an_order_that_was_never_sent_is_simply_withdrawn(upstream: Upstream, phone: Client) -> None:
    order = place_order(service=sold_by(phone))
    assert ask(order) is None
    assert reloaded(order).shown_status == "withdrawn"
    assert not submit_one(phone)
    assert upstream.calls("add") == upstream.calls("cancel") == 0


def test_one_whose_answer_was_lost_is_confirmed_first_then_cancelled(upstream: Upstream, phone: Client) -> None:
    order = place_order(service=sold_by(phone, cancel=True))
    upstream.will("lose_answer", "add")
    submit_one(phone)
    assert ask(order)
    assert not submit_cancels(phone)
    assert submit_one(phone, timezone.now() + AN_HOUR)
    assert submit_cancels(phone)
    poll(phone)
    assert reloaded(order).status == Status.CANCELLED  # it was still pending, so upstream refunds it at once
    assert cancel_task().over_how == Settled.AGREED
    assert len(upstream.orders()) == 1


def test_what_turns_out_never_sent_is_withdrawn_instead_of_sent(upstream: Upstream, phone: Client) -> None:
    order = place_order(service=sold_by(phone))
    upstream.stop()
    task = Task.objects.claim(timezone.now(), LEASE)
    assert task
    assert ask(order)  # while it is on its way
    Task.objects.filter(pk=task.pk).update(due_at=timezone.now(), unclear_since=None)  # it was not sent
    upstream.start()
    assert submit_one(phone)
    assert reloaded(order).shown_status == "withdrawn"
    assert cancel_task().over_how == Settled.WITHDRAWN
    assert upstream.calls("add") == 0


@pytest.mark.parametrize("by_cancel", [True, False])
def test_who_withdraws_it_meanwhile_ends_the_cancel_that_waits(
    upstream: Upstream, phone: Client, by_cancel: bool
) -> None:
    order = place_order(service=sold_by(phone))
    task = Task.objects.claim(timezone.now(), LEASE)
    assert task
    stale = reloaded(order)
    assert ask(order)
    Task.objects.filter(pk=task.pk).update(due_at=timezone.now(), unclear_since=None)  # it was not sent
    if by_cancel:
        assert ask(reloaded(order)) is None
    else:
        withdraw(stale, by=make_user())
    assert (cancel_task().over_how, cancel_task().due_at) == (Settled.WITHDRAWN, None)
    assert not submit_cancels(phone)


def test_a_rejected_order_has_nothing_to_cancel(upstream: Upstream, phone: Client) -> None:
    order = place_order(service=sold_by(phone))
    task = Task.objects.claim(timezone.now(), LEASE)
    assert task
    ask(order)
    Task.objects.filter(pk=task.pk).update(due_at=timezone.now())
    upstream.will("error_200", "add", text="Service not found")
    submit_one(phone)
    assert reloaded(order).status == Status.REVIEW  # a no after a doubt is for a person
    assert cancel_task().over_at is None
    assert not submit_cancels(phone)


def test_in_flight_it_is_asked_and_only_a_later_status_agrees(upstream: Upstream, phone: Client) -> None:
    order = placed(upstream, phone)
    ask(order)
    submit_cancels(phone)
    assert reloaded(order).status == Status.IN_PROGRESS
    assert cancel_task().over_at is None
    assert "the supplier accepted the request" in reloaded(order).why_no_cancel()
    upstream.set_status(order.upstream_id or "", "cancelled")
    poll(phone)
    assert cancel_task().over_how == Settled.AGREED
    assert order.events.filter(kind="cancel_agreed").exists()


@pytest.mark.parametrize(("status", "how"), [("completed", Settled.DELIVERED), ("partial", Settled.OTHERWISE),
                                             ("refunded", Settled.OTHERWISE)])  # fmt: skip
def test_an_order_that_ends_otherwise_ends_its_cancel(upstream: Upstream, phone: Client, status: str, how: str) -> None:
    order = placed(upstream, phone)
    ask(order)
    submit_cancels(phone)
    upstream.set_status(order.upstream_id or "", status)
    poll(phone)
    assert cancel_task().over_how == how
    assert order.events.filter(kind="cancel_late").exists()


def test_a_refusal_is_the_end_of_it_in_upstreams_words(upstream: Upstream, phone: Client) -> None:
    order = placed(upstream, phone)
    upstream.set_status(order.upstream_id or "", "completed")
    ask(order)
    submit_cancels(phone)
    assert cancel_task().over_how == Settled.REFUSED
    assert cancel_task().answer == "Order cannot be cancelled (already completed)"


def test_a_lost_answer_is_asked_again_and_a_no_to_that_is_no_end(upstream: Upstream, phone: Client) -> None:
    order = placed(upstream, phone, "pending")
    upstream.will("lose_answer", "cancel")  # it took effect: the order is cancelled upstream
    ask(order)
    submit_cancels(phone)
    assert cancel_task().over_at is None
    submit_cancels(phone, timezone.now() + AN_HOUR)
    assert (cancel_task().outcome, cancel_task().over_at) == (Outcome.UNCLEAR, None)
    poll(phone)
    assert reloaded(order).status == Status.CANCELLED
    assert cancel_task().over_how == Settled.AGREED


def test_the_status_may_come_before_the_answer(upstream: Upstream, phone: Client) -> None:
    order = placed(upstream, phone)
    ask(order)
    upstream.set_status(order.upstream_id or "", "cancelled")
    poll(phone)
    assert cancel_task().over_how == Settled.AGREED
    assert not submit_cancels(phone)


def test_who_was_first_is_named(upstream: Upstream, phone: Client) -> None:
    order = placed(upstream, phone)
    ask(order)
    with pytest.raises(Refusal, match=r"asked for by Ana at .* UTC; the supplier has not answered yet\."):
        ask(order)


def test_while_sending_is_stopped_it_waits(upstream: Upstream, phone: Client) -> None:
    ask(placed(upstream, phone))
    Sending.objects.update_or_create(pk=ONLY_ROW, defaults={"stopped_at": timezone.now(), "reason": "Lunch"})
    assert not submit_cancels(phone)
    Sending.objects.update(stopped_at=None)
    assert submit_cancels(phone)


@pytest.mark.slow
def test_a_hundred_travel_in_one_call(upstream: Upstream, phone: Client) -> None:
    upstream.set_balance(100_000)
    service = sold_by(phone, cancel=True)
    for _ in range(101):
        ask(make_order("pending", service=service, upstream_id=upstream.place(service=service.upstream_id)))
    while submit_cancels(phone):
        pass
    assert upstream.calls("cancel") == 2
    assert Task.objects.filter(kind=CANCEL, outcome=Outcome.DONE).count() == 101

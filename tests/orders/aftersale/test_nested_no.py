"""The trade's nested no to a refill or cancel: refused in upstream's words, the slot free, and nothing asked again."""

from datetime import timedelta

import pytest
from django.utils import timezone

from orders.aftersale import ask
from orders.aftersale.submit import submit_cancels, submit_refills
from orders.models import Order, Task
from panel.notpanel.client import Client
from tests.makers import make_order, make_user, sold_by
from tests.upstream import Upstream

pytestmark = pytest.mark.django_db
Outcome = Task.Outcome
SUBMIT = {"refill": submit_refills, "cancel": submit_cancels}
GOOD, BAD = {"refill": "completed", "cancel": "in_progress"}, {"refill": "in_progress", "cancel": "completed"}
KINDS = ["refill", "cancel"]
LATER = timedelta(hours=1)


def asked(upstream: Upstream, phone: Client, kind: str, *statuses: str) -> list[Order]:
    """Orders for each of which a refill or cancel is asked, and which upstream has in these statuses."""
    service, by, orders = sold_by(phone, refill=True, cancel=True), make_user(), []
    for status in statuses:
        upstream_id = upstream.place(service=service.upstream_id)
        upstream.set_status(upstream_id, status)
        orders.append(make_order(GOOD[kind], service=service, upstream_id=upstream_id))
        ask.ask(orders[-1], kind, by=by)
    return orders


def task_of(order: Order) -> Task:
    return order.tasks.exclude(kind="place").get()


@pytest.mark.parametrize("kind", KINDS)
def test_in_a_batch_it_refuses_its_own_row_alone(upstream: Upstream, phone: Client, kind: str) -> None:
    orders = asked(upstream, phone, kind, GOOD[kind], BAD[kind], GOOD[kind])
    upstream.will("nested", kind, times=None, field=kind)
    assert SUBMIT[kind](phone)
    assert [task_of(order).outcome for order in orders] == [Outcome.DONE, Outcome.REFUSED, Outcome.DONE]
    refused = task_of(orders[1])
    assert refused.answer.startswith(("Refill only available", "Order cannot be cancelled"))
    assert (refused.slot, refused.over_how) == (None, "refused")
    assert not SUBMIT[kind](phone, timezone.now() + LATER)
    assert upstream.calls(kind) == 1


@pytest.mark.parametrize("kind", KINDS)
def test_about_one_it_refuses_that_one(upstream: Upstream, phone: Client, kind: str) -> None:
    (order,) = asked(upstream, phone, kind, GOOD[kind])
    upstream.will("nested", kind, field=kind, text="Refill not available yet", effect=False)
    assert SUBMIT[kind](phone)
    task = task_of(order)
    assert (task.outcome, task.answer, task.slot) == (Outcome.REFUSED, "Refill not available yet", None)
    assert not SUBMIT[kind](phone, timezone.now() + LATER)
    assert upstream.calls(kind) == 1
    again = Order.objects.for_table().get(pk=order.pk)
    assert (again.why_no_refill() if kind == "refill" else again.why_no_cancel()) == "", "it may be asked for anew"


@pytest.mark.parametrize("kind", KINDS)
def test_a_whole_batch_can_be_refused_so_and_then_each_goes_alone(upstream: Upstream, phone: Client, kind: str) -> None:
    orders = asked(upstream, phone, kind, GOOD[kind], GOOD[kind])
    upstream.will("nested", kind, field=kind, text="Incorrect order ID", effect=False)
    for hours in range(4):
        SUBMIT[kind](phone, timezone.now() + hours * LATER)
    assert [task_of(order).outcome for order in orders] == [Outcome.DONE, Outcome.DONE]
    assert upstream.calls(kind) == 3


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("words", ["Rate limit exceeded", "Under maintenance, try again later"])
def test_a_no_that_passes_waits_and_goes_later(upstream: Upstream, phone: Client, kind: str, words: str) -> None:
    (order,) = asked(upstream, phone, kind, GOOD[kind])
    upstream.will("nested", kind, times=2, field=kind, text=words, effect=False)
    for hours in range(3):
        assert SUBMIT[kind](phone, timezone.now() + hours * LATER)
        assert bool(task_of(order).settled_at) == (hours == 2)
    assert task_of(order).outcome == Outcome.DONE
    assert len(upstream.books()["refills"]) == (kind == "refill")

"""Many in one call: each row's answer goes to its own task, however upstream counts and orders its rows."""

from typing import Any

import pytest

from orders.aftersale import ask
from orders.aftersale.submit import submit_cancels, submit_refills
from orders.models import Order, Task
from panel.notpanel.client import Client
from tests.makers import make_order, make_user, sold_by
from tests.upstream import Upstream

pytestmark = pytest.mark.django_db
Outcome = Task.Outcome
# Fault → its details, and for how many of the four orders its answer says nothing that can be believed.
FAULTS: dict[str, tuple[dict[str, Any], int]] = {
    "shuffle": ({}, 0), "invent": ({"count": 2}, 0), "double": ({"count": 2}, 2), "omit": ({"count": 2}, 2),
    "lose_answer": ({}, 4), "lose_request": ({}, 4),
}  # fmt: skip


def four_asked(upstream: Upstream, phone: Client, kind: str, status: str, refused_status: str) -> list[Order]:
    """Asks for a refill or cancel of four orders with this status. Upstream has another for the second, and refuses."""
    service, by = sold_by(phone, refill=True, cancel=True), make_user()
    orders = []
    for number in range(4):
        upstream_id = upstream.place(service=service.upstream_id)
        upstream.set_status(upstream_id, refused_status if number == 1 else status)
        orders.append(make_order(status, service=service, upstream_id=upstream_id))
        ask.ask(orders[-1], kind, by=by)
    return orders


@pytest.mark.parametrize("fault", FAULTS)
def test_each_refill_gets_its_own_answer(upstream: Upstream, phone: Client, fault: str) -> None:
    orders = four_asked(upstream, phone, "refill", "completed", "in_progress")
    details, unclear = FAULTS[fault]
    upstream.will(fault, "refill", **details)
    submit_refills(phone)
    theirs = {row["order"]: row["refill"] for row in upstream.books()["refills"]}
    tasks = {task.order_id: task for task in Task.objects.filter(kind="refill")}
    for order in orders:
        task = tasks[order.pk]
        if task.outcome == Outcome.DONE:
            assert task.answer == theirs[order.upstream_id]
        elif task.outcome == Outcome.REFUSED:
            assert (order, task.answer) == (orders[1], "Refill only available for completed or partial orders")
    assert sum(task.outcome == Outcome.UNCLEAR for task in tasks.values()) == unclear
    assert not submit_refills(phone)
    assert upstream.calls("refill") == 1


@pytest.mark.parametrize("fault", FAULTS)
def test_each_cancel_gets_its_own_answer(upstream: Upstream, phone: Client, fault: str) -> None:
    orders = four_asked(upstream, phone, "cancel", "in_progress", "completed")
    details, unclear = FAULTS[fault]
    upstream.will(fault, "cancel", **details)
    submit_cancels(phone)
    tasks = {task.order_id: task for task in Task.objects.filter(kind="cancel")}
    for order in orders:
        task = tasks[order.pk]
        if task.outcome == Outcome.DONE:
            assert upstream.order(order.upstream_id or "")["cancel_asked_at"]
        elif task.outcome == Outcome.REFUSED:
            assert (order, task.answer) == (orders[1], "Order cannot be cancelled (already completed)")
    assert sum(task.settled_at is None for task in tasks.values()) == unclear, "these are asked again"
    assert not any(task.over_how == "agreed" for task in tasks.values())

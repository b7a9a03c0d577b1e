"""In whatever order deliveries come in, and however often: an order ends up as upstream says it stands."""

import uuid
from collections import Counter
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import permutations
from types import SimpleNamespace
from typing import Any

import pytest
from django.utils import timezone

from orders.following import poll
from orders.following.claim import ORDERS_PER_CALL
from orders.models import Delivery, Order, Poll
from orders.rules.poll_schedule import WEBHOOKS_TOGETHER
from orders.webhooks import dispatch
from panel.notpanel.shapes import Report, Reports
from tests.makers import make_service, make_user

pytestmark = pytest.mark.django_db
# What happened to an order, in the order in which it did: upstream's status, charge, remains, and the event of it.
HISTORY = (
    ("pending", "0.90", 1000, "order.created"),
    ("processing", "0.90", 1000, "order.processing"),
    ("in_progress", "0.90", 1000, "order.started"),
    ("in_progress", "0.90", 400, "order.progress"),
    ("completed", "0.90", 0, "order.completed"),
    ("partial", "0.54", 400, "order.failed"),
    ("refunded", "0.00", 1000, "order.refunded"),
)
PERMUTATIONS = list(permutations(range(len(HISTORY))))
COMPARED_FIELDS = ("status", "charge", "remains", "currency")


class Supplier:
    """An upstream that knows how far each order is: `far` is a step of HISTORY. It answers polls and counts calls."""

    def __init__(self, now: datetime) -> None:
        self.now, self.far, self.calls = now, Counter[str](), 0

    def reports(self, ids: list[str]) -> Reports:
        """The answer to one call about many orders."""
        self.calls += 1
        return Reports({id: self.report(id) for id in ids}, {})

    def report(self, id: str) -> Report:
        """How one order stands."""
        status, charge, remains, _ = HISTORY[self.far[id]]
        return Report(id, status, Decimal(charge), 12_480, remains, "USD", self.now, {"status": status})


def write_orders(count: int) -> list[str]:
    """Writes so many orders as upstream has just taken them, and returns upstream's ids of them."""
    service, person, now = make_service(), make_user(), timezone.now()
    orders = [
        Order(service=service, link=f"https://instagram.com/p/{n}", quantity=1000, body={}, rate_seen="0.9",
              expected_charge="0.9", placed_by=person, upstream_id=f"ord_{n}", form_token=uuid.uuid4(), created_at=now)
        for n in range(count)
    ]  # fmt: skip
    for order in orders:
        order.fill_search_fields()
    Order.objects.bulk_create(orders, batch_size=500)
    return [str(order.upstream_id) for order in orders]


def deliver(events: list[tuple[str, int]], at: datetime, copies: int, copies_of: Counter[str]) -> None:
    """Writes each event, an upstream id and a step of HISTORY, as so many deliveries: retries, or other endpoints'."""
    rows = []
    for id, step in events:
        for _ in range(copies):
            copies_of[id] += 1
            status, _, _, event = HISTORY[step]
            key = f"{id}:{copies_of[id]}"
            rows.append(Delivery(key=key, digest=key, event=event, upstream_id=id, status=status, body="{}", mark="",
                                 received_at=at, due_at=at))  # fmt: skip
    Delivery.objects.bulk_create(rows, batch_size=500)


def poll_all_dispatched(supplier: Any, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    """Dispatches all deliveries, and polls their orders as soon as they are due."""
    soon = supplier.now = now + WEBHOOKS_TOGETHER
    monkeypatch.setattr(poll, "timezone", SimpleNamespace(now=lambda: soon))
    while dispatch.dispatch_due(now, lambda _: None):
        pass
    while poll.poll_once(supplier, soon):
        pass


@pytest.mark.slow
@pytest.mark.parametrize("copies", [1, 2], ids=["once", "doubled"])
def test_all_5_040_orders_of_seven_events_lead_to_one_final_state(copies: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each permutation has an order of its own. After every delivery each order stands as upstream says."""
    assert len(PERMUTATIONS) == 5_040
    ids, supplier, copies_of = write_orders(len(PERMUTATIONS)), Supplier(timezone.now()), Counter[str]()
    for turn in range(len(HISTORY)):
        supplier.now += timedelta(minutes=1)
        events = [(id, steps[turn]) for id, steps in zip(ids, PERMUTATIONS, strict=True)]
        for id, step in events:
            supplier.far[id] = max(step, supplier.far[id])
        before = supplier.calls
        deliver(events, supplier.now, copies, copies_of)
        poll_all_dispatched(supplier, supplier.now, monkeypatch)
        statuses = dict(Order.objects.values_list("upstream_id", "status"))
        assert {id for id in ids if statuses[id] != HISTORY[supplier.far[id]][0]} == set()
        assert supplier.calls - before <= 2 * len(PERMUTATIONS) / ORDERS_PER_CALL
    assert set(Order.objects.values_list(*COMPARED_FIELDS)) == {("refunded", Decimal("0.00"), 1000, "USD")}
    # No delivery is left to be handled, and no order to be polled.
    poll_all_dispatched(supplier, supplier.now + dispatch.POLLED_WITHIN, monkeypatch)
    assert set(Delivery.objects.values_list("how", "due_at")) == {(Delivery.How.LOOKED, None)}
    assert not Poll.objects.exists()


@pytest.mark.parametrize("backwards", [False, True])
def test_events_that_come_all_at_once_are_one_poll(backwards: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    (id,), supplier, copies_of = write_orders(1), Supplier(timezone.now()), Counter[str]()
    supplier.far[id] = len(HISTORY) - 1
    steps = range(len(HISTORY))
    deliver([(id, step) for step in (reversed(steps) if backwards else steps)], supplier.now, 2, copies_of)
    poll_all_dispatched(supplier, supplier.now, monkeypatch)
    assert Order.objects.get().status == "refunded"
    assert supplier.calls == 1


def test_an_event_after_the_end_is_looked_at_with_one_poll(monkeypatch: pytest.MonkeyPatch) -> None:
    """The poll finds nothing new and ends at once. That it was made is known to the order from then on."""
    (id,), supplier, copies_of = write_orders(1), Supplier(timezone.now()), Counter[str]()
    supplier.far[id] = len(HISTORY) - 1
    for asked in (1, 2):
        deliver([(id, 4)], supplier.now, 1, copies_of)
        poll_all_dispatched(supplier, supplier.now, monkeypatch)
        poll_all_dispatched(supplier, supplier.now + dispatch.POLLED_WITHIN, monkeypatch)
        assert set(Delivery.objects.values_list("how", "due_at")) == {(Delivery.How.LOOKED, None)}
        assert supplier.calls == asked
        assert not Poll.objects.exists()
        supplier.now += timedelta(hours=1)

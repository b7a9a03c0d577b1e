"""Deliveries that have no id of their own: each rings for its order, and what upstream says once more later is new."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from orders.models import Delivery, Order
from orders.models.webhook import Arrival
from orders.rules.statuses import Status
from orders.webhooks import dispatch
from panel.notpanel.signing import WINDOW_SECONDS
from tests.deliveries import SECRET, deliver, headers_of, stored
from tests.makers import make_order

pytestmark = pytest.mark.django_db
How = Delivery.How
WINDOW = timedelta(seconds=WINDOW_SECONDS)


@pytest.fixture(autouse=True)
def _secrets(settings: Any) -> None:
    settings.NOTPANEL_WEBHOOK_SECRETS = [SECRET]


def deliver_without_id(body: bytes, late: float = 0) -> None:
    """Delivers this body, without an id in the headers, signed `late` seconds ago."""
    headers = headers_of(body, late=late)
    del headers["X-NotPanel-Delivery"]
    assert deliver(body=body, headers=headers).status_code == 200


def time_passes(span: timedelta) -> None:
    """Makes all that is stored so much older."""
    Delivery.objects.update(received_at=F("received_at") - span)


def bodies(order: str) -> list[dict[str, Any]]:
    """Bodies that name the order in different places, and nothing else that tells one delivery from another."""
    event = {"event": "order.completed"}
    return [
        {**event, "id": order, "status": "completed"},
        {**event, "orderId": order},
        {**event, "payload": {"order": order}},
        {**event, "payload": {"order": {"id": order}}},
        {**event, "object": {"order_id": order}},
    ]


@pytest.mark.parametrize("number", range(5))
def test_each_rings_for_its_order(number: int) -> None:
    order = make_order(Status.IN_PROGRESS, next_poll_at=None)
    deliver_without_id(json.dumps(bodies(order.upstream_id or "")[number]).encode())
    dispatch.dispatch_due(timezone.now(), lambda _now: None)
    assert [delivery.how for delivery in stored()] == [How.RUNG]
    assert Order.objects.get().next_poll_at is not None


@pytest.mark.parametrize("number", range(5))
def test_the_same_body_is_a_repeat_only_within_the_window_of_the_first(number: int) -> None:
    body = json.dumps(bodies("ord_X")[number]).encode()
    deliver_without_id(body)
    time_passes(timedelta(seconds=40))
    deliver_without_id(body, late=1)
    assert len(stored()) == 1, "upstream tries again"
    time_passes(WINDOW)
    deliver_without_id(body, late=2)
    deliver_without_id(body, late=3)
    assert len(stored()) == 2, "it happened once more"
    time_passes(WINDOW + timedelta(seconds=1))
    deliver_without_id(body, late=4)
    assert len(stored()) == 3
    assert [delivery.upstream_id for delivery in stored()] == ["ord_X"] * 3


def test_an_order_that_completes_and_is_refunded_rings_twice() -> None:
    """Both bodies have the order's id where other suppliers have the delivery's."""
    for event in ("order.completed", "order.refunded"):
        deliver_without_id(json.dumps({"event": event, "id": "ord_X"}).encode())
    assert [delivery.event for delivery in stored()] == ["order.completed", "order.refunded"]


def test_a_recording_is_a_repeat_for_ever_and_so_is_an_id() -> None:
    body = b'{"event": "order.completed", "order": "ord_X"}'
    headers = headers_of(body)
    del headers["X-NotPanel-Delivery"]
    assert deliver(body=body, headers={**headers}).status_code == 200
    time_passes(2 * WINDOW)
    assert deliver(body=body, headers={**headers}).status_code == 200
    named = b'{"event": "order.completed", "order": "ord_Y", "event_id": "evt_1"}'
    for late in (0, 1):
        deliver_without_id(named, late=late)
        time_passes(2 * WINDOW)
    assert [delivery.upstream_id for delivery in stored()] == ["ord_X", "ord_Y"]


def test_a_batch_with_ids_costs_no_further_query() -> None:
    def count_queries(*keys: str) -> int:
        with CaptureQueriesContext(connection) as queries:
            Delivery.objects.insert(Arrival(key, key, "{}", timezone.now()) for key in keys)
        return len(queries)

    assert count_queries("a", "b", "c") == 1
    assert count_queries("body:a", "body:b") == 2

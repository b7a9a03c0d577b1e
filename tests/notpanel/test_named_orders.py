"""Wherever a delivery names its order, it is found; and an id that is the order's own is not the delivery's."""

import json
from typing import Any

import pytest

from panel.notpanel.signing import read

COMPLETED = {"event": "order.completed"}
# A body, and the order and the delivery's id that it names.
NAMED: list[tuple[dict[str, Any], str, str]] = [
    ({**COMPLETED, "id": "ord_X", "status": "completed"}, "ord_X", ""),
    ({**COMPLETED, "orderId": "ord_X"}, "ord_X", ""),
    ({**COMPLETED, "payload": {"order": "ord_X"}}, "ord_X", ""),
    ({**COMPLETED, "orderID": "ord_X"}, "ord_X", ""),
    ({**COMPLETED, "ORDER_ID": "ord_X"}, "ord_X", ""),
    ({**COMPLETED, "order-id": "ord_X"}, "ord_X", ""),
    ({**COMPLETED, "Order": {"Id": "ord_X"}}, "ord_X", ""),
    ({**COMPLETED, "payload": {"orderId": "ord_X"}, "id": "evt_1"}, "ord_X", "evt_1"),
    ({**COMPLETED, "payload": {"order": {"id": "ord_X"}}, "eventId": "e1"}, "ord_X", "e1"),
    ({**COMPLETED, "payload": {"id": "ord_X"}}, "ord_X", ""),
    ({**COMPLETED, "data": {"orderId": "ord_X"}, "id": 5}, "ord_X", "5"),
    ({**COMPLETED, "object": {"id": "ord_X"}}, "ord_X", ""),
    ({**COMPLETED, "data": {"object": {"order_id": "ord_X"}}}, "ord_X", ""),
    ({**COMPLETED, "data": {"attributes": {"order": "ord_X"}}}, "ord_X", ""),
    ({"event": {"type": "order.completed", "order": "ord_X", "id": "evt_1"}}, "ord_X", ""),
    ({**COMPLETED, "body": {"order": "ord_X"}}, "ord_X", ""),
    ({**COMPLETED, "resource": {"id": "ord_X"}}, "ord_X", ""),
    ({**COMPLETED, "id": "ord_X", "event_id": "evt_1"}, "ord_X", "evt_1"),
    ({**COMPLETED, "id": "ord_X", "order": "ord_X"}, "ord_X", ""),
    ({**COMPLETED, "id": 4711}, "4711", ""),
    ({"type": "status", "id": "ord_X"}, "ord_X", ""),
    ({**COMPLETED, "subject": "ord_X"}, "ord_X", ""),
    ({**COMPLETED, "orders": ["ord_X"]}, "ord_X", ""),
    # …and what names no order, or not this one.
    ({**COMPLETED, "id": "evt_1"}, "", "evt_1"),
    ({**COMPLETED, "id": "0b54f3a2-3a83-4f0e-a8f0-0d6e0e8f1d2c"}, "", "0b54f3a2-3a83-4f0e-a8f0-0d6e0e8f1d2c"),
    ({**COMPLETED, "id": "evt_1", "order": "ord_X"}, "ord_X", "evt_1"),
    ({"event": "ping", "id": "ping_1", "data": {}}, "", "ping_1"),
    ({"event": "ping", "id": 17}, "", "17"),
    ({"event": "balance.low", "id": "evt_2", "payload": {"balance": "3.20"}}, "", "evt_2"),
    ({"event": {"id": "evt_1", "type": "ping"}}, "", ""),
    ({**COMPLETED, "orders": ["ord_X", "ord_Y"]}, "", ""),
    ({**COMPLETED, "note": "about ord_X, and more"}, "", ""),
    ({"event": "order_completed"}, "", ""),
    ({"event": "orders-export.ready", "id": 17}, "", "17"),
    ({**COMPLETED, "id": "ord_<b>"}, "", "ord_<b>"),
    ({**COMPLETED, "id": True, "order": True}, "", ""),
]


@pytest.mark.parametrize(("body", "order", "id"), NAMED, ids=lambda value: json.dumps(value)[:60])
def test_the_order_is_found_wherever_a_delivery_names_it(body: dict[str, Any], order: str, id: str) -> None:
    contents = read({}, json.dumps(body).encode())
    assert (contents.order, contents.id) == (order, id)


@pytest.mark.parametrize(("body", "event", "status"), [
    ({"payload": {"event": "order.failed", "status": "refunded"}}, "order.failed", "refunded"),
    ({"eventType": "order.failed", "order": {"id": 1, "status": "partial"}}, "order.failed", "partial"),
    ({"event": {"type": "order.failed", "status": "partial"}}, "order.failed", "partial"),
    ({"event_name": "order.failed", "newStatus": "refunded"}, "order.failed", "refunded"),
    ({"topic": "order.failed", "payload": {"order_status": "refunded"}}, "order.failed", "refunded"),
])  # fmt: skip
def test_so_are_its_event_and_its_status(body: dict[str, Any], event: str, status: str) -> None:
    contents = read({}, json.dumps(body).encode())
    assert (contents.event, contents.status) == (event, status)

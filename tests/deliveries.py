"""Makes deliveries as upstream would send them, and delivers them to the desk's endpoint."""

import json
import time
from itertools import count
from typing import Any

from django.test import Client

from orders.models import Delivery
from panel.notpanel.signing import sign

ENDPOINT_PATH = "/webhooks/notpanel/"
SECRET, OLDER = "whsec_tests_newer_0123456789", "whsec_tests_older_0123456789"
_number = count(1)


def body_of(order: str = "", event: str = "order.completed", status: str = "completed", **more: Any) -> bytes:
    """A delivery's body: about this order of upstream's, or about the balance if `order` is ""."""
    data = {"order": order, "status": status} if order else {"balance": "12.34", "currency": "USD"}
    usual = {"id": f"evt_{next(_number)}", "event": event, "created": int(time.time()), "data": data}
    return json.dumps(usual | more).encode()


def headers_of(
    body: bytes, *, secret: str = SECRET, late: float = 0, delivery: str = "", more: dict[str, str] | None = None
) -> dict[str, str]:
    """The headers of a delivery with this body, signed `late` seconds ago."""
    signed = sign(body, secret, int(time.time() - late), delivery=delivery or f"dlv_{next(_number)}")
    return {"Content-Type": "application/json", **signed, **(more or {})}


def deliver(order: str = "", *, body: bytes | None = None, headers: dict[str, str] | None = None, **fields: Any) -> Any:
    """Delivers, and returns the endpoint's answer. A body or headers that are given are sent as they are."""
    body = body_of(order, **fields) if body is None else body
    headers = headers_of(body) if headers is None else headers
    content_type = headers.pop("Content-Type", "application/json")
    return Client().post(ENDPOINT_PATH, body, content_type=content_type, headers=headers)


def stored() -> list[Delivery]:
    """All deliveries in the database, in the order in which they came in."""
    return list(Delivery.objects.order_by("pk"))

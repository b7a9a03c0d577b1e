"""Deliveries as upstream would send them, and how they are sent to the desk's door."""

import json
import time
from itertools import count
from typing import Any

from django.test import Client

from orders.models import Delivery
from panel.notpanel.signing import sign

DOOR = "/webhooks/notpanel/"
SECRET, OLDER = "whsec_tests_newer_0123456789", "whsec_tests_older_0123456789"
_number = count(1)


def body_of(order: str = "", event: str = "order.completed", status: str = "completed", **said: Any) -> bytes:
    """What upstream says; with `order` "" about the balance."""
    data = {"order": order, "status": status} if order else {"balance": "12.34", "currency": "USD"}
    usual = {"id": f"evt_{next(_number)}", "event": event, "created": int(time.time()), "data": data}
    return json.dumps(usual | said).encode()


def headers_of(
    body: bytes, *, secret: str = SECRET, late: float = 0, delivery: str = "", more: dict[str, str] | None = None
) -> dict[str, str]:
    """Signed just now, or so many seconds ago."""
    signed = sign(body, secret, int(time.time() - late), delivery=delivery or f"dlv_{next(_number)}")
    return {"Content-Type": "application/json", **signed, **(more or {})}


def ring(order: str = "", *, body: bytes | None = None, headers: dict[str, str] | None = None, **said: Any) -> Any:
    """The door's answer to a delivery; a body or headers that are given go as they are."""
    body = body_of(order, **said) if body is None else body
    headers = headers_of(body) if headers is None else headers
    kind = headers.pop("Content-Type", "application/json")
    return Client().post(DOOR, body, content_type=kind, headers=headers)


def kept() -> list[Delivery]:
    return list(Delivery.objects.order_by("pk"))

"""A supplier in memory that answers at once and well, behind the client, meter and records that a worker has."""

from collections.abc import Mapping
from itertools import count
from typing import Any
from urllib.parse import parse_qs

from catalog.models import Service
from orders.models import Order
from panel.notpanel.client import Client
from panel.upstream.call_budget import Meter
from panel.upstream.client import record_call

# What is told of an order of which nothing else is.
BEGUN = {"status": "pending", "charge": "0.90", "start_count": "0", "remains": "100", "currency": "USD"}


class ReadySupplier(Client):
    """The client with answers that are there at once.

    `told` is what it says of some orders, by upstream id; `listed` are the rows of its catalog.
    """

    def __init__(self) -> None:
        super().__init__("http://127.0.0.1:1/nowhere", "key", on_call=record_call, meter=Meter())
        self.told: Mapping[str, dict[str, Any]] = {}
        self.listed: list[dict[str, Any]] = []
        self._numbers = count(1)

    def _answer(self, action: str) -> object:
        call = self._current_call
        call.http_status, call.headers = 200, {}
        fields = {name: values[0] for name, values in parse_qs((call.form or b"").decode()).items()}
        ids = fields.get("orders", fields.get("order", "")).split(",")
        if action == "add":
            return {"order": f"ord_new{next(self._numbers)}"}
        if action == "status":
            told = {upstream_id: self.told.get(upstream_id, BEGUN) for upstream_id in ids}
            return told if "orders" in fields else told[ids[0]]
        if action in ("refill", "cancel"):
            made = [{"order": upstream_id, action: self._made(action, upstream_id)} for upstream_id in ids]
            return made if "orders" in fields else made[0]
        if action == "balance":
            return {"balance": "400.00", "currency": "USD"}
        assert action == "services", action
        return self.listed

    def _made(self, action: str, upstream_id: str) -> str:
        return f"ref_new{next(self._numbers)}" if action == "refill" else upstream_id


def answer_of(order: Order, **moved: Any) -> dict[str, Any]:
    """What is told of an order that stands as the desk knows it, but for what has `moved`."""
    return {
        "status": order.status, "charge": str(order.charge), "start_count": str(order.start_count),
        "remains": str(order.remains), "currency": order.currency, **moved,
    }  # fmt: skip


def catalog_row(service: Service) -> dict[str, Any]:
    """The service as the catalog lists it."""
    return {
        "service": service.upstream_id, "name": service.name, "type": service.type, "category": service.category,
        "rate": str(service.rate), "min": str(service.minimum), "max": str(service.maximum),
        "refill": service.refill, "cancel": service.cancel, "dripfeed": service.dripfeed,
    }  # fmt: skip

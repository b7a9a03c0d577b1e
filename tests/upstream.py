"""An upstream for tests: the sandbox on a free loopback port, with its control commands as methods."""

import http.client
import json
import shutil
import socket
import tempfile
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode, urlsplit

import pytest

from panel.notpanel.errors import NotPanelError
from panel.notpanel.sandbox.faults.rules import EVERY_ACTION
from panel.notpanel.sandbox.http import books, control
from panel.notpanel.sandbox.http.server import Sandbox
from panel.notpanel.sandbox.world.limits import Limits
from panel.notpanel.sandbox.world.supplier import DEFAULT_KEY, Patience, Supplier

SERVICE = 104  # Instagram followers, Default, 1.13 USD, 50 to 500,000, with refill, cancel and drip-feed
NO_LIMIT = 1_000_000  # calls a minute: tests of limits set their own


def soon(happened: Callable[[], bool], seconds: float = 10) -> bool:
    """Whether something happens within so many seconds, which allow for a busy machine."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if happened():
            return True
        time.sleep(0.005)
    return False


class Reply(NamedTuple):
    """One answer of the API; `content` is its JSON."""

    status: int
    headers: http.client.HTTPMessage
    content: Any


class Upstream:
    """A real server over a real socket, for one test.

    Its clock stands still until `advance` (or another `speed`), so nothing moves unless the test wants it.
    Every method may be called from any thread.
    """

    key = DEFAULT_KEY

    def __init__(
        self,
        *,
        speed: float = 0,
        balance: str = "500",
        limits: Limits | None = None,
        keys: tuple[str, ...] = (DEFAULT_KEY,),
        local_webhooks: bool = False,
        patience: Patience | None = None,
    ) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="upstream-"))
        self._limits = limits or Limits(NO_LIMIT, NO_LIMIT, NO_LIMIT)
        self._keys, self._speed, self._balance = keys, speed, balance
        self._local_webhooks, self._patience = local_webhooks, patience
        self._port = 0
        self.start()

    def __enter__(self) -> "Upstream":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    # -- being there, or not

    def start(self) -> None:
        """Listens, after a `stop` on the same port and with the same store; faults and call counts start anew."""
        self.supplier = Supplier(
            str(self._folder / "sandbox.sqlite3"),
            keys=self._keys,
            speed=self._speed if self._port == 0 else None,
            balance=self._balance,
            limits=self._limits,
            durable=False,
            local_webhooks=self._local_webhooks,
            patience=self._patience,
        )
        self._sandbox = Sandbox(self.supplier, port=self._port).start()
        self._port, self.url = self._sandbox.port, self._sandbox.url
        self.control_url = self._sandbox.control

    def stop(self) -> None:
        """Refuses connections and hangs up on those that are open; `start` brings it back."""
        self._sandbox.close()
        self.supplier.close()

    def restart(self) -> None:
        """Stops, and starts again at once."""
        self.stop()
        self.start()

    def copy_to(self, store: Path) -> None:
        """Copies the store to a file, for a sandbox in a process of its own."""
        self.stop()
        shutil.copy(self._folder / "sandbox.sqlite3", store)
        self.start()

    # -- calling it without our client

    def post(self, action: str, *, key: str | None = None, **form: Any) -> Reply:
        """Makes one call over a connection of its own, with the usual key unless another is given."""
        fields = {"key": self.key if key is None else key, "action": action} | form
        connection = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=10)
        try:
            headers = {"Content-Type": "application/x-www-form-urlencoded"}
            connection.request("POST", urlsplit(self.url).path, urlencode(fields), headers)
            answer = connection.getresponse()
            return Reply(answer.status, answer.headers, json.loads(answer.read()))
        finally:
            connection.close()

    def place(self, **form: Any) -> str:
        """Places a believable order, with these fields of its form replaced; its id."""
        usual: dict[str, Any] = {"service": SERVICE, "link": "https://instagram.com/p/1", "quantity": 1000}
        reply = self.post("add", **(usual | {"request_id": uuid.uuid4().hex} | form))
        assert reply.status == 200, reply.content
        return str(reply.content["order"])

    # -- what goes wrong

    def will(self, fault: str, action: str = EVERY_ACTION, times: int | None = 1, **details: Any) -> None:
        """The next `times` calls of `action` (None: for ever) meet this fault; call_faults.py lists its details."""
        self._do("faults", fault=fault, action=action, times=times, **details)

    def behaves(self) -> None:
        """Lifts every fault of the API and the suspension."""
        self._do("faults/lifted")
        self.suspended(False)

    def suspended(self, on: bool = True) -> None:
        """Suspends the account, or lifts the suspension."""
        self._do("suspension", on=on)

    def revoke(self, key: str) -> None:
        """The key stops working."""
        self._do("keys", revoke=key)

    def accept(self, key: str) -> None:
        """The key works from now on."""
        self._do("keys", add=key)

    def forget(self, request_id: str | None = None) -> None:
        """Forgets one request_id or all of them, as a supplier with a short memory would."""
        self._do("forgotten", request_id=request_id)

    # -- time, money, goods

    def advance(self, *, days: float = 0, hours: float = 0, minutes: float = 0, seconds: float = 0) -> None:
        """Moves the sandbox's clock forward."""
        self._do("clock", advance=((days * 24 + hours) * 60 + minutes) * 60 + seconds)

    def run_at(self, speed: float) -> None:
        """Sets how many seconds of the sandbox's clock pass in a second."""
        self._do("clock", speed=speed)

    def set_balance(self, usd: object) -> None:
        """Sets the money on the account."""
        self._do("balance", amount=str(usd))

    def set_price(self, service: int, rate: str) -> None:
        """Sets a service's rate in USD per 1000."""
        self._do("prices", service=service, rate=rate)

    def set_service(self, service: int, **changes: object) -> None:
        """Changes flags (refill, cancel, dripfeed, active), minimum, maximum, name, category or type."""
        self._do("services", service=service, **changes)

    def vanish(self, service: int) -> None:
        """Takes a service off the list."""
        self._do("services", service=service, active=False)

    def bring_back(self, service: int) -> None:
        """Puts a service that vanished back on the list."""
        self._do("services", service=service, active=True)

    def catalog_is(self, rows: object) -> None:
        """`services` answers exactly this, and readable rows can be ordered; None: the usual list again."""
        self._do("catalog", rows=rows)

    def catalog_keeps(self, first: int | None) -> None:
        """`services` answers with so many rows only; None: all of them again."""
        self._do("catalog", keep=first)

    def set_status(self, order_id: str, status: str, **values: object) -> None:
        """Puts an order into a status for good; `status` then answers `remains`, `charge`, … as they are given."""
        self._do("orders", order=order_id, status=status, **values)

    # -- webhooks

    def add_endpoint(self, url: str, secret: str = "", events: str = "") -> dict[str, Any]:
        """Delivers to this loopback or public https address from now on; its id, and a secret if none was given."""
        return self._do("webhooks", url=url, secret=secret, events=events)

    def remove_endpoint(self, webhook: str) -> None:
        """Delivers no more to the endpoint with this id."""
        self._do("webhooks/removed", id=webhook)

    def send_event(self, order_id: str = "", *, status: str = "", event: str = "") -> str:
        """Delivers an event now: a ping, or an order's true status unless another is given; the event's id."""
        return str(self._do("webhooks/ring", order=order_id, status=status, event=event)["delivery"])

    def will_deliver(self, fault: str, event: str = EVERY_ACTION, times: int | None = 1, **details: Any) -> None:
        """The next `times` deliveries of `event` (None: for ever) meet this fault; delivery_faults.py lists details."""
        self._do("webhooks/faults", fault=fault, event=event, times=times, **details)

    def delivers_well(self) -> None:
        """Lifts all of these faults; what was held back goes out, in reverse order."""
        self._do("webhooks/faults/lifted")

    def low_balance_is(self, usd: object) -> None:
        """Sets the threshold below which the balance is low."""
        self._do("balance/low", amount=str(usd))

    def deliveries(self) -> list[dict[str, Any]]:
        """The books' deliveries, oldest first: event, order, tries, state and what the last try came to."""
        return list(reversed(self.books()["deliveries"]))

    # -- what happened

    def books(self) -> dict[str, Any]:
        """Everything the supplier knows to be true; see sandbox/http/books.py."""
        return books.books(self.supplier)

    def orders(self) -> list[dict[str, Any]]:
        """The books' orders, newest first."""
        return list(self.books()["orders"])

    def order(self, order_id: str) -> dict[str, Any]:
        """The books' row of one order."""
        return next(row for row in self.orders() if row["order"] == order_id)

    def connections(self) -> int:
        """How many connections of callers are open."""
        return len(self._sandbox._server._open)

    def calls(self, action: str | None = None) -> int:
        """How often an action was called since the start, faults and refusals included; None: all together."""
        counted = self.supplier.calls.by_action
        return counted.total() if action is None else counted[action]

    def _do(self, command: str, **fields: Any) -> dict[str, Any]:
        return control.run(self.supplier, command, fields)


def trouble_of(call: Callable[[], object]) -> NotPanelError:
    """The trouble that a call ends in; fails when it goes well."""
    with pytest.raises(NotPanelError) as caught:
        call()
    return caught.value


def free_port() -> int:
    """A port of this machine where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
    return port

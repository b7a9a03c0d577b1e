"""One supplier with one account: its store, clock, keys, limits, faults and the counts of its calls."""

import threading
from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from panel.notpanel.sandbox.faults.call_faults import FAULTS
from panel.notpanel.sandbox.faults.delivery_faults import DELIVERY_FAULTS
from panel.notpanel.sandbox.faults.rules import Rules
from panel.notpanel.sandbox.world import charges, events, services
from panel.notpanel.sandbox.world.clock import Clock
from panel.notpanel.sandbox.world.limits import Limits
from panel.notpanel.sandbox.world.outbox import Outbox
from panel.notpanel.sandbox.world.store import Store

DEFAULT_KEY = "sandbox-key"
KEYS_PER_ACCOUNT = 10  # documented
BALANCE_CACHE_SECONDS = 30.0  # documented; of the sandbox's clock
RECENT_CALLS = 200  # enough to follow a rehearsal on the control page
OPENING_BALANCE = "500"  # USD


class Call(NamedTuple):
    """One call that arrived. `status` is the HTTP status it was answered with, 0 when there was no answer."""

    at: float  # Unix seconds, wall clock
    action: str
    status: int
    said: str  # the error text, if any
    fault: str
    milliseconds: float


class Patience(NamedTuple):
    """How long the supplier waits for endpoints, and between its tries to deliver."""

    pauses: float = 1.0  # a factor on the pauses between two tries: 0.01 lets a test see the last
    answer: float = 5.0  # seconds for one answer


@dataclass(slots=True)
class Calls:
    """How often each action was called since this sandbox started, and the latest calls."""

    by_action: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    recent: deque[Call] = field(default_factory=lambda: deque(maxlen=RECENT_CALLS))
    # (action, order) → how often a refill or cancel came through to it, whatever became of it and of the answer.
    named: Counter[tuple[str, str]] = field(default_factory=Counter)
    elsewhere: int = 0  # requests to addresses that are neither the API nor the control page
    lock: threading.Lock = field(default_factory=threading.Lock)

    def count(self, action: str) -> None:
        """Counts a call that has arrived."""
        with self.lock:
            self.by_action[action] += 1

    def count_orders(self, action: str, orders: Iterable[str]) -> None:
        """Counts a refill or cancel for each order that it came through to."""
        with self.lock:
            self.named.update((action, order) for order in orders)

    def count_elsewhere(self) -> None:
        """Counts a request to an address where nothing is."""
        with self.lock:
            self.elsewhere += 1

    def note(self, call: Call) -> None:
        """Keeps a call that was answered, or got no answer, among the latest."""
        with self.lock:
            self.refused[call.action] += call.status >= 400
            self.recent.append(call)


class Supplier:
    """Everything that the server, the API, the courier and the control page share."""

    def __init__(
        self,
        path: str,
        *,
        keys: tuple[str, ...] = (DEFAULT_KEY,),
        speed: float | None = None,
        balance: str = OPENING_BALANCE,
        limits: Limits | None = None,
        durable: bool = True,
        local_webhooks: bool = False,
        patience: Patience | None = None,
    ) -> None:
        """Opens or makes the store; `balance` (USD) counts only for a new one. ValueError for values that cannot be.

        With `local_webhooks` an endpoint may also be plain http on loopback: for a rehearsal on this machine.
        """
        self.keys: set[str] = set()
        for key in keys:
            self.add_key(key)
        opening = charges.units(balance)
        self.store = Store(path, durable=durable)
        self.outbox = Outbox(self.store)
        self.clock = Clock(self.store, speed)
        self.limits = limits or Limits()
        self.faults, self.delivery_faults = Rules(FAULTS), Rules(DELIVERY_FAULTS)
        self.local_webhooks, self.patience = local_webhooks, patience or Patience()
        self.calls = Calls()
        self._cached_balance: tuple[float, int] | None = None
        if self.store.new:
            with self.store.writing():
                self.store.put_services(services.catalog())
                self.set_balance(opening)

    def add_key(self, key: str) -> None:
        """Activates a key; ValueError when it is empty or there are as many as an account may have."""
        if not key:
            raise ValueError("A key cannot be empty")
        if len(self.keys | {key}) > KEYS_PER_ACCOUNT:
            raise ValueError(f"At most {KEYS_PER_ACCOUNT} keys are active per account")
        self.keys.add(key)

    def seed(self, number: int) -> str:
        """The seed that plans the life of the order with this number in this store."""
        return f"{self.store.setting('seed')}/{number}"

    @property
    def suspended(self) -> bool:
        """Whether the account is suspended."""
        return self.store.setting("suspended") == "yes"

    def suspend(self, on: bool) -> None:
        """Suspends the account or lifts the suspension."""
        self.store.set("suspended", "yes" if on else None)

    def balance(self) -> int:
        """Money on the account this moment, in units: what `add` is paid from."""
        self.store.credit_refunds(self.clock.now())
        return self.store.balance()

    def cached_balance(self) -> int:
        """The balance as `balance` answers it: up to 30 seconds old."""
        now, cached = self.clock.now(), self._cached_balance
        if cached is None or now - cached[0] >= BALANCE_CACHE_SECONDS:
            cached = self._cached_balance = (now, self.balance())
        return cached[1]

    def set_balance(self, amount: int) -> None:
        """Pays in or takes out until the account holds `amount` units; the difference counts as deposited."""
        with self.store.writing():
            change = amount - self.balance()
            self.move_balance(change)
            self.store.set("deposited", str(self.deposited() + change))
            self._cached_balance = None

    def move_balance(self, by: int) -> None:
        """Adds so many units to the account, and queues an event when that makes it low. Refunds need not come here."""
        with self.store.writing():
            before = self.store.balance()
            self.store.move_balance(by)
            events.queue_low_balance(self.outbox, before, before + by)

    def deposited(self) -> int:
        """Units that were ever paid in; always equals balance + charges − refunds."""
        return int(self.store.setting("deposited") or 0)

    def close(self) -> None:
        """Closes the store; no other method works afterwards."""
        self.store.close()

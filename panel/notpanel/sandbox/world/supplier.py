"""One supplier with one account: its store, clock, keys, limits, faults and the count of its calls."""

import threading
import time
from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from panel.notpanel.sandbox.faults.delivery_faults import KINDS
from panel.notpanel.sandbox.faults.rules import Faults
from panel.notpanel.sandbox.world import charges, events, services
from panel.notpanel.sandbox.world.clock import Clock
from panel.notpanel.sandbox.world.limits import Limits
from panel.notpanel.sandbox.world.outbox import Outbox
from panel.notpanel.sandbox.world.store import Store

DEFAULT_KEY = "sandbox-key"
KEYS_PER_ACCOUNT = 10  # documented
BALANCE_CACHE_SECONDS = 30.0  # documented; seconds of the sandbox clock
RECENT_CALLS = 200  # enough to follow a rehearsal on the control page
OPENING_BALANCE = "500"


class Call(NamedTuple):
    """One call that arrived. `status` is the HTTP status it was answered with, 0 when there was no answer."""

    at: float  # Unix seconds, wall clock
    action: str
    status: int
    said: str  # the error text, if any
    fault: str
    milliseconds: float


class Patience(NamedTuple):
    """With endpoints that do not take what is delivered."""

    pauses: float = 1.0  # a factor on the pauses between two tries: 0.01 lets a test see the last
    answer: float = 5.0  # seconds for one answer


@dataclass(slots=True)
class Calls:
    """How often each action was called since this sandbox started, and the latest calls."""

    by_action: Counter[str]
    refused: Counter[str]
    recent: deque[Call]
    # (action, order) → how often a refill or cancel came through to it, whatever became of it and of the answer.
    named: Counter[tuple[str, str]]
    elsewhere: int  # requests to addresses that are neither the API nor the control page
    lock: threading.Lock

    def arrived(self, action: str) -> None:
        with self.lock:
            self.by_action[action] += 1

    def names(self, action: str, orders: Iterable[str]) -> None:
        with self.lock:
            self.named.update((action, order) for order in orders)

    def note(self, call: Call) -> None:
        with self.lock:
            self.refused[call.action] += call.status >= 400
            self.recent.append(call)


class Supplier:
    """What the HTTP floor, the contract and the control page share."""

    def __init__(
        self,
        path: str,
        *,
        keys: tuple[str, ...] = (DEFAULT_KEY,),
        speed: float | None = None,
        balance: str = OPENING_BALANCE,
        limits: Limits | None = None,
        balance_cache: float = BALANCE_CACHE_SECONDS,
        durable: bool = True,
        local_webhooks: bool = False,
        patience: Patience | None = None,
    ) -> None:
        """Opens or makes the store; `balance` (USD) counts only for a new one. ValueError for a wrong wish.

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
        self.faults, self.mischief = Faults(), Faults(KINDS)
        self.local_webhooks, self.patience = local_webhooks, patience or Patience()
        self.calls = Calls(Counter(), Counter(), deque(maxlen=RECENT_CALLS), Counter(), 0, threading.Lock())
        self._balance_cache = balance_cache
        self._balance_said: tuple[float, int] | None = None
        if self.store.new:
            with self.store.writing():
                self.store.put_services(services.catalog())
                self.set_balance(opening)

    def add_key(self, key: str) -> None:
        if not key:
            raise ValueError("A key cannot be empty")
        if len(self.keys | {key}) > KEYS_PER_ACCOUNT:
            raise ValueError(f"At most {KEYS_PER_ACCOUNT} keys are active per account")
        self.keys.add(key)

    def seed(self, number: int) -> str:
        """What decides the fate of the order with this number in this store."""
        return f"{self.store.setting('seed')}/{number}"

    @property
    def suspended(self) -> bool:
        return self.store.setting("suspended") == "yes"

    def suspend(self, on: bool) -> None:
        self.store.set("suspended", "yes" if on else None)

    def balance(self) -> int:
        """Money on the account this moment, in units: what `add` is paid from."""
        self.store.credit_refunds(self.clock.now())
        return self.store.balance()

    def balance_as_told(self) -> int:
        """The balance as `balance` answers it: up to 30 seconds old."""
        now = self.clock.now()
        said = self._balance_said
        if said is None or now - said[0] >= self._balance_cache:
            said = self._balance_said = (now, self.balance())
        return said[1]

    def set_balance(self, amount: int) -> None:
        """Pay in or take out until the account holds `amount` units; the books keep what was paid in."""
        with self.store.writing():
            change = amount - self.balance()
            self.move_balance(change)
            self.store.set("deposited", str(self.deposited() + change))
            self._balance_said = None

    def move_balance(self, by: int) -> None:
        """Money moves, and whoever listens hears when there is little left. Refunds need not come this way."""
        with self.store.writing():
            before = self.store.balance()
            self.store.move_balance(by)
            events.balance_moved(self.outbox, before, before + by)

    def deposited(self) -> int:
        """All that was ever paid in, in units: balance + charges − refunds, always."""
        return int(self.store.setting("deposited") or 0)

    def close(self) -> None:
        self.store.close()


def timed(action: str, status: int, said: str, fault: str, began: float) -> Call:
    """A call that began at `began` of `time.perf_counter()` and ended now."""
    return Call(time.time(), action, status, said, fault, (time.perf_counter() - began) * 1000)

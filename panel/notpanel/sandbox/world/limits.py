"""Three layers of rate limits: per IP, per key and per account tier, in fixed minutes."""

import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import NamedTuple

WINDOW_SECONDS = 60
IP_PER_MINUTE = 300  # documented
KEY_PER_MINUTE = 100  # documented as typical
TIER_PER_MINUTE = 200  # not documented: low enough that three busy keys of one account meet it


class Standing(NamedTuple):
    """Where a caller stands after a call: the layer that denied it ("", "ip", "key" or "tier"), and the rate-limit
    headers of the answer."""

    denied_by: str
    headers: dict[str, str]


class Limits:
    """Counts calls by layer; the first layer that is used up denies. `per_minute` can be changed at any time."""

    def __init__(
        self,
        ip: int = IP_PER_MINUTE,
        key: int = KEY_PER_MINUTE,
        tier: int = TIER_PER_MINUTE,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`clock` returns Unix seconds: another one than the wall's lets a rehearsal run its minutes faster."""
        self.per_minute = {"ip": ip, "key": key, "tier": tier}
        self._clock = clock
        self._lock = threading.Lock()
        self._minute = 0
        self._taken: Counter[tuple[str, str]] = Counter()

    def admit_ip(self, ip: str) -> Standing:
        """Counts one call from an address, before anybody looks at its key."""
        return self._admit(("ip", ip))

    def admit_key(self, key: str) -> Standing:
        """Counts one call of a known key, then of its account's tier."""
        return self._admit(("key", key), ("tier", ""))

    def _admit(self, *callers: tuple[str, str]) -> Standing:
        """Counts a call in each (layer, name) until one is used up; the standing there, or in the first."""
        with self._lock:
            minute = int(self._clock()) // WINDOW_SECONDS
            if minute != self._minute:
                self._minute = minute
                self._taken.clear()
            denied = next((caller for caller in callers if not self._take(caller)), None)
            denied_by, caller = denied[0] if denied else "", denied or callers[0]
            headers = {
                "X-RateLimit-Limit": str(self.per_minute[caller[0]]),
                "X-RateLimit-Remaining": str(self._left(caller)),
                "X-RateLimit-Reset": str((minute + 1) * WINDOW_SECONDS),
                "X-RateLimit-Tier-Remaining": str(self._left(("tier", ""))),
            }
            return Standing(denied_by, headers | ({"X-RateLimit-DeniedBy": denied_by} if denied_by else {}))

    def _left(self, caller: tuple[str, str]) -> int:
        return max(0, self.per_minute[caller[0]] - self._taken[caller])

    def _take(self, caller: tuple[str, str]) -> bool:
        if not self._left(caller):
            return False
        self._taken[caller] += 1
        return True

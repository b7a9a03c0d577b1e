"""Three layers of rate limits: per IP, per key and per account tier, in fixed minutes."""

import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

WINDOW_SECONDS = 60
IP_PER_MINUTE = 300  # documented
KEY_PER_MINUTE = 100  # documented as typical
TIER_PER_MINUTE = 200  # not documented: low enough that three busy keys of one account meet it


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a caller stands after a call; `denied_by` is "", "ip", "key" or "tier"."""

    limit: int
    remaining: int
    reset: int  # Unix seconds, by the limits' clock
    tier_remaining: int
    denied_by: str = ""

    def headers(self) -> dict[str, str]:
        named = {
            "X-RateLimit-Limit": str(self.limit),
            "X-RateLimit-Remaining": str(self.remaining),
            "X-RateLimit-Reset": str(self.reset),
            "X-RateLimit-Tier-Remaining": str(self.tier_remaining),
        }
        return named | ({"X-RateLimit-DeniedBy": self.denied_by} if self.denied_by else {})


class Limits:
    """Counts calls by layer; the first layer that is used up denies. The numbers can be changed at any time."""

    def __init__(
        self,
        ip: int = IP_PER_MINUTE,
        key: int = KEY_PER_MINUTE,
        tier: int = TIER_PER_MINUTE,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`clock` tells Unix seconds: another one than the wall's lets a rehearsal run its minutes faster."""
        self.ip, self.key, self.tier = ip, key, tier
        self._clock = clock
        self._lock = threading.Lock()
        self._minute = 0
        self._taken: Counter[str] = Counter()

    def admit_ip(self, ip: str) -> Standing:
        """Count one call from an address, before anybody looks at its key."""
        with self._lock:
            self._turn()
            denied = "" if self._take(f"ip {ip}", self.ip) else "ip"
            return self._standing(f"ip {ip}", self.ip, denied)

    def admit_key(self, key: str) -> Standing:
        """Count one call of a key that is known, then of its account's tier."""
        with self._lock:
            self._turn()
            if not self._take(f"key {key}", self.key):
                return self._standing(f"key {key}", self.key, "key")
            if not self._take("tier", self.tier):
                return self._standing("tier", self.tier, "tier")
            return self._standing(f"key {key}", self.key, "")

    def _turn(self) -> None:
        minute = int(self._clock()) // WINDOW_SECONDS
        if minute != self._minute:
            self._minute = minute
            self._taken.clear()

    def _take(self, name: str, limit: int) -> bool:
        if self._taken[name] >= limit:
            return False
        self._taken[name] += 1
        return True

    def _standing(self, name: str, limit: int, denied_by: str) -> Standing:
        return Standing(
            limit=limit,
            remaining=max(0, limit - self._taken[name]),
            reset=(self._minute + 1) * WINDOW_SECONDS,
            tier_remaining=max(0, self.tier - self._taken["tier"]),
            denied_by=denied_by,
        )

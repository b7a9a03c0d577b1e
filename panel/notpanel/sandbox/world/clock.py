"""The sandbox's own clock: runs at a chosen speed, jumps forward on request, survives a restart, never goes back."""

import json
import time

from panel.notpanel.sandbox.world.store import Store

LARGEST_SPEED = 100_000.0  # more than a day a second; beyond that every order ends between two looks


class Clock:
    """Sandbox seconds. Speed 60 is an hour a minute; speed 0 stands still until told to advance."""

    def __init__(self, store: Store, speed: float | None) -> None:
        """`speed` None goes on at the speed that the store remembers (1 when it is new)."""
        self._store = store
        wall = time.time()
        kept = json.loads(store.setting("clock") or "null") or {"now": wall, "wall": wall, "speed": 1.0}
        # While the sandbox was off, its time went on as if it had not been; a wall clock set back is no reason
        # to go back with it.
        now = kept["now"] + max(0.0, wall - kept["wall"]) * kept["speed"]
        self._set(now, kept["speed"] if speed is None else speed)

    @property
    def speed(self) -> float:
        return self._hand[2]

    def now(self) -> float:
        """Seconds since 1970 by the sandbox's reckoning."""
        then, ticks, speed = self._hand
        return then + (time.monotonic() - ticks) * speed

    def run_at(self, speed: float) -> None:
        """Change speed from this moment on: nothing that has happened is undone."""
        with self._store.writing():
            self._set(self.now(), speed)

    def advance(self, seconds: float) -> None:
        """Jump forward; raises ValueError for a jump back."""
        if not 0 <= seconds < float("inf"):
            raise ValueError("The clock only goes forward")
        with self._store.writing():
            self._set(self.now() + seconds, self.speed)

    def _set(self, now: float, speed: float) -> None:
        if not 0 <= speed <= LARGEST_SPEED:
            raise ValueError(f"Speed must be between 0 and {LARGEST_SPEED:g}")
        # One tuple, so that a reader in another thread never sees half a change.
        self._hand = (now, time.monotonic(), speed)
        self._store.set("clock", json.dumps({"now": now, "wall": time.time(), "speed": speed}))

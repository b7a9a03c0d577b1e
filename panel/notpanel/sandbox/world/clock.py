"""The sandbox's own clock: it runs at a chosen speed, jumps forward on request, and goes on after a restart."""

import json
import time

from panel.notpanel.sandbox.world.store import Store

LARGEST_SPEED = 100_000.0  # more than a day a second; beyond that every order ends between two polls


class Clock:
    """Sandbox seconds, which never go back. Speed 60 is an hour a minute; at speed 0 only `advance` moves it."""

    def __init__(self, store: Store, speed: float | None) -> None:
        """`speed` None goes on at the speed that the store remembers (1 when it is new)."""
        self._store = store
        wall = time.time()
        saved = json.loads(store.setting("clock") or "null") or {"now": wall, "wall": wall, "speed": 1.0}
        # Time went on while the sandbox was off; a wall clock that was set back does not turn it back.
        now = saved["now"] + max(0.0, wall - saved["wall"]) * saved["speed"]
        self._set(now, saved["speed"] if speed is None else speed)

    @property
    def speed(self) -> float:
        """Sandbox seconds for each second of the wall clock."""
        return self._state[2]

    def now(self) -> float:
        """Seconds since 1970 by this clock."""
        then, ticks, speed = self._state
        return then + (time.monotonic() - ticks) * speed

    def run_at(self, speed: float) -> None:
        """Changes the speed from this moment on."""
        with self._store.writing():
            self._set(self.now(), speed)

    def advance(self, seconds: float) -> None:
        """Jumps forward; raises ValueError for a jump back."""
        if not 0 <= seconds < float("inf"):
            raise ValueError("The clock only goes forward")
        with self._store.writing():
            self._set(self.now() + seconds, self.speed)

    def _set(self, now: float, speed: float) -> None:
        if not 0 <= speed <= LARGEST_SPEED:
            raise ValueError(f"Speed must be between 0 and {LARGEST_SPEED:g}")
        # One tuple, so that a reader in another thread never sees half a change.
        self._state = (now, time.monotonic(), speed)
        self._store.set("clock", json.dumps({"now": now, "wall": time.time(), "speed": speed}))

"""Hours of a desk's day in minutes: a clock that is set, workers that take turns on it, and a supplier in memory.

The desk's own code runs as it is, budget, claims, rhythm and database and all. What is in memory is only the other end
of the line: it keeps the limits of the sandbox and answers for orders whose lives are handed in.
"""

import heapq
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from unittest.mock import patch

from panel.notpanel.budget import Purpose
from panel.notpanel.client import Client
from panel.notpanel.errors import Refused, throttled
from panel.notpanel.sandbox.world.limits import Limits, Standing
from panel.notpanel.shapes import Report, Reports
from panel.upstream.call_budget import Meter
from panel.worker.loop import IDLE_SECONDS, work_round

# Beyond every moment that the wall may show: what is written by its time must not seem to be yet to come.
NOON = datetime(2040, 1, 2, 12, 0, tzinfo=UTC)
CALL_SECONDS = 0.3  # of the virtual clock, for each call

Life = Callable[[str, datetime], Report | None]  # how an order stands at that moment; None: it is left out


class Clock:
    """The time that the desk reads."""

    def __init__(self, now: datetime = NOON) -> None:
        self.now = now

    def pass_by(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    def unix(self) -> float:
        return self.now.timestamp()

    @contextmanager
    def shown(self) -> Iterator[None]:
        """As long as it lasts, everything that asks for the time reads this clock."""
        with patch("django.utils.timezone.now", lambda: self.now):
            yield


class Phone(Client):
    """The client, with a supplier in memory at the other end that counts its calls and keeps its limits."""

    def __init__(self, clock: Clock, limits: Limits, life: Life, meter: Meter | None = None) -> None:
        super().__init__("http://127.0.0.1:1/nowhere", "key", meter=meter)
        self.clock, self.limits, self.life = clock, limits, life
        self.calls, self.denied = Counter[str](), 0

    def reports(self, upstream_ids: Sequence[str]) -> Reports:
        asked_at = self._call("status")
        told = {upstream_id: self.life(upstream_id, asked_at) for upstream_id in upstream_ids}
        return Reports({upstream_id: report for upstream_id, report in told.items() if report}, {})

    def report(self, upstream_id: str) -> Report:
        told = self.life(upstream_id, self._call("status"))
        if told is None:
            raise Refused("Order not found")
        return told

    def place(self, body: object, *, request_id: str) -> str:
        self._call("add")
        return f"ord_{request_id}"

    def _call(self, action: str) -> datetime:
        if self.meter:
            self.meter.before(action)
        at = self.clock.now
        self.calls[action] += 1
        standing = self._standing()
        self.clock.pass_by(CALL_SECONDS)
        if self.meter:
            self.meter.after(standing.headers, 429 if standing.denied_by else 200)
        if standing.denied_by:
            self.denied += 1
            raise throttled(standing.headers, self.clock.unix())
        return at

    def _standing(self) -> Standing:
        at_the_door = self.limits.admit_ip("127.0.0.1")
        return at_the_door if at_the_door.denied_by else self.limits.admit_key("key")


def crew(
    clock: Clock,
    phones: Sequence[Client],
    until: datetime,
    *,
    roles: Collection[str] = tuple(Purpose),
    idle_seconds: Callable[[], float] = lambda: IDLE_SECONDS,
    each: Callable[[], None] = lambda: None,
    done: Callable[[], bool] | None = None,
) -> None:
    """Workers take turns until then, or until it is done: each is where its own calls have brought it.

    `each` is called before every round, with the clock at that worker's moment.
    """  # fmt: skip
    turns = [(clock.now, number) for number in range(len(phones))]
    with clock.shown():
        while turns[0][0] < until and not (done and done()):
            clock.now, number = heapq.heappop(turns)
            each()
            if not work_round(phones[number], roles):
                clock.pass_by(idle_seconds())
            heapq.heappush(turns, (clock.now, number))

"""How often a live order is asked after: by age, by how long its service takes, and by whether webhooks work."""

import math
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import NamedTuple, Protocol

from orders.rules.lateness import UsualTimes
from orders.rules.statuses import Status

# Up to this age → a look so often. One call carries 100 orders, so the first line costs six calls a minute for every
# hundred orders of the last quarter of an hour; the key allows a hundred.
PAUSES_BY_AGE = (
    (timedelta(minutes=15), timedelta(seconds=10)),
    (timedelta(hours=2), timedelta(seconds=30)),
    (timedelta(days=1), timedelta(minutes=2)),
    (timedelta(days=7), timedelta(minutes=10)),
)
LONGEST_PAUSE = timedelta(hours=1)
POLLED_ALONE_FROM = 3  # answers in a row that left an order out; then it is asked for by itself
STALE_AFTER = timedelta(minutes=2)  # past a look's time; a worker that runs is later only when upstream slows it

# Where a service has a history: from half of its usual time on to its 95th percentile the next word is due any moment,
# and is asked for so many times in that span; before it a third as often, after it by age alone.
POLLS_A_SPAN = 200
BEFORE_ITS_TIME = 3
SHORTEST_PAUSE, LONGEST_PAUSE_IN_SPAN = timedelta(seconds=10), timedelta(minutes=10)
# While webhooks tell of ends, looks only make sure, and follow the progress.
WEBHOOK_FACTOR, WEBHOOK_SHORTEST_PAUSE = 15, timedelta(minutes=5)
WEBHOOKS_TOGETHER = timedelta(seconds=20)  # so that they share a call; on average a ring waits half of that


class PolledOrder(Protocol):
    """What the schedule reads of a live order."""

    @property
    def upstream_id(self) -> str | None: ...
    @property
    def service_id(self) -> int: ...
    @property
    def status(self) -> str: ...
    @property
    def created_at(self) -> datetime: ...
    @property
    def taken_at(self) -> datetime | None: ...


class PollSchedule(NamedTuple):
    """What the next look depends on beside the order: services' histories, and whether webhooks work.

    `due`: upstream id → when it was due; some come along early, to fill a call.
    """

    usual: Mapping[int, UsualTimes] = {}  # by the service's key
    webhooks_reliable: bool = False
    due: Mapping[str, datetime] = {}

    def next_poll(self, order: PolledOrder, asked_at: datetime) -> datetime:
        """When to ask again about an order that is still live."""
        pause = self.pause(order, asked_at)
        if self.webhooks_reliable:  # each ring's call is filled with those due soonest; these have had their look
            return asked_at + pause
        # One that would have been due soon has had that look; else the next is half a pause away at least.
        early = max(asked_at, min(self.due.get(order.upstream_id or "", asked_at), asked_at + pause / 2))
        return next_tick(pause, early)

    def pause(self, order: PolledOrder, now: datetime) -> timedelta:
        pause, usual = pause_by_age(now - order.created_at), self.usual.get(order.service_id)
        if usual and order.taken_at:
            known = pause_by_history(usual, now - order.taken_at, started=order.status == Status.IN_PROGRESS)
            pause = known or pause
        return (
            min(max(pause * WEBHOOK_FACTOR, WEBHOOK_SHORTEST_PAUSE), max(pause, LONGEST_PAUSE))
            if self.webhooks_reliable
            else pause
        )


BY_AGE_ALONE = PollSchedule()


def pause_by_age(age: timedelta) -> timedelta:
    """By age alone."""
    return next((pause for until, pause in PAUSES_BY_AGE if age < until), LONGEST_PAUSE)


def pause_by_history(usual: UsualTimes, age: timedelta, *, started: bool) -> timedelta | None:
    """By how long the service takes to its next word; None when that tells nothing (any more)."""
    median, p95 = (usual.finish_median, usual.finish_p95) if started else (usual.start_median, usual.start_p95)
    if median is None or p95 is None or age > p95:
        return None
    often = min(max(p95 / POLLS_A_SPAN, SHORTEST_PAUSE), LONGEST_PAUSE_IN_SPAN)
    return often if age >= median / 2 else min(often * BEFORE_ITS_TIME, LONGEST_PAUSE_IN_SPAN)


def next_tick(pause: timedelta, now: datetime) -> datetime:
    """The next beat of a common clock: orders placed at different moments fall due together and share a call."""
    seconds = pause.total_seconds()
    return datetime.fromtimestamp((math.floor(now.timestamp() / seconds) + 1) * seconds, UTC)


def next_poll_by_age(created_at: datetime, now: datetime) -> datetime:
    """When to ask again about an order of which nothing but its age is known."""
    return next_tick(pause_by_age(now - created_at), now)


def is_stale(next_look_at: datetime | None) -> bool:
    """Whether a look is overdue for so long that what is known may be old."""
    return bool(next_look_at and datetime.now(UTC) - next_look_at > STALE_AFTER)

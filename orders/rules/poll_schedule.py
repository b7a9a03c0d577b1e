"""How often a live order is polled: by its age, by how long its service takes, and by whether webhooks are reliable."""

import math
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import NamedTuple, Protocol

from orders.rules.lateness import UsualTimes
from orders.rules.statuses import Status

# Up to this age → the pause between polls. One call takes 100 orders, so the first line costs six calls a minute for
# every hundred orders of the last quarter of an hour; the key allows a hundred.
PAUSES_BY_AGE = (
    (timedelta(minutes=15), timedelta(seconds=10)),
    (timedelta(hours=2), timedelta(seconds=30)),
    (timedelta(days=1), timedelta(minutes=2)),
    (timedelta(days=7), timedelta(minutes=10)),
)
LONGEST_PAUSE = timedelta(hours=1)
POLLED_ALONE_FROM = 3  # answers in a row that left an order out; then it is polled by itself
STALE_AFTER = timedelta(minutes=2)  # past a poll's time; a worker that runs is later only when upstream slows it

# Where usual times are known: from half of the median on to the 95th percentile the next news is due any moment, and is
# polled for so many times in that span; before that a third as often, and after it by age alone.
POLLS_A_SPAN = 200
EARLY_FACTOR = 3
SHORTEST_PAUSE, LONGEST_PAUSE_IN_SPAN = timedelta(seconds=10), timedelta(minutes=10)
# While webhooks report every end, polls only make sure of it, and follow the progress.
WEBHOOK_FACTOR, WEBHOOK_SHORTEST_PAUSE = 15, timedelta(minutes=5)
CLOCKS_APART = timedelta(seconds=5)  # between two workers, or between reading the clock and getting the database's lock
# Polls that webhooks ask for are gathered so long, to share a call; on average each waits half of that.
WEBHOOKS_TOGETHER = timedelta(seconds=20)


class PolledOrder(Protocol):
    """What the schedule reads of a live order."""

    @property
    def upstream_id(self) -> str | None:
        """Upstream's id, by which `PollSchedule.due` knows it."""

    @property
    def service_id(self) -> int:
        """The service's key, by which `PollSchedule.usual` knows it."""

    @property
    def status(self) -> str:
        """Decides whether the usual start or the usual finish counts."""

    @property
    def created_at(self) -> datetime:
        """When it was placed; its age counts from here."""

    @property
    def taken_at(self) -> datetime | None:
        """When upstream took it; the usual times count from here."""


class PollSchedule(NamedTuple):
    """What the next poll depends on besides the order.

    `usual` is by the service's key. `due` says by upstream id when an order was due: some are polled early, to fill a
    call.
    """

    usual: Mapping[int, UsualTimes] = {}
    webhooks_reliable: bool = False
    due: Mapping[str, datetime] = {}

    def next_poll(self, order: PolledOrder, asked_at: datetime) -> datetime:
        """When to poll an order again that is still live."""
        pause = self.pause(order, asked_at)
        if self.webhooks_reliable:
            return asked_at + pause
        # An order polled early counts as polled when it was due, though at most half a pause from now.
        early = max(asked_at, min(self.due.get(order.upstream_id or "", asked_at), asked_at + pause / 2))
        return min(next_tick(pause, early), asked_at + LONGEST_PAUSE)

    def pause(self, order: PolledOrder, now: datetime) -> timedelta:
        """How long to wait between two polls of this order."""
        pause, usual = pause_by_age(now - order.created_at), self.usual.get(order.service_id)
        if usual and order.taken_at:
            started = order.status == Status.IN_PROGRESS
            pause = pause_by_history(usual, now - order.taken_at, started=started) or pause
        if not self.webhooks_reliable:
            return pause
        return min(max(pause * WEBHOOK_FACTOR, WEBHOOK_SHORTEST_PAUSE), max(pause, LONGEST_PAUSE))


BY_AGE_ALONE = PollSchedule()


def pause_by_age(age: timedelta) -> timedelta:
    """How long to wait between polls of an order of this age."""
    return next((pause for until, pause in PAUSES_BY_AGE if age < until), LONGEST_PAUSE)


def pause_by_history(usual: UsualTimes, age: timedelta, *, started: bool) -> timedelta | None:
    """How long to wait by the service's usual times. None where they are not known, or the order has outlasted them."""
    median, p95 = (usual.finish_median, usual.finish_p95) if started else (usual.start_median, usual.start_p95)
    if median is None or p95 is None or age > p95:
        return None
    often = min(max(p95 / POLLS_A_SPAN, SHORTEST_PAUSE), LONGEST_PAUSE_IN_SPAN)
    return often if age >= median / 2 else min(often * EARLY_FACTOR, LONGEST_PAUSE_IN_SPAN)


def next_tick(pause: timedelta, now: datetime) -> datetime:
    """The next multiple of `pause` since 1970, so that orders placed at different moments fall due together."""
    seconds = pause.total_seconds()
    return datetime.fromtimestamp((math.floor(now.timestamp() / seconds) + 1) * seconds, UTC)


def next_poll_by_age(created_at: datetime, now: datetime) -> datetime:
    """When to poll an order again of which nothing but its age is known."""
    return next_tick(pause_by_age(now - created_at), now)


def is_stale(next_poll_at: datetime | None) -> bool:
    """Whether a poll is overdue for so long that what the desk knows may be old."""
    return bool(next_poll_at and datetime.now(UTC) - next_poll_at > STALE_AFTER)

"""How often a live order is asked after: often while it is young, seldom when it is old."""

import math
from datetime import UTC, datetime, timedelta

# Up to this age → a look so often. One call carries 100 orders, so the first line costs six calls a minute for every
# hundred orders of the last quarter of an hour; the key allows a hundred.
RHYTHM = (
    (timedelta(minutes=15), timedelta(seconds=10)),
    (timedelta(hours=2), timedelta(seconds=30)),
    (timedelta(days=1), timedelta(minutes=2)),
    (timedelta(days=7), timedelta(minutes=10)),
)
SELDOM = timedelta(hours=1)
ALONE_FROM = 3  # answers in a row that left an order out; then it is asked for by itself
STALE_AFTER = timedelta(minutes=2)  # past a look's time; a worker that runs is later only when upstream slows it


def next_look(created_at: datetime, now: datetime) -> datetime:
    """When to ask again about an order that is still live.

    On the beats of a common clock, so that orders placed at different moments fall due together and share a call.
    """
    age = now - created_at
    pause = next((pause for until, pause in RHYTHM if age < until), SELDOM).total_seconds()
    return datetime.fromtimestamp((math.floor(now.timestamp() / pause) + 1) * pause, UTC)


def is_stale(next_look_at: datetime | None) -> bool:
    """Whether a look is overdue for so long that what is known may be old."""
    return bool(next_look_at and datetime.now(UTC) - next_look_at > STALE_AFTER)

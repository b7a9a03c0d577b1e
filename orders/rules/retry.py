"""How long a worker keeps what it claimed, and how long a task waits before another try."""

from datetime import UTC, datetime, timedelta

from django.conf import settings

from panel.notpanel.errors import NotPanelError, Refused, Unclear

# Longer than a call can take (the client's total deadline), so that a claim runs out only when its worker is gone.
LEASE = timedelta(seconds=settings.LEASE_SECONDS)
# After each try that got no clear answer or did not leave; the last one stays. Quick at first, for most troubles are
# over in seconds and a repeat is safe: an order has its request_id, and a cancel twice is a cancel.
REPEAT_PAUSES_SECONDS = (2, 5, 15, 30, 60, 120, 300)
LONGEST_PAUSE_SECONDS = REPEAT_PAUSES_SECONDS[-1]
LONGEST_JITTER = 1.25  # times the pause, so that not all workers come back at once
# A task that was tried more often is not the trouble's of the moment: it keeps its pauses when upstream answers again.
HURRIED_TRIES = 8
HURRIED_TOGETHER = 100  # refills and cancels; upstream takes so many in one call
# When a task is due that a person holds back: never by itself. Its column takes no empty time while it is open.
HELD_UNTIL = datetime(9999, 1, 1, tzinfo=UTC)
FEW_IDS = 4  # so many are asked about singly after a call that failed: to halve them would take more calls


def repeat_pause(attempt: int) -> float:
    """Seconds before the next try, after the try with this number, the first being 1."""
    return REPEAT_PAUSES_SECONDS[min(max(attempt, 1), len(REPEAT_PAUSES_SECONDS)) - 1]


def longest_wait() -> timedelta:
    """How long a task that was tried can wait at most, for its next try or the end of a claim."""
    return max(LEASE, timedelta(seconds=LONGEST_PAUSE_SECONDS * LONGEST_JITTER))


def is_about_orders(trouble: NotPanelError) -> bool:
    """Whether an order may be what makes a call fail: upstream got the call, and nobody told the desk to wait."""
    return isinstance(trouble, Refused | Unclear)


def smaller_share(ids: int) -> int:
    """How many ids a call may name after a call with so many failed: half of them, so that a bad id ends up alone."""
    return 1 if ids <= FEW_IDS else -(-ids // 2)

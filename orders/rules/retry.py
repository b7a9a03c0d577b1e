"""How long a worker keeps what it claimed, and how long a task waits before another try."""

from datetime import timedelta

from django.conf import settings

# Longer than a call can take (the client's total deadline), so that a claim runs out only when its worker is gone.
LEASE = timedelta(seconds=settings.LEASE_SECONDS)
LONGEST_PAUSE_SECONDS = 300  # doubling stops here
LONGEST_JITTER = 1.25  # times the pause, so that not all workers come back at once
FEW_IDS = 4  # so many are asked about singly after a call that failed: to halve them would take more calls


def retry_pause(first_pause: float, attempt: int) -> float:
    """Seconds before the next try: twice as long after each attempt, up to LONGEST_PAUSE_SECONDS."""
    return min(first_pause * 2.0 ** min(attempt - 1, 10), LONGEST_PAUSE_SECONDS)


def longest_wait() -> timedelta:
    """How long a task can wait at most, for a person's undo, its next try, or the end of a claim."""
    return max(LEASE, timedelta(seconds=max(LONGEST_PAUSE_SECONDS * LONGEST_JITTER, settings.SEND_DELAY_SECONDS)))


def smaller_share(ids: int) -> int:
    """How many ids a call may name after a call with so many failed: half of them, so that a bad id ends up alone."""
    return 1 if ids <= FEW_IDS else -(-ids // 2)

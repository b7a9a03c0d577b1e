"""Tells the desk which workers run, and what each of them does."""

import os
import socket
from collections.abc import Collection
from datetime import datetime, timedelta

from django.utils import timezone

from panel.upstream.models import EVERY_ROLE, ROLES, SILENT_AFTER, Beat

HEARTBEAT_EVERY = timedelta(seconds=5)
BY_CRON = ":once"  # in the name of a worker that runs with `--once`
LISTED_FOR = timedelta(days=7)  # how long a worker without a heartbeat stays on the list


class Heartbeat:
    """Records that one worker runs, with its roles and its calls to upstream.

    All workers that run with `--once` and the same roles share a name and never count as stopped: cron starts the next.
    """

    def __init__(self, *, once: bool = False, roles: Collection[str] = ROLES) -> None:
        self.once, self.roles = once, " ".join(role for role in ROLES if role in roles)
        part = "" if self.roles == EVERY_ROLE else f" ({self.roles})"
        self.name = f"{socket.gethostname()}{BY_CRON if once else f':{os.getpid()}'}{part}"
        self.last_at: datetime | None = None

    def record(self, now: datetime, calls: int = 0) -> bool:
        """Records a heartbeat and how many calls the worker has made, at most every HEARTBEAT_EVERY.

        Returns whether it was time for one.
        """
        if self.last_at is None:
            begins = {"started_at": now, "beat_at": now, "stopped_at": None, "roles": self.roles, "calls": 0}
            by_cron = Beat.objects.filter(name__contains=BY_CRON).order_by("-beat_at")
            last = by_cron.first() if self.once else None
            Beat.objects.filter(beat_at__lt=now - LISTED_FOR).delete()
            pause = now - last.beat_at if last else None
            Beat.objects.update_or_create(name=self.name, defaults={**begins, "pause": pause})
        elif not timedelta() <= now - self.last_at < HEARTBEAT_EVERY:  # also when the clock was set back
            Beat.objects.filter(name=self.name).update(beat_at=now, calls=calls)
        else:
            return False
        self.last_at = now
        return True

    def overslept(self, now: datetime) -> bool:
        """Whether the last heartbeat is so long ago that somebody may have put other books in place meanwhile."""
        return self.last_at is None or now - self.last_at >= SILENT_AFTER

    def stop(self) -> None:
        """Records that the worker has ended; does nothing for one that runs with `--once`."""
        if not self.once:
            Beat.objects.filter(name=self.name).update(stopped_at=timezone.now())

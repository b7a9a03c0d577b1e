"""Tells the desk that a worker lives, and what it does."""

import os
import socket
from collections.abc import Collection
from datetime import datetime, timedelta

from django.utils import timezone

from panel.upstream.models import EVERY_ROLE, ROLES, Beat

BEAT_EVERY = timedelta(seconds=5)
LISTED_FOR = timedelta(days=7)  # a worker that has not beaten for so long is no longer listed


class Heartbeat:
    """Tells the desk that this worker lives, and what it does. All that run for `--once` with the same roles share a
    name, and are not told as stopped: cron starts the next one."""

    def __init__(self, *, once: bool = False, roles: Collection[str] = ROLES) -> None:
        self.once, self.roles = once, " ".join(role for role in ROLES if role in roles)
        part = "" if self.roles == EVERY_ROLE else f" ({self.roles})"
        self.name = f"{socket.gethostname()}:{'once' if once else os.getpid()}{part}"
        self.last: datetime | None = None

    def beat(self, now: datetime, calls: int = 0) -> None:
        """At most every BEAT_EVERY; with how many calls to upstream it has made."""
        if self.last is None:
            Beat.objects.filter(beat_at__lt=now - LISTED_FOR).delete()
            begins = {"started_at": now, "beat_at": now, "stopped_at": None, "roles": self.roles, "calls": 0}
            Beat.objects.update_or_create(name=self.name, defaults=begins)
        elif now - self.last >= BEAT_EVERY:
            Beat.objects.filter(name=self.name).update(beat_at=now, calls=calls)
        else:
            return
        self.last = now

    def stop(self) -> None:
        if not self.once:
            Beat.objects.filter(name=self.name).update(stopped_at=timezone.now())

"""Counts what the webhooks' door does not take, so that a flood of it writes a row a second and not one a request."""

import logging
import os
import threading
from collections import Counter
from collections.abc import Mapping
from datetime import date, datetime

from django.db import DatabaseError, connection, transaction
from django.db.models import F

from orders.models import TurnedAway
from panel.ops.database import brief_wait

log = logging.getLogger(__name__)

WRITTEN_EVERY_SECONDS = 1.0

Counted = Mapping[tuple[date, str], int]


class RejectionCounts:
    """One a process. What is counted in one second is written at its end, by a thread that nobody waits for."""

    def __init__(self) -> None:
        self._counted: Counter[tuple[date, str]] = Counter()
        self._timer: threading.Timer | None = None
        self._turn = threading.Lock()

    def count(self, reason: str, now: datetime) -> None:
        """One more; `reason` is one of few, or the table would grow with what strangers send."""
        if connection.in_atomic_block:
            add_counts({(now.date(), reason): 1})
            return
        with self._turn:
            self._counted[now.date(), reason] += 1
            if self._timer is None:
                self._timer = threading.Timer(WRITTEN_EVERY_SECONDS, self._write_and_hang_up)
                self._timer.daemon = True
                self._timer.start()

    def write(self) -> None:
        """What was counted since the last time; kept for the next when the database has no time for it."""
        with self._turn:
            counted, self._counted = self._counted, Counter()
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
        if not counted:
            return
        try:
            with brief_wait():
                add_counts(counted)
        except DatabaseError as busy:
            log.warning("%d that were turned away are counted later: %s", counted.total(), busy)
            with self._turn:
                self._counted += counted

    def _write_and_hang_up(self) -> None:
        try:
            self.write()
        finally:
            connection.close()


def add_counts(counted: Counted) -> None:
    """To what is in the database."""
    with transaction.atomic():
        rows = [TurnedAway(day=day, reason=reason) for day, reason in sorted(counted)]
        TurnedAway.objects.bulk_create(rows, ignore_conflicts=True)
        for (day, reason), more in sorted(counted.items()):
            TurnedAway.objects.filter(day=day, reason=reason).update(count=F("count") + more)


COUNTS = RejectionCounts()
os.register_at_fork(after_in_child=COUNTS.__init__)  # type: ignore[misc]

"""Counts the requests that the webhook endpoint rejects. A flood writes one row a second, not one a request."""

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


class RejectionCounts:
    """The rejections of this process that are not in the database yet. A thread writes them once a second."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[date, str]] = Counter()
        self._timer: threading.Timer | None = None
        self._lock = threading.Lock()

    def count(self, reason: str, now: datetime) -> None:
        """Counts one rejection. `reason` is a key of REJECTIONS, so the table cannot grow with what strangers send."""
        if connection.in_atomic_block:
            add_counts({(now.date(), reason): 1})
            return
        with self._lock:
            self._counts[now.date(), reason] += 1
            if self._timer is None:
                self._timer = threading.Timer(WRITTEN_EVERY_SECONDS, self._write_and_disconnect)
                self._timer.daemon = True
                self._timer.start()

    def write(self) -> None:
        """Adds the counts to the database. If it is busy, they stay here for the next time."""
        with self._lock:
            counts, self._counts = self._counts, Counter()
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
        if not counts:
            return
        try:
            with brief_wait():
                add_counts(counts)
        except DatabaseError as busy:
            log.warning("%d that were turned away are counted later: %s", counts.total(), busy)
            with self._lock:
                self._counts += counts

    def _write_and_disconnect(self) -> None:
        try:
            self.write()
        finally:
            connection.close()


def add_counts(counts: Mapping[tuple[date, str], int]) -> None:
    """Adds to the counts in the database: (day, reason) → rejections."""
    with transaction.atomic():
        rows = [TurnedAway(day=day, reason=reason) for day, reason in sorted(counts)]
        TurnedAway.objects.bulk_create(rows, ignore_conflicts=True)
        for (day, reason), more in sorted(counts.items()):
            TurnedAway.objects.filter(day=day, reason=reason).update(count=F("count") + more)


COUNTS = RejectionCounts()
os.register_at_fork(after_in_child=COUNTS.__init__)  # type: ignore[misc]

"""Keeps deliveries before upstream is told that they came in. Those that come together share one commit.

A commit costs the same for one row as for a hundred, and on SQLite one process writes at a time. So requests hand
their row to one thread of their process, which writes all that wait, and each waits until its own is on the disk.
"""

import logging
import os
import threading
import time
from queue import Empty, SimpleQueue

from django.db import connection, transaction

from orders.models import Arrival, Delivery

log = logging.getLogger(__name__)

MOST_AT_ONCE = 200  # rows a commit; more wait for the next
PATIENCE_SECONDS = 5.0  # that a request waits for its commit; then upstream is told to come again
GATHERING_SECONDS = 0.001  # a commit waits for more as long as more come in so short a time
MOST_GATHERINGS = 8
AT_REST_SECONDS = 2.0  # without a delivery, until the database's connection is given back


class NotKept(Exception):
    """Not known to be on the disk, so upstream must not be told that it is."""


class WaitingDelivery:
    """An arrival, and a gate that opens once it is known what became of it. A Future takes nine times as long."""

    __slots__ = ("arrival", "gate", "well")

    def __init__(self, arrival: Arrival) -> None:
        self.arrival, self.well, self.gate = arrival, False, threading.Lock()
        self.gate.acquire()

    def kept(self, patience: float) -> bool:
        return self.gate.acquire(timeout=patience) and self.well

    def tell(self, well: bool) -> None:
        self.well = well
        self.gate.release()


class Inbox:
    """One a process, with one thread that writes; it begins with the first delivery."""

    def __init__(self) -> None:
        self._arrivals: SimpleQueue[WaitingDelivery] = SimpleQueue()
        self._writer: threading.Thread | None = None
        self._beginning = threading.Lock()

    def put(self, arrival: Arrival) -> None:
        """Back when it is committed, or was there before; NotKept when that did not come about in time."""
        if connection.in_atomic_block:  # it belongs to whatever else the caller writes
            insert_deliveries([arrival])
            return
        waiting = WaitingDelivery(arrival)
        self._arrivals.put(waiting)
        self._begin()
        if not waiting.kept(PATIENCE_SECONDS):
            raise NotKept

    def _begin(self) -> None:
        if self._writer is None:
            with self._beginning:
                if self._writer is None:
                    self._writer = threading.Thread(target=self._write_all, name="inbox", daemon=True)
                    self._writer.start()

    def _write_all(self) -> None:
        while True:
            batch = self._next()
            try:
                insert_deliveries([waiting.arrival for waiting in batch])
                well = True
            except Exception:  # whatever it was, nobody may be left waiting, and the next may fare better
                log.exception("%d deliveries could not be kept", len(batch))
                connection.close()
                well = False
            for waiting in batch:
                waiting.tell(well)

    def _next(self) -> list[WaitingDelivery]:
        """What waits, once something does."""
        try:
            batch = [self._arrivals.get(timeout=AT_REST_SECONDS)]
        except Empty:
            connection.close()
            batch = [self._arrivals.get()]
        for _ in range(MOST_GATHERINGS):
            before = self._arrivals.qsize()
            time.sleep(GATHERING_SECONDS)
            if self._arrivals.qsize() == before:
                break
        while len(batch) < MOST_AT_ONCE and not self._arrivals.empty():
            batch.append(self._arrivals.get())
        return batch


def insert_deliveries(arrivals: list[Arrival]) -> None:
    """One commit."""
    with transaction.atomic():
        Delivery.objects.insert(arrivals)


INBOX = Inbox()
# A thread does not come along into a child; nor may the child wait for one that it does not have.
os.register_at_fork(after_in_child=INBOX.__init__)  # type: ignore[misc]

"""Stores deliveries before upstream is told that they came in. Deliveries that come together share one commit.

A commit costs the same for one row as for a hundred, and on SQLite one process writes at a time. So each request hands
its delivery to the process's writer thread, which inserts all that wait, and waits until its own is on the disk.
"""

import logging
import os
import threading
import time
from queue import Empty, SimpleQueue

from django.db import connection, transaction

from orders.models import Arrival, Delivery
from panel.ops.connections import leave_replaced

log = logging.getLogger(__name__)

COMMIT_ROWS = 200  # at most; more deliveries wait for the next commit
PATIENCE_SECONDS = 5.0  # of a request that waits for its commit; then upstream is told to send it again
GATHERING_SECONDS = 0.001  # a commit waits for so long again as long as more deliveries come in
GATHERINGS = 8  # at most, for one commit
AT_REST_SECONDS = 2.0  # without a delivery; then the writer closes its connection to the database


# A delivery whose request waits, and where the writer answers whether it was committed.
Waiting = tuple[Arrival, SimpleQueue[bool]]


class NotKept(Exception):
    """The delivery is not known to be on the disk, so upstream must not be told that it is."""


class Inbox:
    """The deliveries of this process that wait, and the thread that writes them. The first delivery starts it."""

    def __init__(self) -> None:
        self._waiting: SimpleQueue[Waiting] = SimpleQueue()
        self._writer: threading.Thread | None = None
        self._start_lock = threading.Lock()

    def put(self, arrival: Arrival) -> None:
        """Returns once the delivery is committed, now or earlier. Raises NotKept if that fails or takes too long."""
        if connection.in_atomic_block:  # it belongs to the caller's transaction
            insert_deliveries([arrival])
            return
        answer: SimpleQueue[bool] = SimpleQueue()  # a Future takes nine times as long
        self._waiting.put((arrival, answer))
        self._start_writer()
        try:
            committed = answer.get(timeout=PATIENCE_SECONDS)
        except Empty:
            committed = False
        if not committed:
            raise NotKept

    def _start_writer(self) -> None:
        with self._start_lock:
            if self._writer is None:
                self._writer = threading.Thread(target=self._write_forever, name="inbox", daemon=True)
                self._writer.start()

    def _write_forever(self) -> None:
        while True:
            batch = self._next_batch()
            leave_replaced()
            try:
                insert_deliveries([arrival for arrival, _ in batch])
                committed = True
            except Exception:  # of any kind: no request may wait in vain, and the next commit may succeed
                log.exception("%d deliveries could not be kept", len(batch))
                connection.close()
                committed = False
            for _, answer in batch:
                answer.put(committed)

    def _next_batch(self) -> list[Waiting]:
        """Waits for a delivery, then returns it with those that come in shortly after it."""
        try:
            batch = [self._waiting.get(timeout=AT_REST_SECONDS)]
        except Empty:
            connection.close()
            batch = [self._waiting.get()]
        for _ in range(GATHERINGS):
            before = self._waiting.qsize()
            time.sleep(GATHERING_SECONDS)
            if self._waiting.qsize() == before:
                break
        while len(batch) < COMMIT_ROWS and not self._waiting.empty():
            batch.append(self._waiting.get())
        return batch


def insert_deliveries(arrivals: list[Arrival]) -> None:
    """Inserts the deliveries in one commit, or into the caller's transaction. Those stored before stay as they are."""
    with transaction.atomic():
        Delivery.objects.insert(arrivals)


INBOX = Inbox()
# A forked child has neither the thread nor a use for the locks that another thread held; it begins anew.
os.register_at_fork(after_in_child=INBOX.__init__)  # type: ignore[misc]

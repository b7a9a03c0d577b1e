"""Whether anything can be written now. Only a write that is committed can tell: a full disk can still be read."""

import time
from secrets import token_hex

from django.conf import settings
from django.db import Error, connection, transaction
from django.utils import timezone

from panel.ops.database import BRIEF_WAIT_MILLISECONDS, brief_wait
from panel.ops.outages import Outage, disk_is_scarce, outage_of

ROW = "desk:write-probe"  # of the cache's table, where nobody looks for it
BYTES = 16_384  # several pages of SQLite's file: the last free page of a disk is no room
WAIT_MILLISECONDS = 3_000  # how long readiness waits for its turn to write on SQLite
AGAIN_SECONDS = 5.0  # between two probes for pages of one process


def why_no_write(wait_milliseconds: int = WAIT_MILLISECONDS) -> Outage | None:
    """Writes a row, commits it and takes it out again. Returns why that was not possible, None when it was.

    A row that stayed would keep its pages of SQLite's file, and be written over where there is no room for a new one.
    Raises the database's error when it tells of no outage.
    """
    now = connection.ops.adapt_datetimefield_value(timezone.now())
    table = connection.ops.quote_name(str(settings.CACHES["default"]["LOCATION"]))
    values = "value = excluded.value, expires = excluded.expires"
    try:
        with brief_wait(wait_milliseconds), connection.cursor() as cursor:
            with transaction.atomic():
                cursor.execute(
                    f"INSERT INTO {table} (cache_key, value, expires) VALUES (%s, %s, %s)"  # noqa: S608  our own words
                    f" ON CONFLICT (cache_key) DO UPDATE SET {values}",
                    [ROW, token_hex(BYTES // 2), now],
                )
            cursor.execute(f"DELETE FROM {table} WHERE cache_key = %s", [ROW])  # noqa: S608  our own words
    except Error as error:
        if outage := outage_of(error):
            return outage
        raise
    return None


class WriteWatch:
    """What this process knows of an outage that stands until a person mends it, for the banner of its pages.

    A page that nobody doubts costs no query: a failed write, a scarce disk or a silent worker is the doubt.
    """

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Starts anew, without any doubt."""
        self.outage: Outage | None = None  # that stands
        self.verdict: Outage | None = None  # of the last probe
        self.probed_at = float("-inf")  # on the clock of time.monotonic

    def note(self, outage: Outage) -> None:
        """Remembers what a failed write told of, until a probe goes through."""
        if outage.stands:
            self.outage = outage

    def standing(self, *, doubt: bool) -> Outage | None:
        """The outage that stands, while there is any doubt."""
        if not (doubt or self.outage or disk_is_scarce()):
            return None
        self.probe()
        return self.outage

    def probe(self) -> Outage | None:
        """Why nothing can be written, found out by a write at most every AGAIN_SECONDS."""
        if time.monotonic() - self.probed_at >= AGAIN_SECONDS:
            self.probed_at = time.monotonic()
            try:
                self.verdict = why_no_write(BRIEF_WAIT_MILLISECONDS)
            except Error:
                return self.verdict  # no outage, but no write either
            # That somebody else's write takes a while says nothing of the disk.
            self.outage = self.verdict if self.verdict is None or self.verdict.stands else self.outage
        return self.verdict


WATCH = WriteWatch()

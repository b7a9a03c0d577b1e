"""The outbox: the endpoints of webhooks and every delivery to them. Its tables are in the store's file."""

import threading
from collections.abc import Iterable
from typing import NamedTuple

from panel.notpanel.sandbox.world.store import Store

RELEASE_STEP_SECONDS = 0.000_01  # between deliveries that are let go together; only their order counts

_SCHEMA = """
CREATE TABLE IF NOT EXISTS webhooks (
    id TEXT PRIMARY KEY, owner TEXT NOT NULL, url TEXT NOT NULL, events TEXT NOT NULL, secret TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS deliveries (
    number INTEGER PRIMARY KEY, id TEXT NOT NULL, webhook TEXT NOT NULL, event TEXT NOT NULL, order_id TEXT NOT NULL,
    body TEXT NOT NULL, created_at REAL NOT NULL, tries INTEGER NOT NULL, due_at REAL NOT NULL, state TEXT NOT NULL,
    said TEXT NOT NULL, plain INTEGER NOT NULL);
-- Serves the courier's search for what is due at an endpoint.
CREATE INDEX IF NOT EXISTS deliveries_due ON deliveries (webhook, due_at, number) WHERE state = 'waiting';
-- Serves its search for what is held back and may go.
CREATE INDEX IF NOT EXISTS deliveries_held ON deliveries (number) WHERE state = 'held';
"""


class Delivery(NamedTuple):
    """One event on its way to one endpoint. The same event goes to several endpoints, and may go to one in copies."""

    number: int | None  # None: not in the store yet
    id: str  # the event's
    webhook: str
    event: str
    order_id: str
    body: str
    created_at: float  # this and `due_at` are by the wall clock
    tries: int
    due_at: float
    state: str = "waiting"  # waiting, held, delivered, dropped, given up
    said: str = ""  # what the last try came to
    plain: int = 0  # 1: it has met its fault, and is neither copied nor held nor dropped any more


_PLACES = ", ".join("?" * len(Delivery._fields))


class Outbox:
    """Reads and writes of endpoints and deliveries; safe for any number of threads, in the store's transactions."""

    def __init__(self, store: Store) -> None:
        """Makes its tables in the store's file where they are missing."""
        self.store = store
        store.make(_SCHEMA)
        self.changed = threading.Event()  # set when there is a new delivery or a new endpoint; the courier clears it

    def add_endpoint(self, id: str, owner: str, url: str, events: str, secret: str) -> None:
        """Adds an endpoint for these events, separated by commas, and wakes the courier."""
        self.store.write("INSERT INTO webhooks VALUES (?, ?, ?, ?, ?)", id, owner, url, events, secret)
        self.changed.set()

    def remove_endpoint(self, id: str) -> int:
        """Removes an endpoint and gives up what was on its way there; how many endpoints were removed."""
        with self.store.writing():
            gone = "UPDATE deliveries SET state = 'given up', said = 'the endpoint was removed' WHERE webhook = ?"
            self.store.write(f"{gone} AND state IN ('waiting', 'held')", id)
            return self.store.write("DELETE FROM webhooks WHERE id = ?", id)

    def endpoint(self, id: str) -> tuple[str, str] | None:
        """(url, secret), for the courier alone."""
        return self.store.row("SELECT url, secret FROM webhooks WHERE id = ?", id)

    def endpoints(self, owner: str | None = None) -> list[tuple[str, str, str]]:
        """(id, url, events) of one owner or of all; secrets stay inside."""
        return self.store.rows("SELECT id, url, events FROM webhooks WHERE owner = COALESCE(?, owner)", owner)

    def add(self, deliveries: Iterable[Delivery]) -> None:
        """Adds deliveries and wakes the courier."""
        self.store.write_each(f"INSERT INTO deliveries VALUES ({_PLACES})", deliveries)  # noqa: S608 only marks
        self.changed.set()

    def due(self, webhook: str, now: float) -> Delivery | None:
        """The delivery that has been due at this endpoint for longest."""
        due = "webhook = ? AND state = 'waiting' AND due_at <= ? ORDER BY due_at, number LIMIT 1"
        rows = self.store.rows(f"SELECT * FROM deliveries WHERE {due}", webhook, now)  # noqa: S608 never from outside
        return next((Delivery(*row) for row in rows), None)

    def deliveries(self, newest: int = -1) -> list[Delivery]:
        """Newest first; `newest` limits how many (-1: all)."""
        rows = self.store.rows("SELECT * FROM deliveries ORDER BY number DESC LIMIT ?", newest)
        return [Delivery(*row) for row in rows]

    def settle(
        self, delivery: Delivery, state: str, tries: int = 0, said: str = "", due_at: float | None = None
    ) -> None:
        """Writes what became of a delivery, unless its endpoint was removed meanwhile."""
        sql = "UPDATE deliveries SET state = ?, tries = ?, said = ?, due_at = ? WHERE number = ? AND state = 'waiting'"
        self.store.write(sql, state, tries, said, delivery.due_at if due_at is None else due_at, delivery.number)

    def holds_any(self) -> bool:
        """Whether any delivery is held back."""
        return self.store.value("SELECT 1 FROM deliveries WHERE state = 'held' LIMIT 1") is not None

    def release(self, now: float) -> None:
        """Lets go of all that is held, newest first: each is due a little later than the one that came after it."""
        with self.store.writing():
            held = self.store.rows("SELECT number FROM deliveries WHERE state = 'held' ORDER BY number DESC")
            self.store.write_each(
                "UPDATE deliveries SET state = 'waiting', plain = 1, due_at = ? WHERE number = ?",
                [(now + RELEASE_STEP_SECONDS * place, number) for place, (number,) in enumerate(held)],
            )

    def counts(self) -> dict[tuple[str, str], int]:
        """(endpoint, state) → how many."""
        counted = self.store.rows("SELECT webhook, state, COUNT(*) FROM deliveries GROUP BY webhook, state")
        return {(webhook, state): count for webhook, state, count in counted}

"""The sandbox's memory: one SQLite file, one connection, one lock."""

import json
import secrets
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from panel.notpanel.sandbox.world import lives
from panel.notpanel.sandbox.world.lives import Life

BUSY_SECONDS = 10.0  # a person may be looking at the file with another tool

_LIFE = ", ".join(f"{name} NOT NULL" for name in Life._fields)
_SCHEMA = f"""
CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS services (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL, type TEXT NOT NULL, category TEXT NOT NULL, rate TEXT NOT NULL,
    minimum INTEGER NOT NULL, maximum INTEGER NOT NULL, refill INTEGER NOT NULL, cancel INTEGER NOT NULL,
    dripfeed INTEGER NOT NULL, active INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS orders (
    number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, request_id TEXT NOT NULL, service INTEGER NOT NULL,
    created_at REAL NOT NULL, form TEXT NOT NULL, charge INTEGER NOT NULL, refund INTEGER NOT NULL,
    refund_at REAL, refunded INTEGER NOT NULL, cancel_asked_at REAL, forced TEXT, told TEXT NOT NULL DEFAULT '',
    {_LIFE});
-- Serves the credit of due refunds before every balance and every add.
CREATE INDEX IF NOT EXISTS orders_refund_at ON orders (refund_at) WHERE refund_at IS NOT NULL;
-- Serves the courier's look for ends that have come to pass and were not told yet.
CREATE INDEX IF NOT EXISTS orders_untold ON orders (end_at) WHERE told = '' AND forced IS NULL;
-- The idempotency promise. Apart from orders, so that a test can make the supplier forget.
CREATE TABLE IF NOT EXISTS requests (request_id TEXT PRIMARY KEY, body TEXT NOT NULL, order_id TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS refills (
    id TEXT PRIMARY KEY, order_id TEXT NOT NULL, asked_at REAL NOT NULL, settles_at REAL NOT NULL,
    settles_as TEXT NOT NULL);
-- Serves the cap and the one-pending rule of refills.
CREATE INDEX IF NOT EXISTS refills_order ON refills (order_id);
CREATE TABLE IF NOT EXISTS coupons_used (code TEXT NOT NULL, order_id TEXT NOT NULL, PRIMARY KEY (code, order_id));
"""


class Service(NamedTuple):
    """One row of the catalog, as the store keeps it; flags are 0 or 1."""

    id: int
    name: str
    type: str
    category: str
    rate: str
    minimum: int
    maximum: int
    refill: int
    cancel: int
    dripfeed: int
    active: int = 1


class Order(NamedTuple):
    """One order: what was asked, what it cost, and the life that was planned for it. Money in units."""

    number: int
    id: str
    request_id: str
    service: int
    created_at: float
    form: str  # JSON object of everything that came with `add`, without key and action
    charge: int
    refund: int  # what the end of its life gives back
    refund_at: float | None  # None: nothing to give back, or given back already
    refunded: int
    cancel_asked_at: float | None
    forced: str | None  # JSON: status, delivered, and what else `status` is to tell; from the control page
    told: str  # the end that endpoints were told of; "" while there is none
    life: Life

    def state(self, now: float) -> tuple[str, int]:
        """(status, units delivered), by force or by its life."""
        if self.forced:
            put = json.loads(self.forced)
            return put["status"], put["delivered"]
        return lives.state(self.life, now)


_OWN = len(Order._fields) - 1
_COLUMNS = ", ".join((*Order._fields[:_OWN], *Life._fields))
_PLACES = ", ".join("?" * (_OWN + len(Life._fields)))


class Store:
    """Every read and write of one sandbox; safe for any number of threads."""

    def __init__(self, path: str, *, durable: bool = True) -> None:
        """`durable=False` never waits for the disk: for tests, whose files nobody needs after a crash."""
        if path != ":memory:":
            Path(path).parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.RLock()
        self._depth = 0
        self._catalog: str | None = None
        self._db = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        # NORMAL survives a killed process; only a power cut could take the last moments of a rehearsal.
        self._db.execute(f"PRAGMA synchronous = {'NORMAL' if durable else 'OFF'}")
        self._db.execute(f"PRAGMA journal_mode = {'WAL' if durable else 'MEMORY'}")
        with self.writing():
            columns = {column[1] for column in self._db.execute("PRAGMA table_info(orders)")}
            if columns and "told" not in columns:  # a store from before webhooks were delivered
                self._db.execute("ALTER TABLE orders ADD COLUMN told TEXT NOT NULL DEFAULT ''")
            self.make(_SCHEMA)
            if self.setting("seed") is None:
                self.set("seed", "sandbox")
                self.new = True
            else:
                self.new = False

    @contextmanager
    def writing(self) -> Iterator[None]:
        """One transaction, alone: what is read inside cannot change before what is written. Can be nested."""
        with self._lock:
            if self._depth == 0:
                self._db.execute("BEGIN IMMEDIATE")
            self._depth += 1
            try:
                yield
            except BaseException:
                self._depth -= 1
                if self._depth == 0:
                    self._db.execute("ROLLBACK")
                    self._catalog = None
                raise
            self._depth -= 1
            if self._depth == 0:
                self._db.execute("COMMIT")

    def make(self, schema: str) -> None:
        """Executes statements that make what is not there yet."""
        with self.writing():
            for statement in schema.split(";"):
                self._db.execute(statement)

    def close(self) -> None:
        with self._lock:
            self._db.close()

    def setting(self, name: str) -> str | None:
        found = self.row("SELECT value FROM settings WHERE name = ?", name)
        return None if found is None else str(found[0])

    def set(self, name: str, value: str | None) -> None:
        if value is None:
            self.write("DELETE FROM settings WHERE name = ?", name)
        else:
            self.write("INSERT OR REPLACE INTO settings VALUES (?, ?)", name, value)

    # -- services

    def service(self, id: int) -> Service | None:
        found = self.row("SELECT * FROM services WHERE id = ?", id)
        return None if found is None else Service(*found)

    def services(self) -> list[Service]:
        """All of them, also those that have vanished, by id."""
        return [Service(*row) for row in self.rows("SELECT * FROM services ORDER BY id")]

    def put_services(self, rows: Iterable[Service]) -> None:
        with self.writing():
            marks = ", ".join("?" * len(Service._fields))
            self._db.executemany(f"INSERT OR REPLACE INTO services VALUES ({marks})", rows)  # noqa: S608 only marks
            self._catalog = None

    def change_service(self, id: int, **changes: Any) -> Service:
        """Raises LookupError for a service that never was."""
        with self.writing():
            service = self.service(id)
            if service is None:
                raise LookupError(f"There is no service {id}")
            service = service._replace(**changes)
            self.put_services([service])
        return service

    def catalog(self, make: Any) -> str:
        """The answer to `services`, made once per change: it is asked for far more often than it changes."""
        with self._lock:
            if self._catalog is None:
                self._catalog = str(make())
            return self._catalog

    def catalog_changed(self) -> None:
        with self._lock:
            self._catalog = None

    # -- orders

    def add_order(self, order: Order) -> None:
        self.write(f"INSERT INTO orders ({_COLUMNS}) VALUES ({_PLACES})", *order[:_OWN], *order.life)  # noqa: S608

    def save_order(self, order: Order) -> None:
        """Write back everything about an order that was read in the same transaction."""
        self.write(f"REPLACE INTO orders ({_COLUMNS}) VALUES ({_PLACES})", *order[:_OWN], *order.life)  # noqa: S608

    def order(self, id: str) -> Order | None:
        return next(iter(self.orders([id])), None)

    def orders(self, ids: Sequence[str]) -> list[Order]:
        """Those of the ids that exist, in no order."""
        marks = ", ".join("?" * len(ids))
        return self._orders(f"SELECT {_COLUMNS} FROM orders WHERE id IN ({marks})", *ids)  # noqa: S608 only marks

    def all_orders(self, newest: int = -1) -> list[Order]:
        """Newest first; `newest` limits how many (-1: every one)."""
        return self._orders(f"SELECT {_COLUMNS} FROM orders ORDER BY number DESC LIMIT ?", newest)  # noqa: S608

    def ends(self, now: float, most: int) -> list[tuple[str, str]]:
        """(order id, end) of lives that have come to an untold end by `now`, earliest first."""
        untold = "told = '' AND forced IS NULL AND end_at <= ?"
        return self.rows(f"SELECT id, end FROM orders WHERE {untold} ORDER BY end_at LIMIT ?", now, most)  # noqa: S608

    def tell_ends(self, ended: Iterable[tuple[str, str]]) -> None:
        self.write_each("UPDATE orders SET told = ? WHERE id = ?", ((end, id) for id, end in ended))

    def tell_all_ends(self, now: float) -> None:
        self.write("UPDATE orders SET told = end WHERE told = '' AND forced IS NULL AND end_at <= ?", now)

    def next_number(self) -> int:
        return int(self.rows("SELECT COALESCE(MAX(number), 0) + 1 FROM orders")[0][0])

    def request(self, request_id: str) -> tuple[str, str] | None:
        """(body, order id) of an `add` that was accepted under this id."""
        found = self.row("SELECT body, order_id FROM requests WHERE request_id = ?", request_id)
        return None if found is None else (str(found[0]), str(found[1]))

    def remember_request(self, request_id: str, body: str, order_id: str) -> None:
        self.write("INSERT INTO requests VALUES (?, ?, ?)", request_id, body, order_id)

    def forget_requests(self, request_id: str | None = None) -> int:
        """Forget one request_id or all; how many were forgotten."""
        if request_id is None:
            return self.write("DELETE FROM requests")
        return self.write("DELETE FROM requests WHERE request_id = ?", request_id)

    def coupon_uses(self, code: str) -> int:
        return int(self.rows("SELECT COUNT(*) FROM coupons_used WHERE code = ?", code)[0][0])

    def use_coupon(self, code: str, order_id: str) -> None:
        self.write("INSERT INTO coupons_used VALUES (?, ?)", code, order_id)

    # -- money

    def credit_refunds(self, now: float) -> int:
        """Give back what has fallen due by `now` and say how much; the same refund is never given twice."""
        due = "FROM orders WHERE refund_at <= ?"
        if self.row(f"SELECT 1 {due} LIMIT 1", now) is None:
            return 0
        with self.writing():
            amount = int(self.rows(f"SELECT COALESCE(SUM(refund), 0) {due}", now)[0][0])
            self.write("UPDATE orders SET refunded = refund, refund_at = NULL WHERE refund_at <= ?", now)
            self.move_balance(amount)
        return amount

    def balance(self) -> int:
        return int(self.setting("balance") or 0)

    def move_balance(self, by: int) -> None:
        with self.writing():
            self.set("balance", str(self.balance() + by))

    # -- refills

    def add_refill(self, id: str, order_id: str, asked_at: float, settles_at: float, settles_as: str) -> None:
        self.write("INSERT INTO refills VALUES (?, ?, ?, ?, ?)", id, order_id, asked_at, settles_at, settles_as)

    def refills(self, order_id: str | None = None) -> list[tuple[str, str, float, float, str]]:
        """(id, order id, asked at, settles at, settles as), oldest first; of one order or of all."""
        if order_id is None:
            return self.rows("SELECT * FROM refills ORDER BY asked_at, id")
        return self.rows("SELECT * FROM refills WHERE order_id = ? ORDER BY asked_at, id", order_id)

    # -- SQL

    def changes(self) -> int:
        """Rows written since it was opened: by this a test sees that asking writes nothing."""
        return self._db.total_changes

    def count(self, table: str) -> int:
        """Rows of `orders` or `requests`."""
        return int(self.rows(f"SELECT COUNT(*) FROM {table}")[0][0])  # noqa: S608 never from outside

    def _orders(self, sql: str, *values: object) -> list[Order]:
        return [Order._make((*row[:_OWN], Life(*row[_OWN:]))) for row in self.rows(sql, *values)]

    # For the outbox too, whose tables are in this file.

    def row(self, sql: str, *values: object) -> tuple[Any, ...] | None:
        return next(iter(self.rows(sql, *values)), None)

    def rows(self, sql: str, *values: object) -> list[Any]:
        with self._lock:
            return self._db.execute(sql, values).fetchall()

    def write(self, sql: str, *values: object) -> int:
        """How many rows were written."""
        with self.writing():
            return self._db.execute(sql, values).rowcount

    def write_each(self, sql: str, rows: Iterable[Sequence[object]]) -> None:
        with self.writing():
            self._db.executemany(sql, rows)


def token(prefix: str) -> str:
    """A new id such as `ord_3f9c…`: random, so that a fresh store never repeats what an older one gave out."""
    return f"{prefix}_{secrets.token_hex(10)}"

"""What the sandbox knows, in one SQLite file: services, orders, money, refills. One connection, one lock."""

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

_NEW_END = "told = '' AND forced IS NULL AND end_at <= ?"  # as the index orders_untold has it
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
-- Serves the courier's search for ends that have come to pass and were not announced yet.
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

    life: Life
    number: int
    id: str
    request_id: str
    service: int
    created_at: float
    form: str  # JSON object of everything that came with `add`, without key and action
    charge: int
    refund: int  # what the end of its life gives back
    refund_at: float | None  # None: nothing to give back, or given back already
    refunded: int = 0
    cancel_asked_at: float | None = None
    forced: str | None = None  # JSON: status, delivered, and what else `status` answers; from the control page
    told: str = ""  # the end that was announced to endpoints; "" while there is none

    def state(self, now: float) -> tuple[str, int]:
        """(status, units delivered), as a person put it or else by its life."""
        if self.forced:
            forced = json.loads(self.forced)
            return forced["status"], forced["delivered"]
        return lives.state(self.life, now)


_LIFE_FIELDS = len(Life._fields)
_COLUMNS = ", ".join((*Life._fields, *Order._fields[1:]))
_PLACES = ", ".join("?" * (_LIFE_FIELDS + len(Order._fields) - 1))


class Store:
    """Every read and write of one sandbox; safe for any number of threads."""

    def __init__(self, path: str, *, durable: bool = True) -> None:
        """Opens or makes the file. `durable=False` never waits for the disk: for tests, whose files need not last."""
        if path != ":memory:":
            Path(path).parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.RLock()
        self._db = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        # NORMAL survives a killed process; only a power cut could take the last moments of a rehearsal.
        self._db.execute(f"PRAGMA synchronous = {'NORMAL' if durable else 'OFF'}")
        self._db.execute(f"PRAGMA journal_mode = {'WAL' if durable else 'MEMORY'}")
        with self.writing():
            columns = {column[1] for column in self._db.execute("PRAGMA table_info(orders)")}
            if columns and "told" not in columns:  # a store from before webhooks were delivered
                self._db.execute("ALTER TABLE orders ADD COLUMN told TEXT NOT NULL DEFAULT ''")
            self.make(_SCHEMA)
            self.new = self.setting("seed") is None
            if self.new:
                self.set("seed", "sandbox")

    @contextmanager
    def writing(self) -> Iterator[None]:
        """One transaction, alone: what is read inside cannot change before what is written. Can be nested."""
        with self._lock:
            outermost = not self._db.in_transaction
            if outermost:
                self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
                if outermost:
                    self._db.execute("COMMIT")
            except BaseException:
                if outermost:
                    self._db.execute("ROLLBACK")
                raise

    def make(self, schema: str) -> None:
        """Executes the statements of a schema, between semicolons, in one transaction."""
        with self.writing():
            for statement in schema.split(";"):
                self._db.execute(statement)

    def close(self) -> None:
        """Closes the file. Every later read or write raises sqlite3.ProgrammingError."""
        with self._lock:
            self._db.close()

    def setting(self, name: str) -> str | None:
        """The text that `set` wrote under this name, or None."""
        text: str | None = self.value("SELECT value FROM settings WHERE name = ?", name)
        return text

    def set(self, name: str, value: str | None) -> None:
        """Writes a text under a name; None removes it."""
        if value is None:
            self.write("DELETE FROM settings WHERE name = ?", name)
        else:
            self.write("INSERT OR REPLACE INTO settings VALUES (?, ?)", name, value)

    def service(self, id: int) -> Service | None:
        """The service with this id, also one that has vanished."""
        return next((Service(*row) for row in self.rows("SELECT * FROM services WHERE id = ?", id)), None)

    def services(self) -> list[Service]:
        """All of them, also those that have vanished, by id."""
        return [Service(*row) for row in self.rows("SELECT * FROM services ORDER BY id")]

    def put_services(self, services: Iterable[Service]) -> None:
        """Writes services, new or changed."""
        marks = ", ".join("?" * len(Service._fields))
        self.write_each(f"INSERT OR REPLACE INTO services VALUES ({marks})", services)  # noqa: S608 only marks

    def change_service(self, id: int, **changes: Any) -> Service:
        """Changes these fields of a service and returns it as it is then; LookupError for an unknown id."""
        with self.writing():
            service = self.service(id)
            if service is None:
                raise LookupError(f"There is no service {id}")
            service = service._replace(**changes)
            self.put_services([service])
        return service

    def save_order(self, order: Order) -> None:
        """Writes all of an order: a new one, or one that was read in the same transaction."""
        self.write(f"REPLACE INTO orders ({_COLUMNS}) VALUES ({_PLACES})", *order.life, *order[1:])  # noqa: S608

    def order(self, id: str) -> Order | None:
        """The order with this id."""
        return next(iter(self.orders([id])), None)

    def orders(self, ids: Sequence[str]) -> list[Order]:
        """The orders with these ids, in no particular order; unknown ids are left out."""
        marks = ", ".join("?" * len(ids))
        return self._orders(f"SELECT {_COLUMNS} FROM orders WHERE id IN ({marks})", *ids)  # noqa: S608 only marks

    def all_orders(self, newest: int = -1) -> list[Order]:
        """Newest first; `newest` limits how many (-1: all)."""
        return self._orders(f"SELECT {_COLUMNS} FROM orders ORDER BY number DESC LIMIT ?", newest)  # noqa: S608

    def new_ends(self, now: float, most: int) -> list[tuple[str, str]]:
        """(order id, end) of lives that ended by `now` and were not announced yet, earliest first."""
        return self.rows(f"SELECT id, end FROM orders WHERE {_NEW_END} ORDER BY end_at LIMIT ?", now, most)  # noqa: S608

    def note_announced(self, ended: Iterable[tuple[str, str]]) -> None:
        """Notes that these ends, as `new_ends` gives them, were announced."""
        self.write_each("UPDATE orders SET told = ? WHERE id = ?", ((end, id) for id, end in ended))

    def note_all_announced(self, now: float) -> None:
        """Notes that every end until `now` was announced."""
        self.write(f"UPDATE orders SET told = end WHERE {_NEW_END}", now)  # noqa: S608

    def next_number(self) -> int:
        """The number for the next new order."""
        return int(self.value("SELECT COALESCE(MAX(number), 0) + 1 FROM orders"))

    def request(self, request_id: str) -> tuple[str, str] | None:
        """(body, order id) of an `add` that was accepted under this id."""
        return self.row("SELECT body, order_id FROM requests WHERE request_id = ?", request_id)

    def remember_request(self, request_id: str, body: str, order_id: str) -> None:
        """Notes that an `add` with this request_id and body made this order."""
        self.write("INSERT INTO requests VALUES (?, ?, ?)", request_id, body, order_id)

    def forget_requests(self, request_id: str | None = None) -> int:
        """Forgets one request_id or all; how many were forgotten."""
        return self.write("DELETE FROM requests WHERE request_id = COALESCE(?, request_id)", request_id)

    def coupon_uses(self, code: str) -> int:
        """How many orders have used this coupon."""
        return int(self.value("SELECT COUNT(*) FROM coupons_used WHERE code = ?", code))

    def use_coupon(self, code: str, order_id: str) -> None:
        """Notes that an order has used this coupon."""
        self.write("INSERT INTO coupons_used VALUES (?, ?)", code, order_id)

    def credit_refunds(self, now: float) -> int:
        """Credits the refunds that are due by `now`, each once; how many units they were."""
        due = "FROM orders WHERE refund_at <= ?"
        if self.row(f"SELECT 1 {due} LIMIT 1", now) is None:
            return 0
        with self.writing():
            amount = int(self.value(f"SELECT COALESCE(SUM(refund), 0) {due}", now))
            self.write("UPDATE orders SET refunded = refund, refund_at = NULL WHERE refund_at <= ?", now)
            self.move_balance(amount)
        return amount

    def balance(self) -> int:
        """Money on the account in units, without refunds that are due and not credited yet."""
        return int(self.setting("balance") or 0)

    def move_balance(self, by: int) -> None:
        """Adds so many units to the account; a negative number takes them."""
        with self.writing():
            self.set("balance", str(self.balance() + by))

    def add_refill(self, id: str, order_id: str, asked_at: float, settles_at: float, settles_as: str) -> None:
        """Writes a refill of an order; times are seconds of the sandbox's clock."""
        self.write("INSERT INTO refills VALUES (?, ?, ?, ?, ?)", id, order_id, asked_at, settles_at, settles_as)

    def refills(self, order_id: str | None = None) -> list[tuple[str, str, float, float, str]]:
        """(id, order id, asked at, settles at, settles as), oldest first; of one order or of all."""
        if order_id is None:
            return self.rows("SELECT * FROM refills ORDER BY asked_at, id")
        return self.rows("SELECT * FROM refills WHERE order_id = ? ORDER BY asked_at, id", order_id)

    def count(self, table: str) -> int:
        """Rows of `orders` or `requests`."""
        return int(self.value(f"SELECT COUNT(*) FROM {table}"))  # noqa: S608 never from outside

    def _orders(self, sql: str, *values: object) -> list[Order]:
        return [Order(Life(*row[:_LIFE_FIELDS]), *row[_LIFE_FIELDS:]) for row in self.rows(sql, *values)]

    # These serve the outbox too, whose tables are in this file.

    def value(self, sql: str, *values: object) -> Any:
        """The first column of the first row, or None without a row."""
        row = self.row(sql, *values)
        return row and row[0]

    def row(self, sql: str, *values: object) -> tuple[Any, ...] | None:
        """The first row, or None."""
        return next(iter(self.rows(sql, *values)), None)

    def rows(self, sql: str, *values: object) -> list[Any]:
        """All rows that a query gives."""
        with self._lock:
            return self._db.execute(sql, values).fetchall()

    def write(self, sql: str, *values: object) -> int:
        """Executes one statement in a transaction; how many rows it wrote."""
        with self.writing():
            return self._db.execute(sql, values).rowcount

    def write_each(self, sql: str, rows: Iterable[Sequence[object]]) -> None:
        """Executes one statement for each row of values, in one transaction."""
        with self.writing():
            self._db.executemany(sql, rows)


def token(prefix: str) -> str:
    """A new id such as `ord_3f9c…`: random, so that a fresh store never repeats what an older one gave out."""
    return f"{prefix}_{secrets.token_hex(10)}"

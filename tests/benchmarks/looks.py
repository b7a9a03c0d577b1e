"""What a poll of an order costs where the supplier answers at once: statements and rows a call, bytes of log, speed."""

from collections.abc import Callable, Collection
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.db import connection
from django.utils import timezone

from orders.following.poll import poll_once
from orders.models import Order, Poll
from orders.rules.statuses import Status
from panel.notpanel.shapes import Report, Reports
from tests.benchmarks import data, measure

ORDERS, A_CALL = 5_000, 100
MOST_STATEMENTS = {"unchanged": 10, "moved": 14}  # of a call, without those that begin and end a transaction
MOST_LOG_BYTES = 400  # of an order that did not change, on PostgreSQL


class Supplier:
    """Answers every call at once: each order has so much left as `remains` says."""

    def __init__(self) -> None:
        self.remains: Callable[[], int] = lambda: 500

    def reports(self, upstream_ids: Collection[str]) -> Reports:
        remains, at = self.remains(), timezone.now()
        raw: dict[str, object] = {"status": "in_progress", "remains": str(remains)}
        return Reports(
            {
                upstream_id: Report(
                    upstream_id=upstream_id, status=Status.IN_PROGRESS, charge=Decimal("0.90"), start_count=10,
                    remains=remains, currency="USD", asked_at=at, raw=raw,
                )
                for upstream_id in upstream_ids
            },
            {},
        )  # fmt: skip


def main() -> int:
    figures = measure.Figures(f"looks: {ORDERS:,} live orders, {A_CALL} a call, a supplier without latency")
    with measure.desk():
        data.open_desk()
        data.write_orders(1, ORDERS, (Status.IN_PROGRESS,))
        supplier, moves = Supplier(), iter(range(400, 0, -1))
        poll_all(supplier)  # the first answer differs for each
        costs(figures, "unchanged", supplier)
        supplier.remains = lambda: next(moves)
        costs(figures, "moved", supplier)
    return figures.end()


def costs(figures: measure.Figures, what: str, supplier: Supplier) -> None:
    make_due()
    statements = [sql for sql in measure.queries_of(lambda: poll_once(supplier)) if not measure.of_transaction(sql)]  # type: ignore[arg-type]
    figures.at_most(f"{what}: statements of a call", len(statements), MOST_STATEMENTS[what])
    make_due()
    log_before, rows_before = log_bytes(), rows_written()
    took = measure.seconds(lambda: poll_all(supplier))
    figures.say(f"{what}: {ORDERS / took:,.0f} looks a second, {(rows_written() - rows_before) / ORDERS:.2f} rows each")
    if not measure.on_sqlite():
        a_look = (log_bytes() - log_before) / ORDERS
        figures.say(f"{what}: {a_look:,.0f} bytes of log an order")
        if what == "unchanged":
            figures.at_most("bytes of log of an order that did not change", round(a_look), MOST_LOG_BYTES)


def make_due() -> None:
    """All orders are due, and were placed so long ago that none is due again soon."""
    Order.objects.filter(created_at__gte=timezone.now() - timedelta(days=1)).update(
        created_at=timezone.now() - timedelta(days=3)
    )
    Poll.objects.update(next_poll_at=timezone.now())
    if not measure.on_sqlite():
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")
            cursor.execute("CHECKPOINT")


def poll_all(supplier: Any) -> None:
    while poll_once(supplier):
        pass


def log_bytes() -> int:
    """Bytes that PostgreSQL has written to its log ahead of the data; 0 on SQLite."""
    if measure.on_sqlite():
        return 0
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn")
        return int(cursor.fetchone()[0])


def rows_written() -> int:
    """Rows that this connection has inserted, changed and deleted."""
    if measure.on_sqlite():
        return measure.raw().total_changes
    connection.close()  # PostgreSQL counts what a connection did when it ends, at the latest
    with connection.cursor() as cursor:
        cursor.execute("SELECT sum(n_tup_ins + n_tup_upd + n_tup_del) FROM pg_stat_user_tables")
        return int(cursor.fetchone()[0])


if __name__ == "__main__":
    raise SystemExit(main())

"""SQLite is told what its tables hold, after a migration and once a day; PostgreSQL finds out by itself."""

import pytest
from django.core.management.sql import emit_post_migrate_signal
from django.db import connection

from orders.models import Order
from panel.notpanel.client import Client
from panel.ops import planner
from panel.ops.planner import update_planner
from panel.worker.recurring import RECURRING_WORK
from tests.benchmarks.measure import queries_of
from tests.makers import make_order, make_service, make_user

pytestmark = pytest.mark.django_db
on_sqlite = pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL finds out by itself")


def known_tables() -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT DISTINCT tbl FROM sqlite_stat1")
        return {table for (table,) in cursor.fetchall()}


@on_sqlite
@pytest.mark.parametrize("how", ["daily work", "migration"])
def test_sqlite_learns_what_its_large_tables_hold(how: str, phone: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planner, "SMALL_ROWS", 3)
    service, by = make_service(), make_user()
    for n in range(3):
        make_order("completed", service=service, by=by, link=f"https://example.org/{n}")
    if how == "migration":
        emit_post_migrate_signal(verbosity=0, interactive=False, db="default")
    else:
        RECURRING_WORK["query plans"].act(phone)
    assert {"orders_order", "orders_task", "accounts_trailline"} <= known_tables()
    assert "accounts_user" not in known_tables()


@on_sqlite
def test_a_table_that_was_small_is_not_read_whole_when_it_has_grown() -> None:
    service, by = make_service(), make_user()
    make_order("completed", service=service, by=by)
    update_planner()
    newest = Order.objects.filter(pk__gte=1).order_by("-pk")[:1]
    assert "SEARCH orders_order USING INTEGER PRIMARY KEY" in newest.explain()


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has to be asked to")
def test_postgresql_is_asked_nothing() -> None:
    assert queries_of(update_planner) == []

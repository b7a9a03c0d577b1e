"""SQLite is told what its tables hold, after a migration and once a day; PostgreSQL finds out by itself."""

import pytest
from django.core.management.sql import emit_post_migrate_signal
from django.db import connection

from panel.notpanel.client import Client
from panel.ops.planner import update_planner
from panel.worker.recurring import RECURRING_WORK
from tests.benchmarks.measure import queries_of
from tests.makers import make_order, make_service, make_user

pytestmark = pytest.mark.django_db


def known_tables() -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT DISTINCT tbl FROM sqlite_stat1")
        return {table for (table,) in cursor.fetchall()}


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL finds out by itself")
def test_sqlite_learns_what_its_tables_hold_by_the_daily_work(phone: Client) -> None:
    service, by = make_service(), make_user()
    for n in range(3):
        make_order("completed", service=service, by=by, link=f"https://example.org/{n}")
    RECURRING_WORK["query plans"].act(phone)
    assert {"orders_order", "orders_task", "orders_event"} <= known_tables()


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL finds out by itself")
def test_a_migration_does_the_same() -> None:
    make_order("completed")
    emit_post_migrate_signal(verbosity=0, interactive=False, db="default")
    assert "orders_order" in known_tables()


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has to be asked to")
def test_postgresql_is_asked_nothing() -> None:
    assert queries_of(update_planner) == []

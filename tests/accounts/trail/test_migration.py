"""A desk from before the trail: its events and what happened at its door become lines, and nothing of them is lost."""

import pytest
from django.core.management.sql import emit_post_migrate_signal
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from accounts.models import ChainHead, TrailLine
from accounts.trail.verify import verify_all
from tests.makers import make_order, make_user
from tests.tampering import past_the_desk, seal_everything

pytestmark = pytest.mark.django_db(transaction=True)
BEFORE = [("accounts", "0014_unused_indexes"), ("orders", "0026_plain_words")]


@pytest.mark.slow
def test_old_events_and_the_door_become_lines() -> None:
    order, owner, now = make_order("completed"), make_user(), timezone.now()
    with past_the_desk() as cursor:
        cursor.execute("DELETE FROM accounts_trailline")
    MigrationExecutor(connection).migrate(BEFORE)
    with connection.cursor() as cursor:
        for kind, by in (("moved", None), ("refill_asked", owner.pk), ("noted", owner.pk), ("stopped", owner.pk)):
            cursor.execute(
                "INSERT INTO orders_event (at, kind, facts, order_id, by_id) VALUES (%s, %s, '{\"n\": 1.5}', %s, %s)",
                [now, kind, None if kind == "stopped" else order.pk, by],
            )
        for kind, group, by in (
            ("signed_in", "sign_in", None),
            ("failed", "refused", None),
            ("session_ended", "session", 0),
        ):
            cursor.execute(
                'INSERT INTO accounts_doorevent (at, kind, "group", person_id, by_id, address, device, facts) '
                "VALUES (%s, %s, %s, %s, %s, '192.0.2.7', 'Firefox', '{}')",
                [now, kind, group, order.placed_by_id, owner.pk if by == 0 else None],
            )
    executor = MigrationExecutor(connection)
    executor.migrate(executor.loader.graph.leaf_nodes())
    ChainHead.objects.all().delete()
    emit_post_migrate_signal(verbosity=0, interactive=False, db="default")  # which makes all triggers, of orders too
    lines = TrailLine.objects.order_by("pk")
    assert [(line.kind, line.group) for line in lines] == [
        ("moved", "orders"), ("refill_asked", "aftersale"), ("noted", "notes"), ("stopped", "sending"),
        ("signed_in", "sign_in"), ("failed", "refused"), ("session_ended", "session"),
    ]  # fmt: skip
    who = {line.kind: line.by_id for line in lines}
    assert who["signed_in"] == order.placed_by_id
    assert who["failed"] is None
    assert who["session_ended"] == owner.pk
    assert all(line.seal is None for line in lines)
    seal_everything()
    assert ChainHead.objects.get().lines == 7
    assert list(verify_all()) == []

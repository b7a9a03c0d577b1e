"""Migrations that meet a desk which has a part of what they add, and one that moves data."""

from importlib import import_module
from typing import Any

import pytest
from django.core.management.sql import emit_post_migrate_signal
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from orders.models import Order, Poll
from orders.models.poll import Queue, Urgency
from tests.makers import make_order, minutes

hurry = import_module("orders.migrations.0013_order_hurry")

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


def migrated_to(name: str) -> Any:
    """The apps as they were at this migration of the orders, after the database was migrated there."""
    executor = MigrationExecutor(connection)
    executor.migrate([("orders", name)])
    return MigrationExecutor(connection).loader.project_state(("orders", name)).apps


@pytest.fixture(autouse=True)
def newest() -> Any:
    """Brings the database back to where the other tests expect it."""
    yield
    executor = MigrationExecutor(connection)
    executor.migrate(executor.loader.graph.leaf_nodes())
    emit_post_migrate_signal(verbosity=0, interactive=False, db="default")  # which makes the triggers


def order_indexes() -> set[str]:
    with connection.cursor() as cursor:
        return set(connection.introspection.get_constraints(cursor, Order._meta.db_table))


@pytest.mark.slow
def test_a_desk_that_has_the_column_gets_the_indexes_that_it_lacks() -> None:
    apps = migrated_to("0013_order_hurry")
    order = apps.get_model("orders", "Order")
    for missing in ({"order_alone"}, {"order_alone", "order_hurry"}, set[str]()):
        with connection.schema_editor() as editor:
            for index in order._meta.indexes:
                if index.name in missing:
                    editor.remove_index(order, index)
        assert not order_indexes() & missing
        with connection.schema_editor() as editor:
            hurry.add_where_missing(apps, editor)
        assert order_indexes() >= {"order_alone", "order_hurry"}


def test_polls_move_out_of_the_orders_and_back() -> None:
    now = timezone.now()
    live = make_order("in_progress", next_poll_at=now, urgency=Urgency.PERSON, reported_at=now - minutes(9))
    alone = make_order("pending", next_poll_at=now + minutes(9), left_out=3)
    suspect = make_order("processing", next_poll_at=now, urgency=Urgency.SUSPECT, share=5)
    ended, unsent = make_order("completed"), make_order("queued")
    Poll.objects.filter(order=live).update(reported_at=now - minutes(1))
    old = migrated_to("0020_send_trials").get_model("orders", "Order").objects
    facts = old.in_bulk([live.pk, alone.pk, suspect.pk, ended.pk, unsent.pk])
    assert facts[live.pk].reported_at == now - minutes(1)
    assert [facts[pk].next_look_at for pk in (live.pk, alone.pk, ended.pk, unsent.pk)] == [
        now, now + minutes(9), None, None,
    ]  # fmt: skip
    assert [(each.hurry, each.share) for each in (facts[live.pk], facts[suspect.pk])] == [(2, None), (None, 5)]
    migrated_to("0021_polls")
    polls = {poll.order_id: (poll.queue, poll.urgency, poll.share) for poll in Poll.objects.all()}
    assert polls == {
        live.pk: (Queue.TOGETHER, Urgency.PERSON, None),
        alone.pk: (Queue.ALONE, Urgency.NONE, None),
        suspect.pk: (Queue.TOGETHER, Urgency.SUSPECT, 5),
    }
    assert Poll.objects.get(order=live).next_poll_at == now

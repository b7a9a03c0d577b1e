"""Indexes that no query needs: none for beginnings that nobody looks for, and none that another one begins with."""

import pytest
from django.db import connection
from django.db.models import ForeignKey, Index, Model, UniqueConstraint

from orders.models import Event
from tests.addresses import our_models
from tests.makers import make_order, make_user

pytestmark = pytest.mark.django_db
# `ids_beginning`: the first characters of upstream's id.
SOUGHT_BY_BEGINNING = {"orders_order.upstream_id"}
OF_BEGINNINGS = """
    SELECT t.relname || '.' || a.attname FROM pg_index i
    JOIN pg_class t ON t.oid = i.indrelid JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = i.indkey[0]
    JOIN pg_opclass o ON o.oid = i.indclass[0]
    WHERE o.opcname LIKE '%pattern_ops' AND t.relname ~ '^(orders|catalog|accounts|panel)_'"""


def test_only_what_is_sought_by_its_beginning_has_an_index_for_that() -> None:
    if connection.vendor != "postgresql":
        pytest.skip("only PostgreSQL needs such indexes")
    with connection.cursor() as cursor:
        cursor.execute(OF_BEGINNINGS)
        assert {name for (name,) in cursor.fetchall()} == SOUGHT_BY_BEGINNING


def begins_with(model: type[Model], field: str) -> list[str]:
    """The indexes and constraints of all rows that begin with this field."""
    whole = [each for each in (*model._meta.indexes, *model._meta.constraints)
             if isinstance(each, Index | UniqueConstraint) and each.condition is None and each.fields]  # fmt: skip
    return [each.name for each in whole if each.fields[0].lstrip("-") == field]


@pytest.mark.parametrize("model", our_models(), ids=lambda model: model.__name__)
def test_no_relation_has_an_index_of_its_own_beside_one_that_begins_with_it(model: type[Model]) -> None:
    twice = {
        field.name: begins_with(model, field.name)
        for field in model._meta.local_fields
        if isinstance(field, ForeignKey) and not field.unique and getattr(field, "db_index", False)
    }
    assert not {name: others for name, others in twice.items() if others}


def test_events_of_a_person_are_found_by_their_index() -> None:
    order, by = make_order(), make_user()
    Event.objects.bulk_create(Event(order=order, kind="moved", at=order.created_at) for _ in range(3_000))
    order.record("noted", by=by)
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE accounts_trailline")
    assert "trail_of_person" in Event.objects.filter(by=by).explain()
    assert "trail_of_person" in Event.objects.filter(by__in=[by]).order_by().explain()

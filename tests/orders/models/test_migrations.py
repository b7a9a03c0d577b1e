"""Migrations that meet a desk which has a part of what they add."""

from importlib import import_module

import pytest
from django.apps import apps
from django.db import connection

from orders.models import Order

hurry = import_module("orders.migrations.0013_order_hurry")


def order_indexes() -> set[str]:
    with connection.cursor() as cursor:
        return set(connection.introspection.get_constraints(cursor, Order._meta.db_table))


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("missing", [["order_alone"], ["order_alone", "order_hurry"], []])
def test_a_desk_that_has_the_column_gets_the_indexes_that_it_lacks(missing: list[str]) -> None:
    with connection.schema_editor() as editor:
        for index in Order._meta.indexes:
            if index.name in missing:
                editor.remove_index(Order, index)
    assert not order_indexes() & set(missing)
    with connection.schema_editor() as editor:
        hurry.add_where_missing(apps, editor)
    assert order_indexes() >= {"order_alone", "order_hurry"}

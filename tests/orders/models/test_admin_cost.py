"""What an admin page costs does not grow with its table: each list, filter, order, search and row of every model."""

import uuid
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from django.contrib import admin
from django.core.management.color import no_style
from django.db import connection, transaction
from django.db.models import AutoField, CharField, DateField, Model, TextField, UUIDField
from django.http import HttpRequest
from django.test import Client
from django.utils import timezone

from accounts.access import Role
from accounts.models import User
from catalog.models import ShrinkAlarm
from panel.web.admin_list import BEFORE
from panel.web.admin_record import SturdyAdmin
from tests.addresses import admin_address, one_of_everything, registered
from tests.orders.history import analyse, cost_of, grown
from tests.people import as_a

# Committed: PostgreSQL's autovacuum takes for nothing what no one has committed, and says so to the planner.
pytestmark = pytest.mark.django_db(transaction=True)
ROWS, PAGE = 60, 10  # of a list here, so that few rows are many
FEW, MORE = 150, 450  # rows of the model, and of what its rows belong to
OURS = {model for model, _ in registered()}
EACH = [pytest.param(model, keeper, id=model.__name__) for model, keeper in registered()]


@pytest.fixture(autouse=True)
def short_lists(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SturdyAdmin, "rows", ROWS)
    for _, keeper in registered():
        monkeypatch.setattr(keeper, "list_per_page", PAGE)


def test_every_registered_model_has_such_a_list() -> None:
    assert all(isinstance(keeper, SturdyAdmin) for _, keeper in registered())


@pytest.mark.slow
@pytest.mark.parametrize(("model", "keeper"), EACH)
def test_a_page_costs_the_same_however_many_rows_there_are(model: type[Model], keeper: "admin.ModelAdmin[Any]") -> None:
    one_of_everything()
    ShrinkAlarm.objects.update(closed_at=timezone.now())  # one is open at a time
    owner = as_a(Role.OWNER)
    costs: list[dict[str, int]] = []
    pages = list(pages_of(model, keeper, owner))
    assert len(pages) > 2 * len(keeper.list_display)
    for rows in (FEW, MORE):
        copy(model, rows, {})
        if model._default_manager.count() < ROWS:
            pytest.skip("its lines are merged as they come, so that they stay few")
        analyse()
        newest = model._default_manager.latest("pk").pk  # of counts another than before: lines are merged
        addresses = {page: page for page in pages}
        addresses |= {page: admin_address(model, page, newest) for page in ("change", "history")}
        costs.append({page: cost_of_page(owner, address) for page, address in addresses.items()})
    assert grown(costs[0], costs[1]) == {}


def pages_of(model: type[Model], keeper: "admin.ModelAdmin[Any]", owner: Client) -> Iterator[str]:
    """The addresses of everything that the admin offers of a model's list."""
    address, row = admin_address(model, "changelist"), model._default_manager.latest("pk")
    asked: list[dict[str, object]] = [{}, {"p": 2}, {"p": ROWS // PAGE}, {"p": 9_999}, {"_facets": "True"}]
    # PostgreSQL rightly reads some hundred orders whole to find sixty of them.
    asked += [{"all": ""}] if connection.vendor == "sqlite" else []
    asked += [{BEFORE: row.pk}]
    asked += [{"o": f"{sign}{column}"} for column in range(len(keeper.list_display) + 1) for sign in ("", "-")]
    searched = list(keeper.get_search_fields(HttpRequest()))
    if connection.vendor == "postgresql":  # it joins a page's rows with the whole catalog, to look for words in that
        searched = [name for name in searched if name[0] == "=" or "__" not in name]
    asked += [{"q": value_of(row, name.removeprefix("="))} for name in searched]
    asked += [{"q": "nothing like it"}] if searched and len(searched) == len(keeper.search_fields) else []
    yield from (f"{address}?{urlencode(query)}" for query in asked)
    changelist = owner.get(address).context["cl"]
    for filter_ in changelist.filter_specs:
        yield from {address + choice["query_string"] for choice in filter_.choices(changelist)}


def value_of(row: Model, path: str) -> object:
    """What `task__order__id` of a row is."""
    value: Any = row
    for name in path.split("__"):
        value = getattr(value, name)
    return value


def cost_of_page(owner: Client, page: str) -> int:
    def get() -> None:
        answer = owner.get(page)
        assert answer.status_code == 200 or answer.headers["Location"].endswith("?e=1"), page

    with transaction.atomic():
        if connection.vendor == "postgresql":  # it rightly reads some hundred rows whole to join them with a page's
            with connection.cursor() as cursor:
                cursor.execute("SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off")
        return cost_of(get)


def copy(model: type[Model], rows: int, copied: dict[type[Model], list[Any]]) -> list[Any]:
    """Adds rows like the oldest to a table; and to the tables of what they belong to as many, one for each."""
    if model in copied:
        return copied[model]
    first = model._default_manager.earliest("pk")
    belongs = [field for field in model._meta.concrete_fields if field.is_relation and getattr(first, field.attname)]
    others = {
        field: copy(field.related_model, rows, copied)
        for field in belongs
        if field.related_model in OURS and (field.unique or field.related_model is not User)
    }
    # Only few deliveries name the same order, so that it has no index of their newest.
    fields = [field for field in model._meta.concrete_fields if field.unique or field.name == "upstream_id"]
    distinct = {field.name for field in fields if not field.is_relation}
    for names in (constraint.fields for constraint in model._meta.constraints if hasattr(constraint, "fields")):
        if not {field.name for field in others} & set(names):
            distinct |= set(names[-1:])
    count = model._default_manager.count()
    copies = [model(**{f.attname: getattr(first, f.attname) for f in model._meta.concrete_fields}) for _ in range(rows)]
    for number, row in enumerate(copies, count + 1):
        for field in model._meta.concrete_fields:
            if isinstance(field, AutoField):
                row.pk = None
            elif field in others:
                setattr(row, field.name, others[field][number - count - 1])
            elif field.name in distinct and not field.is_relation and getattr(first, field.attname) is not None:
                setattr(row, field.attname, another(field, getattr(first, field.attname), number))
    with connection.cursor() as cursor:
        for sql in connection.ops.sequence_reset_sql(no_style(), [model]):
            cursor.execute(sql)
    copied[model] = model._default_manager.bulk_create(copies)
    return copied[model]


def another(field: Any, value: Any, number: int) -> Any:
    """A value of this field that no other row has."""
    if isinstance(field, UUIDField):
        return uuid.uuid4()
    if isinstance(field, CharField | TextField):
        return f"{value[:8]}-{number:06}"
    if isinstance(field, DateField):
        return value + timedelta(days=number)
    return value + number

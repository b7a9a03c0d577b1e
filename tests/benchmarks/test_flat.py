"""What is measured at two sizes: everything that the desk has. The measuring itself is a part of CI by itself."""

import re

import pytest
from django.urls import resolve

from catalog.models import SetAside
from orders.table.filters import FILTERS
from panel.worker.loop import STEPS
from panel.worker.recurring import RECURRING_WORK
from tests.addresses import plain_route, registered, routes
from tests.benchmarks import measure, rounds, visits
from tests.benchmarks.admin_visits import SEARCHED
from tests.benchmarks.flat import MOST_GROWTH, Row
from tests.benchmarks.measure import Counts
from tests.benchmarks.visitor import Line

AN_ID = "00000000-0000-4000-8000-000000000000"


def test_every_address_is_come_to() -> None:
    addresses = [Line.read(line).address for line in visits.LINES.strip().splitlines()]
    known = {plain_route(resolve(re.sub(r"{\w+}", "1", address.split("?")[0].replace("{draft}", AN_ID))).route)
             for address in (*addresses, *visits.ELSEWHERE)}  # fmt: skip
    of_models = tuple(f"admin/{model._meta.label_lower.replace('.', '/')}/" for model, _ in registered())
    unknown = {route for route, _ in routes() if not route.startswith(of_models)} - known
    assert not unknown, "say in LINES of tests/benchmarks/visits.py how somebody comes there"


def test_every_filter_and_search_is_tried() -> None:
    assert set(visits.FILTER_VALUES) == FILTERS.keys() - {"status", "open"}
    searched = {field.lstrip("=^") for _, model_admin in registered() for field in model_admin.search_fields}
    assert searched <= SEARCHED.keys()


def test_every_step_and_chore_of_the_worker_is_measured() -> None:
    assert rounds.CHORES.keys() == RECURRING_WORK.keys()
    assert len(STEPS) == rounds.STEPS_HERE


@pytest.mark.django_db
def test_what_is_counted_counts_all_statements_and_leaves_nothing_behind() -> None:
    SetAside.objects.create(digest="before", raw="", why="", first_seen_at="2026-01-01T00:00Z")

    def work() -> None:
        SetAside.objects.create(digest="after", raw="", why="", first_seen_at="2026-01-01T00:00Z")
        assert SetAside.objects.count() == 2

    few = measure.counted(work)
    assert (few.queries, few.writes) == (2, 1)
    assert few.units > 0
    assert SetAside.objects.count() == 1

    def more_work() -> None:
        work()
        SetAside.objects.filter(digest="after").delete()

    assert measure.counted(more_work).units > few.units


@pytest.mark.parametrize(
    ("few", "many", "flat"),
    [((100, 5), (120, 5), True), ((100, 5), (121, 5), False), ((100, 5), (100, 6), True), ((100, 5), (100, 7), False)],
)
def test_flat_is_at_most_a_fifth_more(few: tuple[int, int], many: tuple[int, int], flat: bool) -> None:
    assert MOST_GROWTH == 1.2
    assert Row("page", Counts(*few, 0), Counts(*many, 0)).flat is flat

"""The cost of pages and polls does not grow with the number of orders; the benchmark measures it at a million."""

from collections.abc import Callable

import pytest
from django.db import connection

from orders.table.listing import ROWS_A_PAGE
from panel.ops.planner import update_planner
from tests.benchmarks import data
from tests.benchmarks.orders_page import MOST_GROWTH, costs
from tests.benchmarks.page import browser_of
from tests.benchmarks.search import ask_for_refills

pytestmark = pytest.mark.django_db(transaction=True)
OLDER_BLOCKS = 2  # of a thousand orders


@pytest.mark.slow
@pytest.mark.parametrize("statistics", [None, update_planner], ids=["never analysed", "analysed when it was small"])
@pytest.mark.skipif(connection.vendor != "sqlite", reason="counts the steps of SQLite's virtual machine")
def test_pages_and_polls_take_the_same_steps_with_three_times_the_orders(statistics: Callable[[], None] | None) -> None:
    """Compares SQLite's steps for each tab, the first and the last page, and a poll without news."""
    owner, first = data.open_desk(), OLDER_BLOCKS * data.RECENT + 1
    browser = browser_of(owner)
    if statistics:
        data.write_orders(first + data.RECENT, 3)
        statistics()
    data.write_orders(first, data.RECENT)
    ask_for_refills(owner)  # many more than a page lists
    few = costs(owner, browser, last_page=first + ROWS_A_PAGE)
    data.write_older(first, OLDER_BLOCKS)
    many = costs(owner, browser, last_page=1 + ROWS_A_PAGE)
    assert {name: steps for name, steps in many.items() if steps > few[name] * MOST_GROWTH} == {}

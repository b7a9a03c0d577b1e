"""What a page and a poll cost does not grow with the orders behind them; the benchmark has it at a million."""

import pytest
from django.db import connection

from orders.table.listing import ROWS_A_PAGE
from tests.benchmarks import data
from tests.benchmarks.finding import ask_for_refills
from tests.benchmarks.orders_page import MOST_GROWTH, costs
from tests.benchmarks.page import browser_of

pytestmark = pytest.mark.django_db(transaction=True)
BLOCKS = 2  # of a thousand


@pytest.mark.skipif(connection.vendor != "sqlite", reason="counts the steps of SQLite's virtual machine")
def test_every_tab_and_a_poll_take_the_same_steps_with_three_times_the_orders() -> None:
    owner, first = data.open_desk(), BLOCKS * data.RECENT + 1
    browser = browser_of(owner)
    data.write_orders(first, data.RECENT)
    ask_for_refills(owner)  # of which there are then many more than a page has
    few = costs(owner, browser, last_page=first + ROWS_A_PAGE)
    data.write_older(first, BLOCKS)
    many = costs(owner, browser, last_page=1 + ROWS_A_PAGE)
    assert {name: steps for name, steps in many.items() if steps > few[name] * MOST_GROWTH} == {}

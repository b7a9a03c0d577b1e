"""One form, sent a thousand times by eight processes at once, is one order."""

import uuid
from pathlib import Path

import pytest

from tests.kills.clicks import clicks
from tests.kills.desk import Desk

pytestmark = pytest.mark.campaign


def test_a_thousand_submissions_of_one_form_are_one_order(tmp_path: Path) -> None:
    with Desk(tmp_path) as desk:
        desk.worker(1)
        places = set(clicks(desk, desk.form("https://instagram.com/p/1", str(uuid.uuid4())), "/orders/new/"))
        orders = desk.query("SELECT id FROM orders_order")
        tasks = desk.query("SELECT id FROM orders_task")
        desk.wait_for_none("SELECT id FROM orders_task WHERE settled_at IS NULL")
        booked = desk.books()["orders"]
    assert places == {f"/orders/{orders[0][0]}/"}, "every one of the thousand leads to the order"
    assert (len(orders), len(tasks), len(booked)) == (1, 1, 1)

"""One form, sent a thousand times by eight processes at once, is one order."""

import json
import subprocess
import sys
import uuid
from pathlib import Path

import pytest

from tests.campaign.points import HOUSE
from tests.kills.desk import Desk

pytestmark = pytest.mark.campaign

PROCESSES, TIMES = 8, 125


def test_a_thousand_submissions_of_one_form_are_one_order(tmp_path: Path) -> None:
    with Desk(tmp_path) as desk:
        desk.worker(1)
        form = json.dumps(desk.form("https://instagram.com/p/1", str(uuid.uuid4())))
        command = [sys.executable, "-m", "tests.kills.clicker", str(desk.port), str(TIMES)]
        clickers = [
            subprocess.Popen(command, cwd=HOUSE, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            for _ in range(PROCESSES)
        ]
        for clicker in clickers:
            assert clicker.stdin and clicker.stdout
            clicker.stdin.write(form + "\n")
            clicker.stdin.flush()
            assert clicker.stdout.readline() == "ready\n"
        for clicker in clickers:
            assert clicker.stdin
            clicker.stdin.write("go\n")
            clicker.stdin.flush()
        places = {place for clicker in clickers for place in json.loads(clicker.communicate(timeout=120)[0])}
        orders = desk.query("SELECT id FROM orders_order")
        tasks = desk.query("SELECT id FROM orders_task")
        desk.wait_for_none("SELECT id FROM orders_task WHERE settled_at IS NULL")
        booked = desk.books()["orders"]
    assert places == {f"/orders/{orders[0][0]}/"}, "every one of the thousand leads to the order"
    assert (len(orders), len(tasks), len(booked)) == (1, 1, 1)

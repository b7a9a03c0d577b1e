"""A process that is killed while it makes a plan or places a part: all of it is there, or none, and none twice."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from panel.ops import failpoints
from tests import ROOT
from tests.kills.desk import own_database, reader

pytestmark = pytest.mark.campaign
LINES, PARTS = 18, 2
COUNTS = """SELECT (SELECT COUNT(*) FROM orders_plan), (SELECT COUNT(*) FROM orders_planpart),
    (SELECT COUNT(*) FROM orders_planpart WHERE outcome = 'placed'), (SELECT COUNT(*) FROM orders_massdraft),
    (SELECT COUNT(*) FROM orders_massjob), (SELECT COUNT(*) FROM orders_order),
    (SELECT COUNT(DISTINCT request_id) FROM orders_order), (SELECT COUNT(*) FROM orders_task),
    (SELECT COUNT(*) FROM accounts_trailline WHERE kind IN ('plan_made', 'part_placed'))"""
PASTED, PLANNED = (0, 0, 0, 1, 0, 0, 0, 0, 0), (1, PARTS, 0, 0, 0, 0, 0, 0, 1)


def after(parts: int) -> tuple[int, ...]:
    """The counts when so many parts were placed."""
    orders = parts * LINES // PARTS
    return (1, PARTS, parts, 0, parts, orders, orders, orders, 1 + parts)


def test_a_kill_anywhere_leaves_a_part_placed_once_or_still_to_come(tmp_path: Path) -> None:
    with own_database(tmp_path) as url, reader(url) as query:

        def run(*more: str, point: str = "") -> tuple[int, list[str]]:
            env = {**os.environ, "DATABASE_URL": url, failpoints.ENV: f"{point}@1" if point else ""}
            command = [sys.executable, "-m", "tests.kills.planner", *more]
            ended = subprocess.run(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True)
            return ended.returncode, ended.stdout.split()

        _, draft = run("paste", str(LINES))
        for point, left in (("plan.half", PASTED), ("plan.commit", PASTED), ("plan.committed", PLANNED)):
            assert run("plan", *draft, point=point) == (-signal.SIGKILL, [])
            assert query(COUNTS) == [left], point
        assert run("plan", *draft) == (0, [str(query("SELECT id FROM orders_plan")[0][0])]), "the same plan"
        # Also after the list is placed, for the part is not settled yet.
        for point in ("part.half", "mass.half", "mass.commit", "mass.committed", "part.commit"):
            assert run("work", point=point) == (-signal.SIGKILL, [])
            assert query(COUNTS) == [PLANNED], point
        assert run("work", point="part.committed") == (-signal.SIGKILL, [])
        assert query(COUNTS) == [after(1)]
        assert run("work") == (0, ["1"])
        assert query(COUNTS) == [after(2)]
        assert run("work") == (0, ["0"])

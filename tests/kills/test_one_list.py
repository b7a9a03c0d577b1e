"""A process that is killed while it places a list: all its orders are there, or none, and a repeat is the same list."""

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
LINES = 30
COUNTS = """SELECT (SELECT COUNT(*) FROM orders_order), (SELECT COUNT(DISTINCT request_id) FROM orders_order),
    (SELECT COUNT(*) FROM orders_task), (SELECT COUNT(*) FROM orders_massline), (SELECT COUNT(*) FROM orders_massjob),
    (SELECT COUNT(*) FROM orders_massdraft), (SELECT COUNT(*) FROM accounts_trailline WHERE kind = 'placed')"""
NOTHING, ALL = (0, 0, 0, 0, 0, 1, 0), (LINES, LINES, LINES, LINES, 1, 0, LINES)


def test_a_kill_anywhere_leaves_all_orders_of_a_list_or_none(tmp_path: Path) -> None:
    with own_database(tmp_path) as url, reader(url) as query:

        def run(*more: str, point: str = "") -> tuple[int, list[str]]:
            env = {**os.environ, "DATABASE_URL": url, failpoints.ENV: f"{point}@1" if point else ""}
            command = [sys.executable, "-m", "tests.kills.lister", *more]
            ended = subprocess.run(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True)
            return ended.returncode, ended.stdout.split()

        _, draft = run("paste", str(LINES))
        for point, left in (("mass.half", NOTHING), ("mass.commit", NOTHING), ("mass.committed", ALL)):
            assert run("place", *draft, point=point) == (-signal.SIGKILL, [])
            assert query(COUNTS) == [left], point
        ((pk,),) = query("SELECT id FROM orders_massjob")  # not 1 where what was undone keeps its number
        assert run("place", *draft) == (0, [str(pk)]), "the same list"
        assert query(COUNTS) == [ALL]

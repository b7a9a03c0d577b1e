"""What was committed survives a loss of power: a request_id that may have been sent is never forgotten."""

import sqlite3
import subprocess
import sys
import uuid
from contextlib import closing
from pathlib import Path

import pytest
from django.db import connection

from tests import ROOT
from tests.campaign import power

ORDERS = 5

pytestmark = [
    pytest.mark.skipif(power.library() is None, reason="Python's SQLite is sealed in: no fsync can be watched"),
    pytest.mark.skipif(connection.vendor != "sqlite", reason="it brings its own SQLite, once is enough"),
]


def acknowledged_and_kept(folder: Path, durability: str) -> tuple[set[str], set[str]]:
    """request_ids whose commit had returned, and those that a disk holds after the power went."""
    command = [sys.executable, "-m", "tests.campaign.power", str(folder), durability, str(ORDERS)]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    with closing(sqlite3.connect(folder / "disk" / power.NAME)) as disk:
        kept = {str(uuid.UUID(row[0])) for row in disk.execute("SELECT request_id FROM orders_order")}
    return set(ran.stdout.split()), kept


@pytest.mark.slow
def test_a_committed_order_survives_a_loss_of_power(tmp_path: Path) -> None:
    acknowledged, kept = acknowledged_and_kept(tmp_path, "FULL")
    assert len(acknowledged) == ORDERS
    assert kept == acknowledged


@pytest.mark.slow
def test_with_less_it_would_not(tmp_path: Path) -> None:
    """So the test above can fail: SQLite's usual setting for WAL forgets what it had promised."""
    acknowledged, kept = acknowledged_and_kept(tmp_path, "NORMAL")
    assert acknowledged - kept

"""How much memory a web server takes. It grows for the first hundreds of pages, whatever else the machine does."""

import subprocess
import sys

import pytest

from tests import ROOT


@pytest.mark.slow
def test_a_web_server_stays_small() -> None:
    command = [sys.executable, "-m", "tests.benchmarks.capacity", "300", "100"]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "megabytes after 400 requests" in ran.stdout

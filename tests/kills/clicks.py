"""Eight processes that send one form again and again, all let go at once."""

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping

from tests import ROOT
from tests.kills.desk import Desk

PROCESSES, TIMES = 8, 125  # a thousand together
MOST_SECONDS = 300.0


def clicks(desk: Desk, form: tuple[str, Mapping[str, str]], path: str, times: int = TIMES) -> Counter[str]:
    """So many of each process, with this body and these headers; where the answers led, or their HTTP status."""
    command = [sys.executable, "-m", "tests.kills.clicker", str(desk.port), str(times), path]
    clickers = [
        subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(PROCESSES)
    ]
    for clicker in clickers:
        assert clicker.stdin and clicker.stdout
        clicker.stdin.write(json.dumps(form) + "\n")
        clicker.stdin.flush()
        assert clicker.stdout.readline() == "ready\n"
    for clicker in clickers:
        assert clicker.stdin
        clicker.stdin.write("go\n")
        clicker.stdin.flush()
    return sum((Counter(json.loads(clicker.communicate(timeout=MOST_SECONDS)[0])) for clicker in clickers), Counter())

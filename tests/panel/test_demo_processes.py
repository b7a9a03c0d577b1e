"""The demo's programs live and die together: real processes, real signals."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

SECONDS = 60.0  # far longer than anything here takes, so that only a hang fails on it

# A program with a child; both write down their process ids. The child ignores SIGTERM, so it has to be killed.
FAMILY = """
import os, pathlib, signal, sys, time
if os.fork() == 0:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
pathlib.Path(sys.argv[1], str(os.getpid())).touch()
print("here I am", flush=True)
time.sleep(600)
"""
HOUSE = """
import sys
from panel.demo import processes
from panel.demo.processes import Processes, Stopped, Trouble
processes.GRACE_SECONDS = 0.3
family, folder, *last_words = sys.argv[1:]
try:
    with Processes({}) as house:
        house.start("family", [sys.executable, "-c", family, folder])
        if last_words:
            house.start("mortal", [sys.executable, "-c", last_words[0]])
        house.watch()
except Stopped:
    print("stopped")
except Trouble as trouble:
    sys.exit(str(trouble))
"""


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """Where the family writes its process ids. None of the family outlives the test."""
    yield tmp_path
    for pid in living(tmp_path):
        os.kill(pid, signal.SIGKILL)


def open_house(pids: Path, *last_words: str) -> subprocess.Popen[str]:
    """A process that runs the family, and beside it a program of these words if there are any."""
    command = [sys.executable, "-c", HOUSE, FAMILY, str(pids), *last_words]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def living(pids: Path) -> list[int]:
    """The process ids of the family that still run, without zombies."""
    states = {int(path.name): Path(f"/proc/{path.name}/stat") for path in pids.iterdir()}
    return [pid for pid, stat in states.items() if stat.exists() and stat.read_text().split()[2] != "Z"]


def wait_for_family(pids: Path) -> None:
    """Waits until the program and its child have started."""
    deadline = time.monotonic() + SECONDS
    while len(living(pids)) < 2:
        assert time.monotonic() < deadline, "the family never started"
        time.sleep(0.02)


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_it_leaves_no_process_when_asked_to_stop(folder: Path, sent: signal.Signals) -> None:
    house = open_house(folder)
    wait_for_family(folder)

    house.send_signal(sent)
    output, errors = house.communicate(timeout=SECONDS)

    assert (house.returncode, errors, living(folder)) == (0, "", [])
    assert output == "family  | here I am\n" * 2 + "stopped\n"


def test_it_ends_everything_and_says_why_when_a_program_dies(folder: Path) -> None:
    waits = f"import os, time\nwhile len(os.listdir({str(folder)!r})) < 2: time.sleep(0.02)\n"

    house = open_house(folder, waits + "print('out of paper', flush=True); raise SystemExit(7)")
    output, errors = house.communicate(timeout=SECONDS)

    assert (house.returncode, living(folder)) == (1, [])
    assert errors == "mortal ended with exit code 7; its last output is above.\n"
    assert "mortal  | out of paper\n" in output


def test_it_names_the_signal_that_killed_a_program(folder: Path) -> None:
    house = open_house(folder, "import os; os.kill(os.getpid(), 9)")

    _, errors = house.communicate(timeout=SECONDS)

    assert errors == "mortal was killed by SIGKILL; its last output is above.\n"


def test_it_ends_everything_when_nobody_reads_its_output_any_more(folder: Path) -> None:
    chatters = "import time\nwhile True: print('and another thing', flush=True); time.sleep(0.02)"
    with open_house(folder, chatters) as house:
        wait_for_family(folder)
        assert house.stdout is not None
        house.stdout.close()
        house.wait(timeout=SECONDS)

    assert living(folder) == []


LOGGED = """
import pathlib, sys
from panel.demo.processes import Processes, Trouble
log = pathlib.Path(sys.argv[1])
mortal = "import pathlib, sys, time\\nwhile not pathlib.Path(sys.argv[1]).exists(): time.sleep(0.02)\\n"
mortal += "print('out of paper', flush=True); raise SystemExit(7)"
try:
    with Processes({}) as house:
        house.start("mortal", [sys.executable, "-c", mortal, str(log)])
        house.log_to(log)
        house.say("The logins.")
        house.watch()
except Trouble as trouble:
    sys.exit(str(trouble))
"""


def test_what_was_said_last_stays_last_and_a_death_is_still_explained(tmp_path: Path) -> None:
    """What programs print goes to a file once the logins stand there, save the last lines of one that dies."""
    log = tmp_path / "said.log"

    done = subprocess.run([sys.executable, "-c", LOGGED, str(log)], capture_output=True, text=True, timeout=SECONDS)

    assert done.stdout == "The logins.\nmortal  | out of paper\n"
    assert done.stderr == "mortal ended with exit code 7; its last output is above.\n"
    assert log.read_text() == "mortal  | out of paper\n"

"""Plants every mistake in a copy and runs the tests that must notice: `python -m tests.mutants [WORDS OF A NAME]`.

Exit code 1 when a mistake goes unnoticed, or when it cannot be planted because the code has moved on.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests import ROOT
from tests.mutants import (
    answering,
    asking,
    attending,
    books,
    customers,
    door,
    earning,
    entering,
    exposing,
    fronting,
    handing,
    knowing,
    limiting,
    links,
    listing,
    massing,
    measuring,
    owing,
    planning,
    polling,
    prices,
    reading,
    rights,
    seeing,
    sending,
    showing,
    starting,
    summing,
    trailing,
)
from tests.mutants.mistake import Mistake

PARTS = (
    sending, knowing, polling, links, answering, asking, starting, books, reading, showing, seeing, listing, measuring,
    customers, prices, attending, exposing, entering, door, fronting, owing, trailing, limiting, earning, handing,
    rights, summing, massing,
    planning,
)  # fmt: skip
MISTAKES = tuple(mistake for part in PARTS for mistake in part.MISTAKES)
LEFT_BEHIND = shutil.ignore_patterns(".*", "node_modules", "test-results", "__pycache__")
MOST_SECONDS = 300.0  # for one mistake's tests; usually ten
FAILED = 1  # pytest's exit code for tests that ran and failed; 2 to 5 mean that none could tell


def main(words: str) -> int:
    chosen = [mistake for mistake in MISTAKES if words in mistake.name]
    none = Mistake("nothing at all", "", "", "", " ".join(sorted({mistake.tests for mistake in chosen})))
    with tempfile.TemporaryDirectory(prefix="desk-mutants-") as folder, ThreadPoolExecutor(os.cpu_count()) as pool:
        tries = pool.map(lambda mistake: attempt(mistake, Path(folder)), [none, *chosen])
        missed = [mistake.name for mistake, noticed in zip([none, *chosen], tries, strict=True) if not noticed]
    print(f"\nMISSED: {'; '.join(missed)}" if missed else f"\nok: {len(chosen)} mistakes, every one was noticed")
    return 1 if missed else 0


def attempt(mistake: Mistake, folder: Path) -> bool:
    """Whether the tests judged the copy with this mistake as they should: failed, or with none at all passed."""
    copy, began = Path(tempfile.mkdtemp(dir=folder)) / "desk", time.monotonic()
    shutil.copytree(ROOT, copy, ignore=LEFT_BEHIND)
    if why := plant(mistake, copy):
        print(f"CANNOT  {mistake.name}: {why}", flush=True)
        return False
    code, said = run(mistake.tests.split(), copy)
    good = code == (FAILED if mistake.file else 0)
    by = next((line for line in said.splitlines() if line.startswith(("FAILED", "ERROR"))), said[-2000:])
    verdict = "noticed" if good else "MISSED "
    print(
        f"{verdict} {mistake.name} ({time.monotonic() - began:.0f} s) {by if good != (not mistake.file) else ''}",
        flush=True,
    )
    shutil.rmtree(copy.parent)
    return good


def plant(mistake: Mistake, copy: Path) -> str:
    """Makes the change; why not, if it cannot be made."""
    if not mistake.file:
        return ""
    path = copy / mistake.file
    text = path.read_text()
    if text.count(mistake.old) != 1:
        return f"{mistake.file} holds what it replaces {text.count(mistake.old)} times"
    path.write_text(text.replace(mistake.old, mistake.new))
    return ""


def run(tests: list[str], copy: Path) -> tuple[int, str]:
    """pytest's exit code and words; no time left counts as not noticed."""
    # One cache for all copies: it holds the migrated database that tests begin with.
    command = [sys.executable, "-m", "pytest", "-x", "--tb=no", "-rf", "-o", f"cache_dir={copy.parents[1] / 'cache'}"]
    if not any(
        test.startswith("tests/browser/") for test in tests
    ):  # which would end in an error, as if it had noticed
        command += ["-p", "no:playwright"]
    command += ["-m", "not campaign", *tests]
    try:
        ran = subprocess.run(command, cwd=copy, capture_output=True, text=True, timeout=MOST_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return -1, f"no end within {MOST_SECONDS:g} s"
    return ran.returncode, ran.stdout + ran.stderr


if __name__ == "__main__":
    raise SystemExit(main(" ".join(sys.argv[1:])))

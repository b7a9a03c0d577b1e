"""What the tests need of the machine: how it is looked for and got, and what happens to tests that go without."""

import os
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from tests import ROOT, chromium, machine
from tests.machine import Need

SECONDS = 120.0  # for a small run of pytest on a busy machine; usually three
APT, DOWNLOAD, WITH_LIBRARIES = "apt-get install", "playwright install", "playwright install --with-deps"
SHELL = "chromium-headless-shell"


class Machine:
    """A machine that has some of the NEEDS, and to which packages and downloads can come, or not."""

    def __init__(self, has: str, packages: str, download: bool) -> None:
        self.has, self.packages, self.download = set(has.split()), packages.split(), download
        self.done: list[str] = []

    def run(self, *command: str, **_variables: str) -> None:
        """Stands in for machine.run: does what the command would do, and writes it down."""
        if command[:2] == ("apt-get", "install"):
            self.done.append(f"{APT} {command[-1]}")
            got = {need.package: name for name, need in machine.NEEDS.items()}[command[-1]]
            self.has |= {got} if command[-1] in self.packages else set()
        elif "playwright" in command:
            self.done.append(WITH_LIBRARIES if "--with-deps" in command else DOWNLOAD)
            self.has |= {"browser"} if self.download else set()


@pytest.mark.parametrize(
    ("has", "root", "packages", "download", "wanted", "done", "still_missing"),
    [
        ("browser fonts", True, "", False, "browser fonts", [], ""),
        ("browser fonts", False, "", False, "browser fonts", [], ""),
        ("fonts", True, SHELL, False, "browser fonts", [f"{APT} {SHELL}"], ""),
        ("fonts", True, SHELL, True, "browser", [f"{APT} {SHELL}"], ""),
        ("fonts", True, "", True, "browser fonts", [f"{APT} {SHELL}", WITH_LIBRARIES], ""),
        ("fonts", True, "", False, "browser fonts", [f"{APT} {SHELL}", WITH_LIBRARIES], SHELL),
        ("fonts", False, SHELL, True, "browser fonts", [DOWNLOAD], ""),
        ("fonts", False, SHELL, False, "browser fonts", [DOWNLOAD], SHELL),
        ("browser", False, "fonts-liberation", True, "browser fonts", [], "fonts-liberation"),
        ("browser", True, "fonts-liberation", True, "browser fonts", [f"{APT} fonts-liberation"], ""),
        ("", True, "fonts-liberation", False, "browser fonts",
         [f"{APT} {SHELL}", f"{APT} fonts-liberation", WITH_LIBRARIES], SHELL),
        ("", False, "", False, "browser fonts", [DOWNLOAD], f"{SHELL} fonts-liberation"),
        ("browser", True, "libatomic1", True, "driver browser", [f"{APT} libatomic1"], ""),
        ("fonts", True, f"libatomic1 {SHELL}", True, "driver browser fonts",
         [f"{APT} libatomic1", f"{APT} {SHELL}"], ""),
        ("fonts", False, "", True, "driver browser fonts", [], f"libatomic1 {SHELL}"),
        ("driver browser fonts make nginx openssl curl", True, "postgresql", False, "", [f"{APT} postgresql"], ""),
        ("driver browser fonts make nginx openssl curl", False, "postgresql", True, "", [], "postgresql"),
        ("driver browser fonts make postgres", True, "nginx openssl curl", False, "",
         [f"{APT} nginx", f"{APT} openssl", f"{APT} curl"], ""),
        ("openssl curl", False, "nginx", False, "nginx openssl curl", [], "nginx"),
        ("browser fonts", True, "postgresql make", False, "browser", [], ""),
    ],
)  # fmt: skip
def test_what_is_missing_is_got_where_it_can_be_had(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path,
    has: str, root: bool, packages: str, download: bool, wanted: str, done: list[str], still_missing: str,
) -> None:  # fmt: skip
    here = Machine(has, packages, download)
    looked = {name: need._replace(is_here=partial(here.has.__contains__, name)) for name, need in machine.NEEDS.items()}
    monkeypatch.setattr(machine, "NEEDS", looked)
    monkeypatch.setattr(machine, "run", here.run)
    monkeypatch.setattr(machine, "may_install_packages", lambda: root)
    monkeypatch.setattr(machine, "NO_MAIN_CLUSTER", tmp_path / "etc" / "createcluster.conf")
    monkeypatch.setattr(machine, "MAY_START", tmp_path / "sbin" / "policy-rc.d")
    code = machine.main(wanted.split())
    assert (code, here.done) == (1 if still_missing else 0, done)
    said = capsys.readouterr().err
    assert (f"To have it, as root on Debian: apt-get install {still_missing}\n" in said) == bool(still_missing)
    assert (tmp_path / "etc").exists() == (f"{APT} postgresql" in done)


@pytest.mark.parametrize("own_word", ["", "#!/bin/sh\nexit 0\n"])
def test_what_is_installed_starts_no_service(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, own_word: str) -> None:
    """Debian's nginx would otherwise take this machine's ports. A machine that has its own word on that keeps it."""
    program = tmp_path / "policy-rc.d"
    if own_word:
        program.write_text(own_word)
        program.chmod(0o755)
    answers = list[int]()

    def run(*command: str) -> None:
        if command[1] == "install":
            answers.append(subprocess.run([program, "nginx", "start"], check=False).returncode)

    monkeypatch.setattr(machine, "MAY_START", program)
    monkeypatch.setattr(machine, "run", run)
    machine.install_packages([machine.NEEDS["nginx"]])
    assert answers == [0 if own_word else 101]  # 101: it may not
    assert program.exists() == bool(own_word)


def test_a_command_that_fails_or_is_not_there_ends_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    machine.run(sys.executable, "-c", "import sys; print('E: no such package'); sys.exit(100)")
    machine.run("/nowhere/apt-get", "install", "chromium")
    said = capsys.readouterr().err
    assert "failed: E: no such package" in said and "/nowhere/apt-get: " in said


# ── Which browser ────────────────────────────────────────────────────────────────────────────────
@pytest.fixture
def nothing_here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """A folder in which a test puts browsers, on a machine that has no others."""
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("PLAYWRIGHT_BROWSERS_PATH", str(tmp_path / "browsers"))
    monkeypatch.setattr(chromium, "NAMES", [name for name in chromium.NAMES if not name.startswith("/")])
    chromium.chromium.cache_clear()
    yield tmp_path
    chromium.chromium.cache_clear()


STARTS, FAILS, NO_PROGRAM = "#!/bin/sh\nexit 0\n", "#!/bin/sh\nexit 1\n", "nothing to run"
DOWNLOADED = "browsers/chromium_headless_shell-1255/chrome-headless-shell-linux64/chrome-headless-shell"


@pytest.mark.parametrize(
    ("programs", "chosen"),
    [
        ({"bin/chromium-headless-shell": STARTS, "bin/chromium": STARTS}, "bin/chromium-headless-shell"),
        ({"bin/chromium": STARTS}, "bin/chromium"),
        ({"bin/chromium-browser": STARTS, "bin/google-chrome": STARTS}, "bin/chromium-browser"),
        ({"bin/chromium-browser": FAILS, "bin/google-chrome": STARTS}, "bin/google-chrome"),
        ({"bin/chromium-headless-shell": NO_PROGRAM, "bin/google-chrome-stable": STARTS}, "bin/google-chrome-stable"),
        ({"bin/chromium": STARTS, DOWNLOADED: STARTS}, "bin/chromium"),
        ({"bin/chromium": FAILS, DOWNLOADED: STARTS}, DOWNLOADED),
        ({DOWNLOADED: STARTS}, DOWNLOADED),
        ({"browsers/chromium-1200/chrome-linux/chrome": STARTS}, "browsers/chromium-1200/chrome-linux/chrome"),
        ({"browsers/chromium_headless_shell-1/chrome-linux/headless_shell": STARTS},
         "browsers/chromium_headless_shell-1/chrome-linux/headless_shell"),
        ({DOWNLOADED: FAILS}, ""),
        ({"bin/firefox": STARTS, "browsers/firefox-1/firefox/firefox": STARTS}, ""),
        ({}, ""),
    ],
)  # fmt: skip
def test_the_first_browser_that_starts_is_taken(nothing_here: Path, programs: dict[str, str], chosen: str) -> None:
    for name, script in programs.items():
        path = nothing_here / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(script)
        path.chmod(0o755)
    if chosen:
        assert chromium.chromium() == str(nothing_here / chosen)
    else:
        assert not machine.has_browser()


# ── Without one ──────────────────────────────────────────────────────────────────────────────────
IN_A_BROWSER = "tests/browser/test_finding.py::test_two_people_see_each_other_and_one_sees_that_contact_is_lost"


def run_two_tests(folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Runs a test that looks at a page and one that does not, on a machine without a browser."""
    env = {
        **os.environ,
        "PATH": str(folder),
        "PLAYWRIGHT_BROWSERS_PATH": str(folder),
        "NOTHING_LEFT_OUT": "",
        **variables,
    }
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-n", "1",
               IN_A_BROWSER, "tests/panel/format/test_times.py"]  # fmt: skip
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=SECONDS)


@pytest.mark.slow
def test_without_a_browser_the_rest_passes_and_the_last_lines_say_what_was_left_out(tmp_path: Path) -> None:
    ran = run_two_tests(tmp_path)
    *_, told, closing = ran.stdout.splitlines()
    assert ran.returncode == 0, ran.stdout
    assert told.startswith("1 test was left out. This machine has no ") and "Chromium that starts" in told
    assert "To have it, as root on Debian: apt-get install " in told and SHELL in told
    assert "1 skipped" in closing and "passed" in closing and "failed" not in closing


def test_without_nginx_its_tests_are_left_out_and_the_last_lines_say_so(tmp_path: Path) -> None:
    env = {**os.environ, "PATH": str(tmp_path), "NOTHING_LEFT_OUT": ""}
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-m", "slow",
               "tests/panel/proxy/test_slow_clients.py"]  # fmt: skip
    ran = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=SECONDS)
    *_, told, closing = ran.stdout.splitlines()
    assert ran.returncode == 0, ran.stdout
    assert (
        " tests were left out. This machine has no " in told and "apt-get install " in told and "passed" not in closing
    )
    assert machine.FOR_A_TEST_WITH["nginx_here"] == ("nginx", "openssl", "curl")


@pytest.mark.slow
def test_where_nothing_may_be_left_out_the_run_fails(tmp_path: Path) -> None:
    ran = run_two_tests(tmp_path, NOTHING_LEFT_OUT="true")
    assert ran.returncode == pytest.ExitCode.TESTS_FAILED
    assert "This run may leave none out, so it failed." in ran.stdout.splitlines()[-2]


def test_ci_leaves_nothing_out_and_make_test_gets_what_it_can() -> None:
    assert "export NOTHING_LEFT_OUT=true" in (ROOT / ".ci" / "run").read_text()
    makefile = (ROOT / "Makefile").read_text()
    recipe = makefile.partition("\ntest:")[2].partition("\n\n")[0]
    assert "-m tests.machine driver browser fonts || true\n" in recipe
    assert "-m tests.machine nginx openssl curl || true\n" in makefile and "\nslow: proxy-to-test test\n" in makefile
    assert isinstance(machine.NEEDS["browser"], Need)

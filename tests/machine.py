"""What the tests need of the machine beside Python, and how to get it: `python -m tests.machine [NAME …]`.

Debian's packages are installed where that is allowed, and playwright downloads a browser where there is still none.
Without a browser, or nginx, the tests that need it are left out (conftest.py).
Exit code 1 when something is missing in the end.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import NamedTuple

from tests.chromium import browser_folders, chromium
from tests.nginx import find_nginx
from tests.postgres import find_programs

FONT_FOLDERS = (
    "/usr/share/fonts", "/usr/local/share/fonts", "~/.fonts", "~/.local/share/fonts",
    "/System/Library/Fonts", "/Library/Fonts", "~/Library/Fonts",
)  # fmt: skip
MOST_SECONDS = 600.0  # for one package or a download, on a slow line
# Of PostgreSQL only the programs are wanted: the tests start a cluster of their own.
NO_MAIN_CLUSTER = Path("/etc/postgresql-common/createcluster.conf")
# Nor shall nginx take this machine's ports. Debian asks this program whether a package may start its service.
MAY_START = Path("/usr/sbin/policy-rc.d")
NOTHING_STARTS = "#!/bin/sh\nexit 101\n"


class Need(NamedTuple):
    """A thing that some tests need. `package` is Debian's."""

    what: str
    package: str
    is_here: Callable[[], bool]


def has_browser() -> bool:
    """Whether a Chromium is here that starts."""
    try:
        return bool(chromium())
    except FileNotFoundError:
        return False


@cache
def has_driver() -> bool:
    """Whether playwright's driver starts: its own node needs a library that slim images lack."""
    ran = subprocess.run([sys.executable, "-m", "playwright", "--version"], capture_output=True, check=False)
    return ran.returncode == 0


def has_fonts() -> bool:
    """Whether there is any font, without which text has no width and nothing can be pressed."""
    folders = [Path(folder).expanduser() for folder in FONT_FOLDERS]
    return any(any(folder.rglob(f"*.{kind}")) for folder in folders for kind in ("ttf", "otf", "ttc"))


NEEDS = {
    "driver": Need("libatomic for playwright", "libatomic1", has_driver),
    "browser": Need("Chromium that starts", "chromium-headless-shell", has_browser),
    "fonts": Need("fonts", "fonts-liberation", has_fonts),
    "postgres": Need("PostgreSQL", "postgresql", lambda: find_programs() is not None),
    "make": Need("make", "make", lambda: shutil.which("make") is not None),
    "nginx": Need("nginx", "nginx", lambda: find_nginx() is not None),
    "openssl": Need("openssl", "openssl", lambda: shutil.which("openssl") is not None),
    "curl": Need("curl", "curl", lambda: shutil.which("curl") is not None),
}
# What a test needs that has this fixture; it is left out where something of it is missing.
FOR_A_TEST_WITH = {
    "browser": ("driver", "browser", "fonts"),
    "nginx_here": ("nginx", "openssl", "curl"),
}


def main(names: Sequence[str]) -> int:
    """Gets what is missing of these, or of all. 1 when something still is, after saying what to install."""
    wanted = [NEEDS[name] for name in names or NEEDS]
    missing = [need for need in wanted if not need.is_here()]
    if missing and may_install_packages():
        say(f"installing Debian's {packages(missing)}")
        install_packages(missing)
        missing = [need for need in missing if not need.is_here()]
    if NEEDS["browser"] in missing and NEEDS["driver"] not in missing:  # the driver downloads it
        say("downloading a browser for playwright")
        download_browser()
        missing = [need for need in missing if not need.is_here()]
    if missing:
        say(advice(missing))
    return 1 if missing else 0


def missing_for(fixture: str) -> list[Need]:
    """What is missing of all that a test with this fixture needs, one of FOR_A_TEST_WITH."""
    return [need for name in FOR_A_TEST_WITH[fixture] if not (need := NEEDS[name]).is_here()]


def advice(missing: Sequence[Need]) -> str:
    """What is not here, and how a person gets it."""
    return (
        f"This machine has no {' and no '.join(need.what for need in missing)}. "
        f"To have it, as root on Debian: apt-get install {packages(missing)}"
    )


def packages(needs: Sequence[Need]) -> str:
    """The names of Debian's packages, with blanks between."""
    return " ".join(need.package for need in needs)


def may_install_packages() -> bool:
    """Whether this is root on a Debian or its like."""
    return os.geteuid() == 0 and shutil.which("apt-get") is not None


def install_packages(needs: Sequence[Need]) -> None:
    """Installs each as well as it goes: where one cannot be had, the others still can."""
    if NEEDS["postgres"] in needs:
        NO_MAIN_CLUSTER.parent.mkdir(parents=True, exist_ok=True)
        NO_MAIN_CLUSTER.write_text("create_main_cluster = false\n")
    run("apt-get", "update", "-qq")
    with no_service_starts():
        for need in needs:
            run(
                "apt-get", "install", "-y", "-qq", "--no-install-recommends", "-o", "Dpkg::Options::=--force-confold",
                need.package,
            )  # fmt: skip
    look_anew()


@contextmanager
def no_service_starts() -> Iterator[None]:
    """Inside, a package that is installed starts nothing. A machine that has its own word on that keeps it."""
    ours = not MAY_START.exists()
    if ours:
        MAY_START.parent.mkdir(parents=True, exist_ok=True)
        MAY_START.write_text(NOTHING_STARTS)
        MAY_START.chmod(0o755)
    try:
        yield
    finally:
        if ours:
            MAY_START.unlink(missing_ok=True)


def download_browser() -> None:
    """Has playwright download its own, into this project, with its libraries where packages may be installed."""
    libraries = ["--with-deps"] if may_install_packages() else []
    run(
        sys.executable, "-m", "playwright", "install", *libraries, "--only-shell", "chromium",
        PLAYWRIGHT_BROWSERS_PATH=str(browser_folders()[0]),
    )  # fmt: skip
    look_anew()


def look_anew() -> None:
    """Forgets what was here before something was installed."""
    chromium.cache_clear()
    has_driver.cache_clear()


def run(*command: str, **variables: str) -> None:
    """Runs a command that may fail: whether there is now what was wanted is looked at afterwards."""
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", **variables}
    try:
        ran = subprocess.run(
            command, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=MOST_SECONDS
        )
    except (OSError, subprocess.TimeoutExpired) as trouble:
        say(f"{command[0]}: {trouble}")
        return
    if ran.returncode:
        why = [line for line in (ran.stdout + ran.stderr).splitlines() if line.startswith(("E: ", "Error: "))]
        say(f"{' '.join(command[:2])} failed: {' '.join(why[:2]) or f'exit code {ran.returncode}'}")


def say(words: str) -> None:
    """Prints a line about this machine."""
    print(f"machine: {words}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))

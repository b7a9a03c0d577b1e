"""Which Chromium is here: one that is installed, or playwright's own that was downloaded."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from tests import ROOT

# The one that never opens a window takes half the processor's time, and draws the same pages.
NAMES = (
    "chromium-headless-shell", "chromium", "chromium-browser", "google-chrome-stable", "google-chrome",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)  # fmt: skip
# What playwright downloads, by the name of the program.
DOWNLOADED_NAMES = ("chrome-headless-shell", "headless_shell", "chrome", "Chromium", "Google Chrome for Testing")
OWN_FOLDER = ROOT / ".tools" / "browsers"  # where a browser is downloaded for these tests
START_SECONDS = 30.0  # for a browser to say its version; usually a tenth of one


@cache
def chromium() -> str:
    """The path of the first that starts. FileNotFoundError when none does."""
    for path in candidates():
        if starts(path):
            return path
    raise FileNotFoundError("Install Debian's chromium-headless-shell package, or chromium.")


def candidates() -> Iterator[str]:
    """The paths of every Chromium that is here, the best first."""
    yield from filter(None, map(shutil.which, NAMES))
    for folder in browser_folders():
        for name in DOWNLOADED_NAMES:
            yield from sorted(map(str, folder.glob(f"chromium*/**/{name}")), reverse=True)


def browser_folders() -> list[Path]:
    """Where playwright keeps what it downloads: in the folder that it is told, or this project's and its usual ones."""
    if told := os.environ.get("PLAYWRIGHT_BROWSERS_PATH"):
        return [Path(told)]
    return [OWN_FOLDER, Path.home() / ".cache" / "ms-playwright", Path.home() / "Library" / "Caches" / "ms-playwright"]


def starts(path: str) -> bool:
    """Whether the program runs. A downloaded one may lack libraries, and Ubuntu's `chromium-browser` may be a stub."""
    try:
        return not subprocess.run(
            [path, "--version"], capture_output=True, stdin=subprocess.DEVNULL, timeout=START_SECONDS
        ).returncode
    except (OSError, subprocess.TimeoutExpired):
        return False

"""Which of Debian's Chromiums is here."""

import shutil

# The one that never opens a window takes half the processor's time, and draws the same pages.
NAMES = ("chromium-headless-shell", "chromium")


def chromium() -> str:
    """The path of the first that is installed. FileNotFoundError when none is."""
    for name in NAMES:
        if path := shutil.which(name):
            return path
    raise FileNotFoundError("Install Debian's chromium-headless-shell package, or chromium.")

"""The environment in which the packages are audited: `python -m tests.supply.environment` makes it where it is missing.

It is apart from the desk's own, so that nothing of it is ever served.
"""

import subprocess
import sys
from pathlib import Path

from tests import ROOT

REQUIREMENTS = ROOT / "requirements-audit.txt"
FOLDER = ROOT / ".tools" / "audit"
MOST_SECONDS = 300.0


def main() -> int:
    """1 when it cannot be made, after saying why."""
    try:
        ready()
    except Unready as trouble:
        print(f"supply: {trouble}", file=sys.stderr)
        return 1
    return 0


class Unready(Exception):
    """The environment cannot be made. Its words say why."""


def ready() -> Path:
    """The environment's Python, with all that requirements-audit.txt lists and nothing of another version."""
    python, stamp = FOLDER / "bin" / "python", FOLDER / "installed"
    wanted = REQUIREMENTS.read_bytes()
    if not (python.exists() and stamp.exists() and stamp.read_bytes() == wanted):
        run(sys.executable, "-m", "venv", "--clear", "--without-pip", str(FOLDER))
        run(*pip(), "--python", str(python), "--disable-pip-version-check", "install", "--quiet", "--require-hashes",
            "--requirement", str(REQUIREMENTS))  # fmt: skip
        stamp.write_bytes(wanted)
    return python


def pip() -> tuple[str, ...]:
    """The command of a pip: this Python's own, or the machine's where uv has made this environment."""
    for python in (sys.executable, "python3"):
        command = (python, "-m", "pip")
        if not subprocess.run((*command, "--version"), capture_output=True, check=False).returncode:
            return command
    raise Unready("there is no pip here.")


def run(*command: str) -> None:
    """Runs a command that makes a part of it."""
    try:
        subprocess.run(command, capture_output=True, check=True, text=True, timeout=MOST_SECONDS)
    except subprocess.TimeoutExpired:
        raise Unready(f"{MOST_SECONDS:.0f} s were not enough for {command[0]}.") from None
    except subprocess.CalledProcessError as failed:
        lines = [line for line in str(failed.stderr).splitlines() if "ERROR" in line or "Error" in line]
        raise Unready(lines[-1] if lines else f"{command[0]} ended with {failed.returncode}.") from None


if __name__ == "__main__":
    raise SystemExit(main())

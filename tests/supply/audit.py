"""Whether a pinned package is known to be vulnerable: `python -m tests.supply.audit [REQUIREMENTS FILE …]`.

Exit code 0: every package was looked up, and there is no advisory. 1: there is one, and it is named. 3: nobody knows,
for no database of advisories could be asked about all packages. pip-audit by itself then ends with 0 and says that all
is well.
"""

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from tests import ROOT
from tests.supply.environment import Unready, ready
from tests.supply.pinned import read_pinned

FILES = ("requirements.txt", "requirements-test.txt", "requirements-audit.txt")
DATABASES = ("pypi", "osv")  # as pip-audit names them
CLEAN, VULNERABLE, UNKNOWN = 0, 1, 3
ANSWER_SECONDS, MOST_SECONDS = 10, 300.0


class Findings(NamedTuple):
    """What one database said."""

    advisories: dict[str, list[str]]  # for each package with any: a line for each advisory
    asked: frozenset[str]  # names of the packages that it knows
    skipped: frozenset[str]  # names of those that it does not


def main(arguments: Sequence[str]) -> int:
    """Says for each file what is known, and gives the worst of their exit codes."""
    try:
        python = ready()
    except Unready as trouble:
        return unknown(f"pip-audit cannot be installed: {trouble}")
    return max((audit(python, ROOT / name) for name in arguments or FILES), key=(CLEAN, UNKNOWN, VULNERABLE).index)


def audit(python: Path, file: Path) -> int:
    """Asks the databases about this file's packages, one after the other until all are known."""
    # One with a marker may not be for this machine; pip-audit then does not mention it.
    to_ask = {package.name for package in read_pinned(file) if not package.marker}
    asked, advisories = set[str](), dict[str, list[str]]()
    for database in DATABASES:
        found = findings(ask(python, file, database))
        advisories |= found.advisories
        asked |= found.asked
        to_ask |= found.asked | found.skipped
        if asked == to_ask:
            break
    return verdict(file.name, to_ask, asked, advisories)


def verdict(file: str, to_ask: set[str], asked: set[str], advisories: Mapping[str, Sequence[str]]) -> int:
    """Says what is known of these packages; the exit code."""
    for name, lines in sorted(advisories.items()):
        for line in lines:
            print(f"audit: {file}: {name} {line}")
    if advisories:
        print(f"audit: {file}: VULNERABLE: {', '.join(sorted(advisories))}. README says by when it is to be mended.")
        return VULNERABLE
    if missing := to_ask - asked:
        return unknown(f"{file}: no database could be asked about {len(missing)} of {len(to_ask)} packages")
    print(f"audit: {file}: {len(asked)} packages, no advisory")
    return CLEAN


def unknown(why: str) -> int:
    """Says that nothing is known."""
    print(f"audit: NOT AUDITED. {why}. This says nothing of whether they are safe.")
    return UNKNOWN


def ask(python: Path, file: Path, database: str) -> str:
    """What pip-audit prints; "" when it breaks off."""
    command = (
        python, "-m", "pip_audit", "--disable-pip", "--require-hashes", "--requirement", file, "--format=json",
        f"--vulnerability-service={database}", "--progress-spinner=off", f"--timeout={ANSWER_SECONDS}",
    )  # fmt: skip
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=MOST_SECONDS, check=False).stdout
    except subprocess.TimeoutExpired:
        return ""


def findings(said: str) -> Findings:
    """Reads what pip-audit printed; nothing of what breaks off."""
    try:
        packages: list[dict[str, Any]] = json.loads(said)["dependencies"]
    except (ValueError, KeyError):
        packages = []
    advisories = {
        package["name"]: [advisory_line(package["version"], advisory) for advisory in package["vulns"]]
        for package in packages
        if package.get("vulns")
    }
    skipped = frozenset(package["name"] for package in packages if "skip_reason" in package)
    return Findings(advisories, frozenset(package["name"] for package in packages) - skipped, skipped)


def advisory_line(version: str, advisory: Mapping[str, Any]) -> str:
    """`5.2.1: CVE-2026-1 (PYSEC-2026-1), mended in 5.2.2`."""
    others = f" ({', '.join(advisory['aliases'])})" if advisory.get("aliases") else ""
    mended = " or ".join(advisory.get("fix_versions") or ()) or "no version yet"
    return f"{version}: {advisory['id']}{others}, mended in {mended}"


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))

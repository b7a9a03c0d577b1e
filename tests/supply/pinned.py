"""The packages that a requirements file pins, with their hashes and with what needs them."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

PIN = re.compile(
    r"(?P<name>[a-z0-9][a-z0-9._-]*)(\[[a-z0-9,_-]*\])?==(?P<version>[^\s;]+)(?:\s*;\s*(?P<marker>.+?))?\s*\\?"
)
HASH = re.compile(r"\s+--hash=sha256:(?P<hash>[0-9a-f]{64})\s*\\?")
NEEDED_BY = re.compile(r"\s+#(?: via)?\s*(?P<name>\S.*)?")
HOUSE = "order-desk (pyproject.toml)"  # how the file names the desk itself


class Pinned(NamedTuple):
    """One package of one version. There is a hash for each of its files."""

    name: str
    version: str
    marker: str  # where it is installed, "" for everywhere
    hashes: tuple[str, ...]
    needed_by: tuple[str, ...]  # names of packages, and HOUSE


def read_pinned(file: Path) -> list[Pinned]:
    """Every package of the file, by name. ValueError for a line that is none of a pin, a hash or a comment."""
    return sorted(_read(file.read_text().splitlines()))


def _read(lines: list[str]) -> Iterator[Pinned]:
    package: Pinned | None = None
    for line in lines:
        if pin := PIN.fullmatch(line):
            if package:
                yield package
            package = Pinned(pin["name"], pin["version"], pin["marker"] or "", (), ())
        elif package and (found := HASH.fullmatch(line)):
            package = package._replace(hashes=(*package.hashes, found["hash"]))
        elif package and (needs := NEEDED_BY.fullmatch(line)):
            package = package._replace(needed_by=(*package.needed_by, *filter(None, [needs["name"]])))
        elif line.strip():
            raise ValueError(f"neither a pin nor a hash nor a comment: {line}")
    if package:
        yield package

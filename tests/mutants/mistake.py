"""A mistake: a small change that a hurried person could make, and the tests that must fail with it."""

from typing import NamedTuple


class Mistake(NamedTuple):
    """`old` stands exactly once in `file` and becomes `new`; `tests` are what must notice, each way alone."""

    name: str
    file: str
    old: str
    new: str
    tests: str  # one argument for pytest, with blanks between several

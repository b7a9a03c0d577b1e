"""What may cost more on a large desk, for it shows or reads more rows there: why, how many, and what each costs."""

import re
from collections.abc import Callable
from typing import NamedTuple


class Allowance(NamedTuple):
    """So many rows more, at so many units each. Nothing else may grow."""

    pattern: str  # of the names that it is for
    why: str
    rows: Callable[[int], int]  # size of the desk → rows that it shows or reads more than at a thousand
    steps: int  # of SQLite, a row
    blocks: float  # of PostgreSQL, a row

    def units(self, vendor: str, size: int) -> int:
        return round(self.rows(size) * (self.steps if vendor == "sqlite" else self.blocks))


def days(size: int) -> int:
    return size // 1_440


ALLOWANCES: tuple[Allowance, ...] = ()


def allowance_of(name: str) -> Allowance | None:
    """The allowance for what has this name."""
    return next((allowance for allowance in ALLOWANCES if re.fullmatch(allowance.pattern, name)), None)

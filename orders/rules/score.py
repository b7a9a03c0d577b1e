"""The score of a service from 0 to 100: how much of what is ordered of it arrives, stays, and arrives in time.

It is made of four shares. Each gives all of its points where nothing goes wrong, none from a named share on, and in
between in proportion. Services of which too few orders have ended have no score.
"""

from decimal import ROUND_HALF_UP, Decimal
from typing import NamedTuple, Protocol

LEAST_ENDED = 20  # orders within the days of a score
SCORE_DAYS = 28
WEEKS = 12  # that the trend is drawn of
LEAST_ENDED_WEEK = 5  # orders of a week, for a point of its own
PER_THOUSAND = 1_000  # units


class Part(NamedTuple):
    """One of the shares that make a score: its points, and from which share of failures on it gives none."""

    title: str
    points: int
    none_from: Decimal


PARTS = {
    "delivered": Part("delivered", 40, Decimal("0.20")),  # units that did not come, of those ordered
    "late": Part("on time", 30, Decimal("0.25")),  # orders that ended late, of those that ended
    "refills": Part("no refills", 20, Decimal("0.25")),  # refills asked for, of orders that ended
    "refused": Part("no refusals", 10, Decimal("0.10")),  # orders refused, of those that were asked for
}


class Facts(Protocol):
    """What a score is made from: sums over the orders of a service."""

    @property
    def ended(self) -> int:
        """Orders that upstream took and that have ended."""

    @property
    def ended_units(self) -> int:
        """Their units."""

    @property
    def delivered(self) -> int:
        """Those of the units that were delivered."""

    @property
    def late(self) -> int:
        """Orders that ended late."""

    @property
    def refills(self) -> int:
        """Refills that were asked for."""

    @property
    def refused(self) -> int:
        """Orders that upstream refused."""


def failures(facts: Facts) -> dict[str, Decimal]:
    """Key of PARTS → the share that went wrong, from 0 to 1. Only for facts of which some orders ended."""
    return {
        "delivered": _share(facts.ended_units - facts.delivered, facts.ended_units),
        "late": _share(facts.late, facts.ended),
        "refills": _share(facts.refills, facts.ended),
        "refused": _share(facts.refused, facts.ended + facts.refused),
    }


def score_of(facts: Facts, least: int = LEAST_ENDED) -> int | None:
    """The score, or None if fewer orders than `least` have ended."""
    if facts.ended < max(1, least):
        return None
    wrong = failures(facts)
    points = sum(part.points * max(Decimal(0), 1 - wrong[name] / part.none_from) for name, part in PARTS.items())
    return int(Decimal(points).quantize(Decimal(1), ROUND_HALF_UP))


def cost_per_thousand(charged: int, delivered: int) -> Decimal | None:
    """USD for a thousand delivered units, from a charge in millionths; None where nothing was delivered."""
    if delivered <= 0:
        return None
    return (Decimal(charged) * PER_THOUSAND / delivered / 1_000_000).quantize(Decimal("0.000001"), ROUND_HALF_UP)


def made_of() -> str:
    """How a score is made, in words: `delivered 40, on time 30, no refills 20, no refusals 10`."""
    return ", ".join(f"{part.title} {part.points}" for part in PARTS.values())


def _share(part: int, whole: int) -> Decimal:
    return min(Decimal(1), Decimal(max(0, part)) / whole) if whole > 0 else Decimal(0)

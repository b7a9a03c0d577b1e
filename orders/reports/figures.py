"""What a report says of some orders: sums as they are kept, shares of them, and amounts that add up as printed."""

from collections.abc import Iterable, Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import NamedTuple

MILLIONTHS_A_CENT = 10_000


class Totals(NamedTuple):
    """The figures of some orders, as orders/statistics/sales.py keeps them: money in millionths of a dollar."""

    orders: int = 0
    units: int = 0
    refused: int = 0
    ended: int = 0
    ended_units: int = 0
    delivered: int = 0
    cancelled: int = 0
    late: int = 0
    refills: int = 0
    refilled: int = 0
    elsewhere: int = 0
    expected: int = 0
    charged: int = 0
    ended_charged: int = 0
    given_back: int = 0
    sold: int = 0
    margin: int = 0

    @property
    def delivered_share(self) -> Decimal | None:
        """Units delivered, of those of ended orders, in percent."""
        return share(self.delivered, self.ended_units)

    @property
    def late_share(self) -> Decimal | None:
        """Orders that ended late, of those that ended, in percent."""
        return share(self.late, self.ended)

    @property
    def refill_share(self) -> Decimal | None:
        """Refills asked for, of ended orders, in percent."""
        return share(self.refills, self.ended)

    @property
    def margin_share(self) -> Decimal | None:
        """The margin, of what customers pay, in percent."""
        return share(self.margin, self.sold)

    @property
    def any(self) -> bool:
        """Whether it counts anything."""
        return any(self)


NOTHING = Totals()


def added(parts: Iterable[Sequence[int]]) -> Totals:
    """The figures of all parts together."""
    return Totals(*map(sum, zip(*parts, NOTHING, strict=True)))


def share(part: int, whole: int) -> Decimal | None:
    """So many of a whole in percent with one decimal, or None of nothing."""
    return (Decimal(part * 100) / whole).quantize(Decimal("0.1"), ROUND_HALF_UP) if whole > 0 else None


def change(now: int, before: int) -> Decimal | None:
    """By how many percent something changed, or None from nothing."""
    return (Decimal((now - before) * 100) / before).quantize(Decimal("0.1"), ROUND_HALF_UP) if before > 0 else None


def cents(millionths: int) -> int:
    """The amount in whole cents, rounded half up."""
    return int(Decimal(millionths).scaleb(-4).quantize(Decimal(1), ROUND_HALF_UP))


def in_cents(parts: Sequence[int]) -> list[Decimal]:
    """Amounts in dollars and cents that add up exactly to the sum of the parts in cents.

    Each is its own part rounded down or up: up where most is left over.
    """
    floors = [part // MILLIONTHS_A_CENT for part in parts]
    missing = cents(sum(parts)) - sum(floors)
    most_left = sorted(range(len(parts)), key=lambda n: (-(parts[n] % MILLIONTHS_A_CENT), n))
    for n in most_left[:missing]:
        floors[n] += 1
    return [Decimal(floor).scaleb(-2) for floor in floors]

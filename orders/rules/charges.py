"""How far a charge may be from the price that was shown, and which orders are charged for less than was asked."""

from decimal import Decimal

from orders.rules.statuses import Status

# Upstream rounds, and so do we: a charge counts as the price shown while it is no further off than the larger of these.
TOLERATED_SHARE = Decimal("0.01")
TOLERATED_USD = Decimal("0.005")
# Of a small price the tolerance is a large part: a charge this share below it is not the full price any more.
FULL_SHARE = Decimal("0.1")
# Upstream keeps less of these than was asked, and gives the rest back.
ENDED_SHORT = (Status.PARTIAL, Status.CANCELLED, Status.REFUNDED)


def tolerance(expected: Decimal) -> Decimal:
    """How far a charge may be from this price, in US dollars, before a person should check it."""
    return max(TOLERATED_USD, expected * TOLERATED_SHARE)


def is_full(charge: Decimal, expected: Decimal) -> bool:
    """Whether a charge is the whole price that was expected, so that nothing of it was given back."""
    return charge > 0 and abs(charge - expected) <= min(tolerance(expected), expected * FULL_SHARE)

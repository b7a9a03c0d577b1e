"""How a charge compares with the price that was shown."""

from decimal import Decimal

from orders.rules.statuses import Status

# Upstream rounds, and so do we: a charge counts as the price shown while it is no further off than the larger of these.
TOLERATED_SHARE = Decimal("0.01")
TOLERATED_USD = Decimal("0.005")
# Upstream keeps less of these than was asked, and gives the rest back.
ENDED_SHORT = (Status.PARTIAL, Status.CANCELLED, Status.REFUNDED)


def tolerance(expected: Decimal) -> Decimal:
    """How far a charge may be from this price, in US dollars, before somebody should look at it."""
    return max(TOLERATED_USD, expected * TOLERATED_SHARE)

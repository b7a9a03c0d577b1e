"""How long the balance lasts at the pace of the last 24 hours, with and without what is queued.

The pace is measured once a minute by spending.py and stands in one row, so that no page adds up a day's orders.
"""

from datetime import timedelta
from decimal import Decimal
from typing import NamedTuple

from accounts.desk_settings import current
from orders.models import Spending
from panel.format.money import is_dollars
from panel.format.numbers import number

SHORTEST_SPAN = timedelta(hours=1)  # that a pace is taken from: a desk of ten minutes has none yet
DAYS_FROM_HOURS = 48  # a longer runway is told in days
LONGEST_HOURS = 90 * 24  # a longer runway is only called long
LARGE_SHARE = Decimal("0.1")  # of the balance: the receipt of an order that takes more says what is left


class Runway(NamedTuple):
    """How long a balance lasts. `hours` is None if that cannot be told, and `why` says why."""

    hours: Decimal | None = None
    with_queued: Decimal = Decimal(0)  # hours, when what is queued is paid
    span: Decimal = Decimal(24)  # hours that the pace was measured over
    hourly: Decimal = Decimal(0)  # USD
    why: str = ""

    @property
    def brief(self) -> str:
        """For the status bar: `about 9 h left`, or `about 9 h left, 6 h with the queue`; "" if it cannot be told."""
        return "" if self.hours is None else lasts(self.hours, " left", self.with_queued, "with the queue")

    @property
    def least(self) -> str:
        """For a phone: `9 h`."""
        return rounded(self.hours or Decimal(0)).replace("less than", "<").replace("more than", ">")

    @property
    def words(self) -> str:
        """`about 9 h at the pace of the last 24 h, 6 h with what is queued`, or the reason why it cannot be told."""
        if self.hours is None:
            return self.why
        pace = f" at the pace of the last {int(self.span)} h"
        return lasts(self.hours, pace, self.with_queued, "with what is queued")


def runway(balance: Decimal | None, currency: str, pace: Spending | None) -> Runway:
    """How long this balance lasts at this pace; None stands for what is not known yet."""
    if balance is None:
        return Runway(why="the balance is not known yet")
    if not is_dollars(currency):
        return Runway(why=f"the balance is in {currency}, and orders are priced in US dollars")
    if pace is None:
        return Runway(why="the pace is not measured yet")
    span = Decimal(max(pace.at - pace.since, SHORTEST_SPAN).total_seconds()) / 3600
    if pace.spent <= 0:
        return Runway(span=span, why=f"no spending in the last {int(span)} h")
    hourly, left = pace.spent / span, max(balance, Decimal(0))
    return Runway(left / hourly, max(left - pace.queued, Decimal(0)) / hourly, span, hourly)


def lasts(hours: Decimal, pace: str, with_queued: Decimal, queue: str) -> str:
    """The sentence of both times, each followed by its words. The second is left out if it reads like the first."""
    if hours <= 0:
        return "nothing is left"
    alone, queued = rounded(hours), rounded(with_queued)
    about = "" if alone.startswith(("less", "more")) else "about "
    return f"{about}{alone}{pace}" if alone == queued else f"{about}{alone}{pace}, {queued} {queue}"


def rounded(hours: Decimal) -> str:
    """`9 h`, `3 d`, `less than 1 h`, `more than 90 d`."""
    if hours < 1:
        return "less than 1 h"
    if hours > LONGEST_HOURS:
        return f"more than {LONGEST_HOURS // 24} d"
    return f"{number(int(hours))} h" if hours < DAYS_FROM_HOURS else f"{number(int(hours / 24))} d"


def is_dear(balance: Decimal | None, currency: str, expected: Decimal | None) -> bool:
    """Whether an order takes so much of the balance that its receipt says what is left. False if it is not covered."""
    if balance is None or expected is None or not is_dollars(currency) or expected > balance:
        return False
    return expected > balance * LARGE_SHARE or balance - expected < current().low_balance

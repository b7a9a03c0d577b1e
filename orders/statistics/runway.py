"""How long the balance lasts: at the pace of the last 24 hours, and with what is queued already.

The worker measures the pace once a minute and writes it into one row, so that no page adds up a day's orders.
"""

from datetime import timedelta
from decimal import Decimal
from typing import NamedTuple

from django.conf import settings

from orders.models import Spending
from panel.format.money import is_dollars
from panel.format.numbers import number

SHORTEST = timedelta(hours=1)  # a desk of ten minutes has no pace yet
IN_DAYS_FROM = 48  # hours; from here on it is told in days
LONGEST = 90 * 24  # hours; beyond, one only knows that it is long
A_LARGE_SHARE = Decimal("0.1")  # of the balance: an order that takes more says what it leaves


class Runway(NamedTuple):
    """How long a balance lasts; hours are None where nothing can be said, and `why` says why."""

    hours: Decimal | None = None
    with_queued: Decimal | None = None
    span: Decimal = Decimal(24)  # hours that the pace was measured over
    hourly: Decimal = Decimal(0)  # USD
    why: str = ""

    @property
    def brief(self) -> str:
        """For the bar: `about 9 h`, or `about 9 h, 6 h with the queue`."""
        if self.hours is None or self.with_queued is None:
            return ""
        told, queued = lasts(self.hours), span_of(self.with_queued)
        return told if queued == span_of(self.hours) else f"{told}, {queued} with the queue"

    @property
    def least(self) -> str:
        """For a phone: `9 h`."""
        return span_of(self.hours or Decimal(0)).replace("less than", "<").replace("more than", ">")

    @property
    def words(self) -> str:
        """`about 9 h at the pace of the last 24 h, 6 h with what is queued`."""
        if self.hours is None or self.with_queued is None:
            return self.why
        if self.hours <= 0:
            return "nothing is left"
        told = f"{lasts(self.hours)} at the pace of the last {of_span(self.span)}"
        if span_of(self.with_queued) == span_of(self.hours):
            return told
        return f"{told}, {span_of(self.with_queued)} with what is queued"


def runway(balance: Decimal | None, currency: str, pace: Spending | None) -> Runway:
    """None is what is not known yet."""
    if balance is None:
        return Runway(why="the balance is not known yet")
    if not is_dollars(currency):
        return Runway(why=f"the balance is in {currency}, and orders are priced in US dollars")
    if pace is None:
        return Runway(why="the pace is not measured yet")
    hours = Decimal(max(pace.at - pace.since, SHORTEST).total_seconds()) / 3600
    if pace.spent <= 0:
        return Runway(span=hours, why=f"no spending in the last {of_span(hours)}")
    hourly, left = pace.spent / hours, max(balance, Decimal(0))
    return Runway(left / hourly, max(left - pace.queued, Decimal(0)) / hourly, hours, hourly)


def lasts(hours: Decimal) -> str:
    """`about 9 h`, `less than 1 h`, `more than 90 d`."""
    if hours <= 0:
        return "nothing is left"
    told = span_of(hours)
    return told if told[:4] in ("less", "more") else f"about {told}"


def span_of(hours: Decimal) -> str:
    if hours < 1:
        return "less than 1 h"
    if hours > LONGEST:
        return f"more than {LONGEST // 24} d"
    return f"{number(int(hours))} h" if hours < IN_DAYS_FROM else f"{number(int(hours / 24))} d"


def of_span(hours: Decimal) -> str:
    return f"{int(hours)} h"


def is_dear(balance: Decimal | None, currency: str, expected: Decimal | None) -> bool:
    """Whether an order is so dear that its receipt says what it leaves."""
    if balance is None or expected is None or not is_dollars(currency) or expected > balance:
        return False
    return expected > balance * A_LARGE_SHARE or balance - expected < settings.LOW_BALANCE

"""What the lines of a list come to: their sum, the balance before and after it, and the limits of the day."""

from decimal import Decimal
from typing import Any, NamedTuple

from accounts.access import may
from accounts.desk_settings import current
from accounts.models import BalanceReading
from orders.limits.check import NOT_COUNTED, Limits, limits_of
from orders.limits.day import next_day
from orders.limits.spent import Today, today_of
from orders.mass.lines import Line
from orders.rules.margin import warning
from orders.rules.refusal import Refusal
from orders.statistics.runway import Runway, is_dear, runway
from orders.statistics.spending import spending_beside
from panel.format.money import CENT, is_dollars, money, sees_money
from panel.format.times import clock

NOTHING_SENT = "Nothing was sent."


class Totals(NamedTuple):
    """What a list would cost, and what that leaves."""

    orders: int
    expected: Decimal
    balance: Decimal | None
    currency: str
    after: Decimal | None  # None where the balance is not known, or in another currency
    leaves: Runway | None  # how long that lasts, where the list takes much of the balance
    limits: Limits
    today: Today | None
    over: str  # why the whole does not fit a limit of the day, as a sentence; "" when it does
    sold: Decimal | None = None  # what customers pay; None where no line has a selling price
    margin: Decimal = Decimal(0)  # of the lines that have one
    below: int = 0  # lines that are sold below cost or below the least margin

    @property
    def left(self) -> Decimal | None:
        """What the person may still spend today; None without a limit."""
        if self.limits.day is None or self.today is None:
            return None
        return max(self.limits.day - self.today.used, Decimal(0))

    @property
    def short_by(self) -> Decimal | None:
        """By how much the balance does not cover the list; None when it does."""
        return -self.after if self.after is not None and self.after < 0 else None


def totals_of(lines: list[Line], by: Any, now: Any) -> Totals:
    """What these lines, which would all be ordered, come to."""
    expected = sum((line.charge or Decimal(0) for line in lines), Decimal(0))
    reading = BalanceReading.objects.first()
    balance, currency = (reading.amount, reading.currency) if reading else (None, "USD")
    after = balance - expected if balance is not None and is_dollars(currency) else None
    dear = after is not None and is_dear(balance, currency, expected)
    limits = limits_of(by)
    today = today_of(by.pk, now) if limits.by_day else None
    over = why_over(limits, expected, today.plus(expected), by, now) if today and lines else ""
    leaves = runway(after, currency, spending_beside(reading)) if dear and sees_money() else None
    return Totals(len(lines), expected, balance, currency, after, leaves, limits, today, over, *sums_of_sales(lines))


def sums_of_sales(lines: list[Line]) -> tuple[Decimal | None, Decimal, int]:
    """What customers pay for these lines, what that leaves, and how many lines leave too little."""
    sales, floor = [line.sale for line in lines if line.sale], current().margin_floor_percent
    below = sum(bool(warning(sale.price, sale.cost, floor)) for sale in sales)
    margin = sum((sale.margin for sale in sales), Decimal(0))
    return sum((sale.price for sale in sales), Decimal(0)) if sales else None, margin, below


def why_over(limits: Limits, expected: Decimal, then: Today, reader: Any, now: Any) -> str:
    """Why orders of this sum do not fit a limit of the day, and by how much; "" when they fit.

    `then` is what counts today together with them.
    """
    anew = f"The day begins anew at {clock(next_day(now))}."
    rows = (
        (limits.team, then.team, "the team has", "than the team has left today"),
        (limits.day, then.used, "you have", "than you have left today"),
    )
    for limit, used, who, words in rows:
        if limit is None or used <= limit:
            continue
        if not may(reader, "money"):
            return f"Together they cost more {words}. {anew}"
        left = max(limit - (used - expected), Decimal(0))
        return (
            f"Together they cost {money(expected)}, and {who} {money(left)} of {money(limit)} left today: "
            f"{money(expected - left)} too much. {anew}"
        )
    return ""


def require_within(limits: Limits, expected: Decimal, by: Any, at: Any) -> None:
    """Raises a Refusal when orders that were just written in this transaction do not fit the limits of the day.

    The row of Spent is locked since they were written: whoever orders at the same moment comes before or after.
    """
    if not limits.by_day:
        return
    today = today_of(by.pk, at)
    if today.used + CENT < expected:  # no trigger has counted them
        raise Refusal(NOT_COUNTED)
    if why := why_over(limits, expected, today, by, at):
        raise Refusal(f"{why} {NOTHING_SENT}")

"""How long a service usually takes, by its own last orders; an order that takes longer than 95 of 100 of them is late.

The moment when an order becomes late is known beforehand and stands in its row, so that nothing is written when it
comes, an index finds those for which it has, and no page asks for anything more.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from django.utils import timezone

from orders.rules.statuses import Stage
from panel.format.numbers import number
from panel.format.times import took


@dataclass(frozen=True)
class UsualTimes:
    """What is usual for a service, counted from when upstream took an order; None where too few orders tell."""

    start_median: timedelta | None
    start_p95: timedelta | None
    finish_median: timedelta | None
    finish_p95: timedelta | None
    count: int  # completed orders, of which the finish is
    starts: int  # orders that began to be delivered, of which the start is
    quantity: int  # 95 of 100 completed ones were of so many units or fewer
    lately: timedelta | None  # the median finish of the newest

    @property
    def known(self) -> bool:
        return self.start_p95 is not None or self.finish_p95 is not None

    @property
    def words(self) -> str:
        """In a sentence; "" where nothing is known."""
        half = [f"starts within {took(self.start_median)}"] if self.start_median is not None else []
        most = [f"start within {took(self.start_p95)}"] if self.start_p95 is not None else []
        if self.finish_median is not None and self.finish_p95 is not None:
            half.append(f"is finished within {took(self.finish_median)}")
            most.append(f"are finished within {took(self.finish_p95)}")
        return f"Usually {' and '.join(half)} (median); 95 of 100 {' and '.join(most)}." if most else ""

    @property
    def made_of(self) -> str:
        """The orders that it is read from, in words."""
        starts, finishes = f"the last {number(self.starts)} orders of this service that started", ""
        if self.finish_p95 is not None:
            finishes = f"the last {number(self.count)} that were completed"
        if self.start_p95 is None:
            return f"{finishes} of this service"
        return f"{starts} and {finishes}" if finishes else starts

    @property
    def slower(self) -> int | None:
        """How long the newest took, in hundredths of what is usual."""
        if self.lately is None or not self.finish_median:
            return None
        return round(self.lately / self.finish_median * 100)


# ── An order ─────────────────────────────────────────────────────────────────────────────────────
class TimedOrder(Protocol):
    """What lateness is read from."""

    @property
    def stage(self) -> Stage: ...
    @property
    def quantity(self) -> int: ...
    @property
    def runs(self) -> int | None: ...
    @property
    def interval(self) -> int | None: ...
    @property
    def taken_at(self) -> datetime | None: ...
    @property
    def started_at(self) -> datetime | None: ...
    @property
    def reported_at(self) -> datetime | None: ...


def late_from(order: TimedOrder, usual: UsualTimes | None) -> datetime | None:
    """From when on it is late: not started, or not ended, when 95 of 100 had. None: nobody can tell, or it has ended.

    An order that upstream has said nothing of is not late: for that the desk cannot blame anybody.
    """
    if usual is None or order.taken_at is None or order.reported_at is None or not order.stage.live:
        return None
    within = usual.start_p95 if order.started_at is None else None
    if within is None:
        within = finish_within(order, usual)
    return None if within is None else order.taken_at + within


def finish_within(order: TimedOrder, usual: UsualTimes) -> timedelta | None:
    """The time that its finish has. Larger than 95 of 100: longer in proportion; in runs: that much from its last."""
    if usual.finish_p95 is None:
        return None
    larger = max(1.0, order.quantity / usual.quantity) if usual.quantity else 1.0
    return usual.finish_p95 * larger + timedelta(minutes=((order.runs or 1) - 1) * (order.interval or 0))


def is_late(late_from: datetime | None, now: datetime | None = None) -> bool:
    return late_from is not None and late_from <= (now or timezone.now())


# ── A service's last orders ──────────────────────────────────────────────────────────────────────

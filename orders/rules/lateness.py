"""How long a service usually takes, by its own last orders; an order that takes longer than 95 of 100 of them is late.

The moment when an order becomes late is known beforehand and stands in the order's row as `late_from`. So nothing is
written when that moment comes, an index finds the late orders, and no page makes a further query. Hours that managers
allow besides are added where it is read, so that a new number holds at once for all orders.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from django.utils import timezone

from accounts.desk_settings import current
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
    count: int  # completed orders that the finish is read from
    starts: int  # started orders that the start is read from
    quantity: int  # 95 of 100 completed orders were of so many units or fewer
    lately: timedelta | None  # the median finish of the newest

    @property
    def known(self) -> bool:
        """Whether enough orders tell when the service starts or finishes."""
        return self.start_p95 is not None or self.finish_p95 is not None

    @property
    def words(self) -> str:
        """The usual times as a sentence; "" where nothing is known."""
        half = [f"starts within {took(self.start_median)}"] if self.start_median is not None else []
        most = [f"start within {took(self.start_p95)}"] if self.start_p95 is not None else []
        if self.finish_median is not None and self.finish_p95 is not None:
            half.append(f"{'is ' if half else ''}finished within {took(self.finish_median)}")
            most.append(f"are finished within {took(self.finish_p95)}")
        return f"Usually {' and '.join(half)} (median); 95 of 100 {' and '.join(most)}." if most else ""

    @property
    def made_of(self) -> str:
        """Which orders these times are read from, in words."""
        finishes = f"the last {number(self.count)} that were completed"
        if self.start_p95 is None:
            return f"the last {number(self.count)} orders of this service that were completed"
        starts = f"the last {number(self.starts)} orders of this service that started"
        return starts if self.finish_p95 is None else f"{starts} and {finishes}"

    @property
    def slower(self) -> int | None:
        """How long the newest orders took, in hundredths of the usual finish: 150 is half as long again."""
        if self.lately is None or not self.finish_median:
            return None
        return round(self.lately / self.finish_median * 100)


class TimedOrder(Protocol):
    """What lateness is read from."""

    @property
    def stage(self) -> Stage:
        """What its status means; only a live order can be late."""

    @property
    def quantity(self) -> int:
        """Units of each run."""

    @property
    def runs(self) -> int | None:
        """How often the quantity is delivered; None is once."""

    @property
    def interval(self) -> int | None:
        """Minutes between runs."""

    @property
    def taken_at(self) -> datetime | None:
        """When upstream took it; the usual times count from here."""

    @property
    def started_at(self) -> datetime | None:
        """When a report first said that it delivers."""

    @property
    def reported_at(self) -> datetime | None:
        """When we asked for the last report, or None before the first."""


def late_from(order: TimedOrder, usual: UsualTimes | None) -> datetime | None:
    """When the order becomes late: not started, or not ended, when 95 of 100 had. None where that is not known.

    A final order is never late, nor is an order that upstream has not reported on: the desk can blame nobody for it.
    """
    if usual is None or order.taken_at is None or order.reported_at is None or not order.stage.live:
        return None
    within = usual.start_p95 if order.started_at is None else None
    if within is None:
        within = _finish_within(order, usual)
    return None if within is None else order.taken_at + within


def _finish_within(order: TimedOrder, usual: UsualTimes) -> timedelta | None:
    """How long the order may take. Scales with quantity above the 95th percentile, and adds the pauses between runs."""
    if usual.finish_p95 is None:
        return None
    larger = max(1.0, order.quantity / usual.quantity) if usual.quantity else 1.0
    return usual.finish_p95 * larger + timedelta(minutes=((order.runs or 1) - 1) * (order.interval or 0))


def late_if_from() -> datetime:
    """The latest `late_from` of the orders that are late now, with the hours that managers allow besides."""
    return timezone.now() - current().late_grace


def late_since(late_from: datetime | None) -> datetime | None:
    """When an order became late, or None while it is not."""
    since = late_from + current().late_grace if late_from is not None else None
    return since if since is not None and since <= timezone.now() else None


def is_late(late_from: datetime | None) -> bool:
    """Whether an order with this `late_from` is late now."""
    return late_since(late_from) is not None

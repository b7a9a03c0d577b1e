"""How long a service usually takes, by its own last orders; an order that takes longer than 95 of 100 of them is late.

The moment when an order becomes late is known beforehand and stands in its row, so that nothing is written when it
comes, an index finds those for which it has, and no page asks for anything more.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple, Protocol

from django.db import models
from django.utils import timezone

from catalog.models import Service
from orders.rules.statuses import Stage, Status
from panel.format.numbers import number
from panel.format.times import took

ENOUGH = 10  # orders; of fewer nobody can say what is usual, and nothing is called late
LOOKED_AT = 200  # a service's last ended orders
LATELY = 20  # of them, which tell whether it is slower than usual now
HALF, MOST = 50, 95  # of a hundred


@dataclass(frozen=True)
class Usual:
    """What is usual for a service, counted from when upstream took an order; None where too few orders tell."""

    start_median: timedelta | None
    start_p95: timedelta | None
    finish_median: timedelta | None
    finish_p95: timedelta | None
    count: int  # completed orders, of which the finish is
    starts: int  # orders that began to be delivered, of which the start is
    quantity: int  # 95 of 100 completed ones were of so many units or fewer
    lately: timedelta | None  # the median finish of the newest

    @classmethod
    def of(cls, pace: "Pace | None") -> "Usual | None":
        if pace is None:
            return None
        return cls(
            span(pace.start_median), span(pace.start_p95), span(pace.finish_median), span(pace.finish_p95),
            pace.finishes, pace.starts, pace.quantity, span(pace.lately),
        )  # fmt: skip

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


class Pace(models.Model):
    """One service's pace: times in whole seconds, percentiles by nearest rank. delivery_times.py writes it."""

    service = models.OneToOneField(Service, primary_key=True, on_delete=models.CASCADE, related_name="pace")
    starts = models.PositiveIntegerField(help_text="Of its last ended orders those whose start we know.")
    finishes = models.PositiveIntegerField(help_text="Of its last ended orders those that were completed.")
    start_median = models.PositiveBigIntegerField(null=True, help_text="Seconds from when upstream took it.")
    start_p95 = models.PositiveBigIntegerField(null=True)
    finish_median = models.PositiveBigIntegerField(null=True)
    finish_p95 = models.PositiveBigIntegerField(null=True)
    quantity = models.PositiveBigIntegerField(help_text="95 of 100 completed ones were of so many units or fewer.")
    lately = models.PositiveBigIntegerField(null=True, help_text="The median finish of the newest alone.")
    computed_at = models.DateTimeField()
    ends_to = models.DateTimeField(help_text="Ends up to this moment have been looked through, of all services.")

    class Meta:
        ordering = ("service",)
        indexes = [
            # Up to where the ends have been looked through.
            models.Index(fields=["ends_to"], name="pace_ends_to"),
        ]

    def __str__(self) -> str:
        return f"Pace of service {self.service_id}"


def span(seconds: int | None) -> timedelta | None:
    return None if seconds is None else timedelta(seconds=seconds)


def usual(service_ids: Collection[int]) -> dict[int, Usual]:
    """One query; services without a pace of their own are not in it."""
    paces = Pace.objects.filter(pk__in=service_ids).order_by()
    return {pace.pk: known for pace in paces if (known := Usual.of(pace)) and known.known}


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


def late_from(order: TimedOrder, usual: Usual | None) -> datetime | None:
    """From when on it is late: not started, or not ended, when 95 of 100 had. None: nobody can tell, or it has ended.

    An order that upstream has said nothing of is not late: for that the desk cannot blame anybody.
    """
    if usual is None or order.taken_at is None or order.reported_at is None or not order.stage.live:
        return None
    within = usual.start_p95 if order.started_at is None else None
    if within is None:
        within = finish_within(order, usual)
    return None if within is None else order.taken_at + within


def finish_within(order: TimedOrder, usual: Usual) -> timedelta | None:
    """The time that its finish has. Larger than 95 of 100: longer in proportion; in runs: that much from its last."""
    if usual.finish_p95 is None:
        return None
    larger = max(1.0, order.quantity / usual.quantity) if usual.quantity else 1.0
    return usual.finish_p95 * larger + timedelta(minutes=((order.runs or 1) - 1) * (order.interval or 0))


def is_late(late_from: datetime | None, now: datetime | None = None) -> bool:
    return late_from is not None and late_from <= (now or timezone.now())


# ── A service's last orders ──────────────────────────────────────────────────────────────────────
class Ended(NamedTuple):
    """What is read of an order that has ended."""

    status: str
    taken_at: datetime | None
    started_at: datetime | None
    ended_at: datetime
    quantity: int
    runs: int | None


def figures(newest_first: Iterable[Ended]) -> dict[str, Any]:
    """What a Pace says of these orders. Its start is of all that began; its finish of those completed in one run.

    What ended partial, cancelled or refunded tells nothing of how long a delivery takes.
    """
    told = [order for order in newest_first if order.taken_at]
    starts = [seconds(order.taken_at, order.started_at) for order in told if order.taken_at and order.started_at]
    done = [order for order in told if order.status == Status.COMPLETED and not order.runs]
    finishes = [seconds(order.taken_at, order.ended_at) for order in done if order.taken_at]
    newest = finishes[:LATELY]
    return {
        "starts": len(starts), "finishes": len(finishes),
        "start_median": nth(starts, HALF), "start_p95": nth(starts, MOST),
        "finish_median": nth(finishes, HALF), "finish_p95": nth(finishes, MOST),
        "quantity": nth([order.quantity for order in done], MOST) or 0,
        # Of few, the newest are nearly all of them.
        "lately": nth(newest, HALF) if len(finishes) >= 2 * LATELY else None,
    }  # fmt: skip


def seconds(began: datetime, ended: datetime) -> int:
    """Whole ones; none where two machines' clocks disagree."""
    return max(0, round((ended - began).total_seconds()))


def nth(values: Sequence[int], percent: int) -> int | None:
    """The least of them that so many of a hundred do not exceed (nearest rank); None when there are too few."""
    return sorted(values)[-(-len(values) * percent // 100) - 1] if len(values) >= ENOUGH else None

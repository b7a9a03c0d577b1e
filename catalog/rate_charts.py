"""Small charts of how rates moved: a line of steps for each service of a page, all from one query."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

from django.db.models import F, Window
from django.db.models.functions import RowNumber

from catalog.models import Move, RateChange, Service
from panel.format.step_chart import step_path

CHART_SPAN = timedelta(days=90)
RECENT_SPAN = timedelta(days=7)  # a move within it is named beside the line, and colours it
STEPS_DRAWN = 60  # the newest, of a line
WIDTH, HEIGHT, EDGE = 76, 20, 2  # of the drawing, in its own units
TODAY_X = WIDTH - 5  # where the line ends: the dot there needs room
LEAST_SCALE_SHARE = Decimal("0.12")  # of the rate, which half the scale covers at least: a small move looks small


class RateChart(NamedTuple):
    """The line of one service's rate, in USD, over the last 90 days."""

    path: str  # an SVG path
    x: float  # where it ends
    y: float
    first: Decimal
    last: Decimal
    way: str  # "up" or "down" when the rate moved in the last 7 days, else ""
    move: Move | None  # the newest of these days
    at: datetime | None  # when that move was
    moved: bool  # whether the rate moved at all in these 90 days; without that the line says nothing


def rate_charts(services: Iterable[Service], now: datetime) -> dict[int, RateChart]:
    """The charts of these services, by our id."""
    histories = {service.pk: (service.rate, list[RateChange]()) for service in services}
    newest_first = Window(RowNumber(), partition_by=F("service"), order_by=F("pk").desc())
    moved = RateChange.objects.filter(service__in=histories, at__gt=now - CHART_SPAN, was__isnull=False)
    for change in moved.annotate(nth=newest_first).filter(nth__lte=STEPS_DRAWN).order_by("pk"):
        histories[change.service_id][1].append(change)
    return {pk: rate_chart(rate, changes, now) for pk, (rate, changes) in histories.items()}


def rate_chart(rate: Decimal, changes: list[RateChange], now: datetime) -> RateChart:
    """The chart of a service with this rate and these changes of the last 90 days, oldest first."""
    first = (changes[0].was or rate) if changes else rate
    steps = [(now - CHART_SPAN, first), *((change.at, change.now) for change in changes)]
    low, high = min(value for _, value in steps), max(value for _, value in steps)
    middle, half = (low + high) / 2, max((high - low) / 2, (low + high) / 2 * LEAST_SCALE_SHARE)

    def x(at: datetime) -> float:
        return round(1 + (TODAY_X - 1) * (1 - (now - at) / CHART_SPAN), 1)

    def y(value: Decimal) -> float:
        return round(HEIGHT / 2 - float((value - middle) / half if half else 0) * (HEIGHT / 2 - EDGE), 1)

    corners: list[tuple[float, float]] = [(1, y(first)), *((x(at), y(value)) for at, value in steps[1:])]
    newest = changes[-1] if changes and changes[-1].at > now - RECENT_SPAN else None
    return RateChart(
        path=step_path(corners, end=TODAY_X), x=TODAY_X, y=y(steps[-1][1]), first=first, last=rate,
        way="" if newest is None else "up" if newest.now > (newest.was or 0) else "down",
        move=Move("rate", newest.was, newest.now) if newest else None, at=newest.at if newest else None,
        moved=low < high,
    )  # fmt: skip

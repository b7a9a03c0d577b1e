"""How rates moved, drawn small: one line of steps a service, for the rows of a page in one query."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

from django.db.models import F, Window
from django.db.models.functions import RowNumber

from catalog.models import Move, RateChange, Service
from panel.format.step_chart import step_path

SPAN = timedelta(days=90)
RECENT_SPAN = timedelta(days=7)  # a move is told of, and the line wears its colour
STEPS_DRAWN = 60  # of one line; a rate that moves more often shows its newest
WIDTH, HEIGHT, EDGE = 76, 20, 2  # of the drawing, in its own units
TODAY_X = WIDTH - 5  # where today is: the dot needs room
FLATTEST = Decimal("0.12")  # half the scale at least, as a share of the rate: a small move looks small


class RateChart(NamedTuple):
    """One service's line."""

    path: str  # an SVG path
    x: float  # where it ends
    y: float
    first: Decimal
    last: Decimal
    way: str  # up or down, when the rate moved lately
    move: Move | None  # the newest of the last days
    at: datetime | None  # when that was


def rate_charts(services: Iterable[Service], now: datetime) -> dict[int, RateChart]:
    """By our ids."""
    found = {service.pk: (service.rate, list[RateChange]()) for service in services}
    newest_first = Window(RowNumber(), partition_by=F("service"), order_by=F("pk").desc())
    moved = RateChange.objects.filter(service__in=found, at__gt=now - SPAN, was__isnull=False)
    for change in moved.annotate(nth=newest_first).filter(nth__lte=STEPS_DRAWN).order_by("pk"):
        found[change.service_id][1].append(change)
    return {pk: rate_chart(rate, changes, now) for pk, (rate, changes) in found.items()}


def rate_chart(rate: Decimal, changes: list[RateChange], now: datetime) -> RateChart:
    """`changes`: of the last 90 days, oldest first."""
    first = changes[0].was if changes else rate
    steps = [(now - SPAN, first or rate), *((change.at, change.now) for change in changes)]
    low, high = min(value for _, value in steps), max(value for _, value in steps)
    middle, half = (low + high) / 2, max((high - low) / 2, (low + high) / 2 * FLATTEST)

    def x(at: datetime) -> float:
        return round(1 + (TODAY_X - 1) * (1 - (now - at) / SPAN), 1)

    def y(value: Decimal) -> float:
        return round(HEIGHT / 2 - float((value - middle) / half if half else 0) * (HEIGHT / 2 - EDGE), 1)

    corners: list[tuple[float, float]] = [(1, y(steps[0][1])), *((x(at), y(value)) for at, value in steps[1:])]
    newest = changes[-1] if changes and changes[-1].at > now - RECENT_SPAN else None
    return RateChart(
        path=step_path(corners, end=TODAY_X), x=TODAY_X, y=y(steps[-1][1]), first=steps[0][1], last=rate,
        way="" if newest is None else "up" if newest.now > (newest.was or 0) else "down",
        move=Move("rate", newest.was, newest.now) if newest else None, at=newest.at if newest else None,
    )  # fmt: skip

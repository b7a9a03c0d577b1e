"""The charts of a report in numbers for SVG: across in percent, down in pixels, so that a drawing fits every width."""

from collections.abc import Sequence
from decimal import Decimal
from math import ceil
from typing import NamedTuple

HEIGHT, TOP = 168, 14  # pixels; the room above is for the words of the highest line
GAP_SHARE = 0.28  # of the width of a bar with its gap


class Bar(NamedTuple):
    """One bar, and what stands on top of it."""

    x: float
    width: float
    y: float
    height: float
    top_y: float
    top_height: float


class Tick(NamedTuple):
    """A line across, and what it stands for."""

    y: float
    value: int


class Bars(NamedTuple):
    """A chart of bars with a dashed line of what they are compared with."""

    bars: list[Bar]
    ticks: list[Tick]
    before: str  # a path in a box of 100 by 100
    height: int = HEIGHT
    top: int = TOP


class Line(NamedTuple):
    """A line of shares. Where nothing is known it has a gap."""

    path: str  # in a box of 100 by 100
    ticks: list[Tick]
    last_y: float | None  # pixels
    height: int = HEIGHT
    top: int = TOP


def bars_of(values: Sequence[int], tops: Sequence[int] = (), before: Sequence[int] = ()) -> Bars:
    """Bars of these values with `tops` on them, and the line of `before`. What is below zero is not drawn."""
    tops = tops or [0] * len(values)
    heights = [max(0, value) + max(0, top) for value, top in zip(values, tops, strict=True)]
    ticks, most = scale([*heights, *before])
    step = 100 / max(1, len(values))
    width = round(step * (1 - GAP_SHARE), 3)

    def tall(value: int) -> float:
        return round(max(0, value) * (HEIGHT - TOP) / most, 1)

    bars = []
    for n, (value, top) in enumerate(zip(values, tops, strict=True)):
        own, above = tall(value), tall(top)
        bars.append(
            Bar(round(n * step + step * GAP_SHARE / 2, 3), width, round(HEIGHT - own, 1), own,
                round(HEIGHT - own - above, 1), above)
        )  # fmt: skip
    points = [
        (round((n + 0.5) * step, 2), round(100 - max(0, value) * 100 / most, 2)) for n, value in enumerate(before)
    ]
    return Bars(bars, ticks, path_of(points))


def line_of(shares: Sequence[Decimal | None], least: int = 0) -> Line:
    """The line of these percentages, on a scale that begins at `least`."""
    known = [share for share in shares if share is not None]
    ticks, most = scale([ceil(max(known, default=Decimal(0)) - least)], (1, 2, 5, 10, 25, 50))
    step = 100 / max(1, len(shares))
    points = [
        None if share is None else (round((n + 0.5) * step, 2), round(float(100 - (share - least) * 100 / most), 2))
        for n, share in enumerate(shares)
    ]
    drawn = [point for point in points if point]
    last_y = round(TOP + drawn[-1][1] * (HEIGHT - TOP) / 100, 1) if drawn else None
    return Line(path_of(points), [Tick(tick.y, tick.value + least) for tick in ticks], last_y)


def spark_of(scores: Sequence[int | None]) -> str:
    """A small line of scores from 0 to 100, in a box of 76 by 20; "" where fewer than two are known."""
    step = 74 / max(1, len(scores) - 1)
    points = [
        None if score is None else (round(1 + n * step, 1), round(18 - score * 0.16, 1))
        for n, score in enumerate(scores)
    ]
    return path_of(points) if sum(point is not None for point in points) > 1 else ""


def scale(values: Sequence[int], steps: Sequence[int] = ()) -> tuple[list[Tick], int]:
    """Two lines at round numbers, the upper above all values; and the value of the upper one."""
    most, step = max([1, *values]), 0
    step = next((step for step in steps if 2 * step >= most), 0)
    if not step:
        power = 10 ** max(0, len(str(most)) - 2)
        step = next(n * power for n in (1, 2, 5, 10, 20, 50) if 2 * n * power >= most)
    return [Tick(round(TOP + (HEIGHT - TOP) / 2, 1), step), Tick(TOP, 2 * step)], 2 * step


def path_of(points: Sequence[tuple[float, float] | None]) -> str:
    """An SVG path through these points, with a gap at each None."""
    path, pen = "", "M"
    for point in points:
        if point is None:
            pen = "M"
        else:
            path, pen = f"{path}{pen}{point[0]} {point[1]}", "L"
    return path

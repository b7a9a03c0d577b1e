"""Charts of steps: which points are drawn, and in how large a box."""

from collections.abc import Sequence
from datetime import datetime

# Upstream is asked some 1,800 times in an order's first week, after that once an hour.
READ_AT_MOST = 2_000  # points
DRAWN_AT_MOST = 200  # points
WIDTH, HEIGHT = 1_000, 100  # the box that the chart is drawn in
Point = tuple[datetime, int]  # when, and units delivered by then


def thinned(points: list[Point]) -> list[Point]:
    """At most DRAWN_AT_MOST of these points, evenly chosen, with the first and the last."""
    if len(points) <= DRAWN_AT_MOST:
        return points
    return [points[i * (len(points) - 1) // (DRAWN_AT_MOST - 1)] for i in range(DRAWN_AT_MOST)]


def step_path(corners: Sequence[tuple[float, float]], end: float) -> str:
    """An SVG path of steps: from the first corner across and then up or down to each next one, and on to x `end`."""
    (x, y), *others = corners
    return f"M{x} {y}" + "".join(f"H{x}V{y}" for x, y in others) + f"H{end}"

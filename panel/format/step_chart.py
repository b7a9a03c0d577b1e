"""Charts of steps: which points are drawn, in a box of which size."""

from datetime import datetime

# In an order's first week upstream is asked some 1,800 times, after that once an hour.
READ_AT_MOST = 2_000
DRAWN_AT_MOST = 200
WIDTH, HEIGHT = 1_000, 100  # the box that the chart is drawn in
Point = tuple[datetime, int]  # when, and units delivered by then


def thinned(points: list[Point]) -> list[Point]:
    """At most DRAWN_AT_MOST of them, evenly, with the first and the last."""
    if len(points) <= DRAWN_AT_MOST:
        return points
    return [points[i * (len(points) - 1) // (DRAWN_AT_MOST - 1)] for i in range(DRAWN_AT_MOST)]

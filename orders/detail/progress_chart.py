"""How far an order was, and when: a reading for each report that told something new, and the chart drawn of them."""

from datetime import datetime
from typing import NamedTuple

from orders.models import Order
from panel.format.step_chart import HEIGHT, READ_AT_MOST, WIDTH, step_path, thinned


class Chart(NamedTuple):
    """Steps in a box of WIDTH × HEIGHT; up is delivered, to the right is later."""

    line: str  # an SVG path
    area: str  # the same, closed along the ground
    began: datetime
    ended: datetime
    first: int  # units delivered at the first reading that is drawn, and at the last
    last: int
    marks: list[tuple[int, str]]  # x → what was asked for then


def chart(order: Order) -> Chart | None:
    """One query, whatever the order's age; None while there are fewer than two readings to draw."""
    newest = order.readings.order_by("-id").values_list("at", "remains")[:READ_AT_MOST]
    points = [
        (at, order.total - left) for at, left in reversed(newest) if left is not None and 0 <= left <= order.total
    ]
    if len(points) < 2 or not order.total:
        return None
    points = thinned(points)
    began, asked = points[0][0], [task for task in order.tasks.all() if task.kind in task.AFTERSALE]
    known_until = max(points[-1][0], order.reported_at or points[-1][0])  # after it nobody has told anything
    ended = max([known_until, *(task.asked_at for task in asked)])
    if ended <= began:
        return None

    def x(at: datetime) -> int:
        return round((at - began) / (ended - began) * WIDTH)

    def y(done: int) -> int:
        return round(HEIGHT - done / order.total * HEIGHT)

    line = step_path([(x(at), y(done)) for at, done in points], end=x(known_until))
    return Chart(
        line=line,
        area=f"{line}V{HEIGHT}H0Z",
        began=began,
        ended=ended,
        first=points[0][1],
        last=points[-1][1],
        marks=[(x(task.asked_at), f"{task.get_kind_display()} asked for") for task in asked if task.asked_at >= began],
    )

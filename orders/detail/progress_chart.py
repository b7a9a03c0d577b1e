"""The chart of an order's delivery over time, drawn from its readings."""

from datetime import datetime
from typing import NamedTuple

from orders.models import Order, Task
from panel.format.step_chart import HEIGHT, READ_AT_MOST, WIDTH, step_path, thinned


class Chart(NamedTuple):
    """Steps in a box of WIDTH × HEIGHT: the higher, the more units are delivered; the further right, the later."""

    line: str  # an SVG path
    area: str  # the same, closed along the ground
    began: datetime
    ended: datetime
    first: int  # units delivered at the first reading that is drawn, and at the last
    last: int
    marks: list[tuple[int, str]]  # x → what was asked for then


def chart(order: Order) -> Chart | None:
    """The order's chart, or None while there are fewer than two readings to draw. Costs one query at any age."""
    newest_first = order.readings.order_by("-id")[:READ_AT_MOST]
    told = [point for reading in reversed(newest_first) for point in reading.points]
    points = [
        (at, order.total - remains)
        for at, remains in told[-READ_AT_MOST:]
        if remains is not None and 0 <= remains <= order.total
    ]
    if len(points) < 2 or not order.total:
        return None
    points = thinned(points)
    (began, first), (last_at, last) = points[0], points[-1]
    tasks = [task for task in order.tasks.all() if task.kind in Task.AFTERSALE]
    known_until = max(last_at, order.checked_at or last_at)  # upstream has told nothing since
    ended = max([known_until, *(task.asked_at for task in tasks)])
    if ended <= began:
        return None

    def x(at: datetime) -> int:
        return round((at - began) / (ended - began) * WIDTH)

    def y(done: int) -> int:
        return round(HEIGHT - done / order.total * HEIGHT)

    line = step_path([(x(at), y(done)) for at, done in points], end=x(known_until))
    marks = [(x(task.asked_at), f"{task.get_kind_display()} asked for") for task in tasks if task.asked_at >= began]
    return Chart(line, f"{line}V{HEIGHT}H0Z", began, ended, first, last, marks)

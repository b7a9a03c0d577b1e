"""When orders were taken, started and ended, by what their tasks and readings say.

Of those that are live, so that they are judged by the right half of their service's pace, and of the latest few
thousand, so that a busy desk has a pace at once. The rest stay empty: a pace looks at a service's last 200 alone, and
to fill them would write every row of the largest table anew.
"""

from collections import defaultdict
from typing import Any

from django.db import migrations

LATEST = 5_000  # orders
AT_ONCE = 500
LIVE = ("pending", "processing", "in_progress")
STARTED = ("in_progress", "completed", "partial")
FINAL = ("completed", "partial", "cancelled", "refunded")
FILLED = ("taken_at", "started_at", "ended_at")


def fill(apps: Any, _editor: Any) -> None:
    orders = apps.get_model("orders", "Order").objects
    latest = orders.filter(upstream_id__isnull=False).order_by("-id").values_list("id", flat=True)[:LATEST]
    ids = sorted({*latest, *orders.filter(status__in=LIVE).values_list("id", flat=True)})
    for first in range(0, len(ids), AT_ONCE):
        fill_some(apps, ids[first : first + AT_ONCE])


def fill_some(apps: Any, ids: list[int]) -> None:
    order_model, task_model, reading_model = (apps.get_model("orders", name) for name in ("Order", "Task", "Reading"))
    placed = task_model.objects.filter(order__in=ids, kind="place", outcome__in=("done", "adopted"))
    taken = dict(placed.values_list("order_id", "settled_at"))
    told = defaultdict(list)
    readings = reading_model.objects.filter(order__in=ids).order_by("order_id", "id")
    for order_id, status, at in readings.values_list("order_id", "status", "at"):
        told[order_id].append((status, at))
    some = list(order_model.objects.filter(id__in=ids).only("status", *FILLED))
    for order in some:
        order.taken_at = taken.get(order.id)
        for status, at in told[order.id]:
            if status in STARTED:
                order.started_at = order.started_at or at
            order.ended_at = (order.ended_at or at) if status in FINAL else None
        if order.status not in FINAL:
            order.ended_at = None
    order_model.objects.bulk_update(some, FILLED)


class Migration(migrations.Migration):
    dependencies = [("orders", "0011_pace")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]

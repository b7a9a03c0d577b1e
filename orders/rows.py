"""Orders as rows of the table: read in two queries however many, and without what no row shows."""

from collections.abc import Collection
from typing import Any

from django.db.models import Prefetch, QuerySet

from orders.models import Order, OrderQuerySet
from orders.tasks import Task

ORDER = ("request_id", "link", "quantity", "runs", "expected_charge", "created_at", "send_when_funded", "upstream_id",
         "status", "charge", "currency", "start_count", "remains", "reported_at", "left_out", "refills_elsewhere",
         "next_look_at", "version", "cost")  # fmt: skip
SERVICE = ("upstream_id", "name", "type", "category", "refill", "cancel")
TASK = ("order_id", "kind", "asked_at", "due_at", "attempts", "unclear_since", "settled_at", "outcome", "answer",
        "needs", "known_at", "over_at", "slot")  # fmt: skip
PERSON = ("username", "name")
IN_ROWS = (*ORDER, *(f"service__{name}" for name in SERVICE), *(f"placed_by__{name}" for name in PERSON))
OF_TASKS = (*TASK, *(f"asked_by__{name}" for name in PERSON))


def in_rows(orders: OrderQuerySet, pks: "Collection[int] | QuerySet[Any, Any]") -> list[Order]:
    """These of the orders, in no order, each with its service, tasks and people; `pks` may be a query of its own."""
    tasks = Task.objects.select_related("asked_by").only(*OF_TASKS).order_by()
    some = orders.filter(pk__in=pks).order_by().select_related("service", "placed_by").only(*IN_ROWS)
    rows = list(some.prefetch_related(Prefetch("tasks", tasks, to_attr="known_tasks")))
    for order in rows:
        order.__dict__["known_tasks"].sort(key=lambda task: -task.pk)
    return rows

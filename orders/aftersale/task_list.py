"""The list of all refills, or of all cancels: one page of it, newest first, and which refills stand out as old."""

from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.db.models import F
from django.urls import reverse
from django.utils import timezone

from orders.aftersale.states import STATES, Kind, state_note, state_of
from orders.models import Task
from panel.web.paging import one_more

TASKS_A_PAGE = 50
USUAL_PERCENT = 90  # of the measured refills were settled within the usual age
MOST_MEASURED_REFILLS, FEWEST_MEASURED_REFILLS = 200, 20
DEFAULT_OLD_AGE = timedelta(hours=24)  # while there are too few refills to measure


def task_list_context(user: Any, kind: str, state: str, before: int) -> dict[str, object]:
    """What `orders/aftersale/tasks.html` wants: tasks of a kind, in one state, or in any when it has no such state.

    `before` is the id of the last task of the page before, or 0 for the first page.
    """
    states = STATES[kind]
    query = {"state": state} if state in states else {}
    tasks = Task.objects.seen_by(user).filter(kind=kind)
    if query:
        tasks = tasks.filter(states[state].where)
    if before:
        tasks = tasks.filter(pk__lt=before)
    tasks = tasks.select_related("order__service", "asked_by").prefetch_related("order__tasks").order_by("-pk")
    page, more = one_more(tasks, TASKS_A_PAGE)
    old_since = timezone.now() - usual_age() if kind == Kind.REFILL else None
    older = urlencode({**query, "before": page[-1].pk}) if more else ""
    return {
        "kind": kind,
        "state": query.get("state", ""),
        "states": states,
        "rows": [(task, state_of(task), state_note(task), is_old(task, old_since)) for task in page],
        "older": older and f"{reverse(f'orders:all_{kind}s')}?{older}",
        "first": not before,
    }


def usual_age() -> timedelta:
    """The age within which nine of ten of the latest refills were settled. Those presumed settled do not count."""
    settled = Task.objects.filter(STATES[Kind.REFILL]["settled"].where, kind=Kind.REFILL, known_at__isnull=False)
    lasted = settled.annotate(lasted=F("over_at") - F("known_at")).order_by("-pk").values_list("lasted", flat=True)
    ages: list[timedelta] = sorted(lasted[:MOST_MEASURED_REFILLS])
    return ages[len(ages) * USUAL_PERCENT // 100] if len(ages) >= FEWEST_MEASURED_REFILLS else DEFAULT_OLD_AGE


def is_old(task: Task, old_since: datetime | None) -> bool:
    """Whether a pending refill has waited longer than most did. False without a time, as for cancels."""
    return bool(old_since and task.over_at is None and (task.known_at or task.asked_at) < old_since)

"""The list of all refills, or of all cancels: one page of it, newest first, and which refills stand out as old."""

from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.db.models import F, Q
from django.urls import reverse
from django.utils import timezone

from orders.aftersale.states import STATES, Kind, state_note, state_of
from orders.models import Task
from orders.models.task import IS_AFTERSALE
from orders.table.filters import IndexRows
from orders.table.paging import SORTS, PageRange, Source, batch, index_rows
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
    source = states[state].index_rows(kind) if query else [IndexRows(Task.objects.filter(IS_AFTERSALE, kind=kind))]
    tasks = Task.objects.seen_by(user).filter(newest(source, TASKS_A_PAGE + 1, before))
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


def newest(source: Source, most: int, before: int = 0) -> Q:
    """The condition that a task is among the newest of a source, of those before the task `before` if that is given."""
    below = PageRange(SORTS[""], down=True, after_key=(None, before) if before else None)
    if len(source) == 1:  # in the same query; its ids come from the index alone
        return Q(pk__in=index_rows(source[0], below, None).values("pk")[:most])
    return Q(pk__in=[pk for _, pk in batch(source, below, None, most)])


def usual_age() -> timedelta:
    """The age within which nine of ten of the latest refills were settled. Those presumed settled do not count."""
    latest = newest(STATES[Kind.REFILL]["settled"].index_rows(Kind.REFILL), MOST_MEASURED_REFILLS)
    settled = Task.objects.filter(latest, known_at__isnull=False).order_by()
    ages: list[timedelta] = sorted(settled.annotate(age=F("over_at") - F("known_at")).values_list("age", flat=True))
    return ages[len(ages) * USUAL_PERCENT // 100] if len(ages) >= FEWEST_MEASURED_REFILLS else DEFAULT_OLD_AGE


def is_old(task: Task, old_since: datetime | None) -> bool:
    """Whether a pending refill has waited longer than most did. False without a time, as for cancels."""
    return bool(old_since and task.over_at is None and (task.known_at or task.asked_at) < old_since)

"""Refills and cancels: their states in words, and one page of them, by keyset."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Self
from urllib.parse import urlencode

from django.db.models import F, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from orders.aftersale.states import STATES, Kind, Settled, state_note, state_of
from orders.models import Task
from panel.web.paging import one_more
from panel.web.params import read_number

TASKS_A_PAGE = 50


# ── How long a refill usually takes ──────────────────────────────────────────────────────────────
DEFAULT_OLD_AGE = timedelta(hours=24)  # while the desk has too few to know better
ENOUGH_REFILLS, MEASURED_REFILLS = 20, 200  # refills whose end somebody told


def usual_age() -> timedelta:
    """Nine of ten refills whose end was told had it within this time."""
    told = Task.objects.filter(
        kind=Kind.REFILL, over_how__in=(Settled.MARKED, Settled.FOLLOWED), known_at__isnull=False
    )
    lasted = told.annotate(lasted=F("over_at") - F("known_at")).order_by("-pk").values_list("lasted", flat=True)
    ages: list[timedelta] = sorted(lasted[:MEASURED_REFILLS])
    return ages[len(ages) * 9 // 10] if len(ages) >= ENOUGH_REFILLS else DEFAULT_OLD_AGE


# ── A page of them ───────────────────────────────────────────────────────────────────────────────
@dataclass(frozen=True)
class TaskList:
    """What the address asks for: a kind, a state or "" for all, and behind which task (0: from the newest)."""

    user: Any
    kind: str
    state: str
    before: int

    @classmethod
    def read(cls, request: HttpRequest, kind: str) -> Self:
        """From the query string; what makes no sense there is as if it were not."""
        state = request.GET.get("state", "")
        return cls(request.user, kind, state if state in STATES[kind] else "", read_number(request.GET.get("before")))

    def tasks(self) -> "QuerySet[Task]":
        found = Task.objects.seen_by(self.user).filter(kind=self.kind)
        if self.state:
            found = found.filter(STATES[self.kind][self.state].where)
        if self.before:
            found = found.filter(pk__lt=self.before)
        return found.select_related("order__service", "asked_by").prefetch_related("order__tasks").order_by("-pk")

    def context(self) -> dict[str, object]:
        """What `orders/aftersale/tasks.html` wants."""
        rows, more = one_more(self.tasks(), TASKS_A_PAGE)
        old_since = timezone.now() - usual_age() if self.kind == Kind.REFILL else None
        return {
            "kind": self.kind,
            "state": self.state,
            "states": STATES[self.kind],
            "rows": [(task, state_of(task), state_note(task), is_old(task, old_since)) for task in rows],
            "older": self.address(before=rows[-1].pk) if more else "",
            "first": not self.before,
        }

    def address(self, **end: int) -> str:
        query = {"state": self.state, **end} if self.state else end
        return f"{reverse(f'orders:all_{self.kind}s')}?{urlencode(query)}"


def is_old(task: Task, old_since: datetime | None) -> bool:
    """A pending refill that waits longer than most did."""
    return bool(old_since and task.over_at is None and (task.known_at or task.asked_at) < old_since)

"""Refills and cancels: their states in words, and one page of them, by keyset."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple, Self
from urllib.parse import urlencode

from django.conf import settings
from django.db.models import F, Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from orders.models import Task
from panel.format.times import day_and_clock
from panel.web.params import number

WISHES_A_PAGE = 50
Kind, Outcome, Settled = Task.Kind, Task.Outcome, Task.Settled


class State(NamedTuple):
    """One way in which a refill or cancel may stand; `tone` as of a status."""

    label: str
    tone: str
    settled: tuple[str, ...] = ()  # it came to its end in one of these ways
    pending: Q = Q()  # or else: it has no end yet, and this holds

    @property
    def where(self) -> Q:
        """The condition on a task."""
        return Q(over_how__in=self.settled) if self.settled else Q(self.pending, over_at=None)


WAITING, TAKEN, UNCLEAR = Q(settled_at=None), Q(outcome=Outcome.DONE), Q(outcome=Outcome.UNCLEAR)
STATES: dict[str, dict[str, State]] = {
    Kind.REFILL: {
        "waiting":  State("Not answered yet", "quiet", pending=WAITING),
        "pending":  State("Pending", "warn", pending=TAKEN),
        "unclear":  State("No clear answer", "bad", pending=UNCLEAR),
        "refused":  State("Refused", "bad", (Settled.REFUSED,)),
        "presumed": State("Presumed settled", "quiet", (Settled.PRESUMED,)),
        "settled":  State("Settled", "good", (Settled.MARKED, Settled.FOLLOWED)),
        "doubted":  State("Upstream is asked anew", "warn", (Settled.DOUBTED,)),
    },
    Kind.CANCEL: {
        "waiting":  State("Not answered yet", "quiet", pending=WAITING),
        "asked":    State("Cancel asked", "warn", pending=TAKEN),
        "unclear":  State("No clear answer", "bad", pending=UNCLEAR),
        "agreed":   State("Upstream agreed", "good", (Settled.AGREED,)),
        "late":     State("Delivered anyway", "warn", (Settled.DELIVERED,)),
        "ended":    State("Ended otherwise", "warn", (Settled.OTHERWISE,)),
        "refused":  State("Refused", "bad", (Settled.REFUSED,)),
        "needless": State("Never placed", "quiet", (Settled.WITHDRAWN,)),
    },
}  # fmt: skip


def state_key(task: Task) -> str:
    """The key of STATES that a task is in: the one whose condition holds for it. "" for an end of the other kind."""
    if task.over_how:
        return next((key for key, state in STATES[task.kind].items() if task.over_how in state.settled), "")
    if task.settled_at is None:
        return "waiting"
    if task.outcome == Outcome.UNCLEAR:
        return "unclear"
    return "pending" if task.kind == Kind.REFILL else "asked"


def state_of(task: Task) -> State:
    return STATES[task.kind][state_key(task)]


def why(task: Task) -> str:
    """What is known of how it stands, in a sentence; "" when its state says it all."""
    if task.over_how == Settled.MARKED:
        return "A manager marked it as settled."
    if task.over_how == Settled.FOLLOWED:
        return "Upstream let another refill pass."
    if task.over_how == Settled.PRESUMED:
        return "Nothing was heard of it for long. Upstream has not said so."
    if task.over_how in (Settled.AGREED, Settled.DELIVERED, Settled.OTHERWISE):
        return f"Upstream says: {task.order.label.lower()}."
    if task.over_at or task.outcome != Outcome.DONE:
        return ""
    if task.kind == Kind.CANCEL:
        return "Upstream took the request. A later status tells whether it holds."
    until = (task.known_at or task.asked_at) + timedelta(hours=settings.REFILL_PRESUMED_SETTLED_AFTER)
    return f"Presumed settled on {day_and_clock(until)}, unless somebody says so earlier."


# ── How long a refill usually takes ──────────────────────────────────────────────────────────────
OLD = timedelta(hours=24)  # while the desk has too few to know better
ENOUGH, LOOKED_AT = 20, 200  # refills whose end somebody told


def usual_age() -> timedelta:
    """Nine of ten refills whose end was told had it within this time."""
    told = Task.objects.filter(
        kind=Kind.REFILL, over_how__in=(Settled.MARKED, Settled.FOLLOWED), known_at__isnull=False
    )
    lasted = told.annotate(lasted=F("over_at") - F("known_at")).order_by("-pk").values_list("lasted", flat=True)
    ages: list[timedelta] = sorted(lasted[:LOOKED_AT])
    return ages[len(ages) * 9 // 10] if len(ages) >= ENOUGH else OLD


# ── A page of them ───────────────────────────────────────────────────────────────────────────────
@dataclass(frozen=True)
class Wishes:
    """What the address asks for: a kind, a state or "" for all, and behind which task (0: from the newest)."""

    user: Any
    kind: str
    state: str
    before: int

    @classmethod
    def read(cls, request: HttpRequest, kind: str) -> Self:
        """From the query string; what makes no sense there is as if it were not."""
        state = request.GET.get("state", "")
        return cls(request.user, kind, state if state in STATES[kind] else "", number(request.GET.get("before")))

    def tasks(self) -> "QuerySet[Task]":
        found = Task.objects.seen_by(self.user).filter(kind=self.kind)
        if self.state:
            found = found.filter(STATES[self.kind][self.state].where)
        if self.before:
            found = found.filter(pk__lt=self.before)
        return found.select_related("order__service", "asked_by").prefetch_related("order__tasks").order_by("-pk")

    def context(self) -> dict[str, object]:
        """What `orders/wishes.html` wants."""
        rows = list(self.tasks()[: WISHES_A_PAGE + 1])
        more, rows = len(rows) > WISHES_A_PAGE, rows[:WISHES_A_PAGE]
        old_since = timezone.now() - usual_age() if self.kind == Kind.REFILL else None
        return {
            "kind": self.kind,
            "state": self.state,
            "states": STATES[self.kind],
            "rows": [(task, state_of(task), why(task), is_old(task, old_since)) for task in rows],
            "older": self.address(before=rows[-1].pk) if more else "",
            "first": not self.before,
        }

    def address(self, **end: int) -> str:
        query = {"state": self.state, **end} if self.state else end
        return f"{reverse(f'orders:all_{self.kind}s')}?{urlencode(query)}"


def is_old(task: Task, old_since: datetime | None) -> bool:
    """A pending refill that waits longer than most did."""
    return bool(old_since and task.over_at is None and (task.known_at or task.asked_at) < old_since)

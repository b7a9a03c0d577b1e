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

from orders.tasks import Task
from panel.format.times import day_and_clock
from panel.web.params import number

WISHES_A_PAGE = 50
Kind, Outcome, Over = Task.Kind, Task.Outcome, Task.Over
PENDING = Q(over_at=None)


class State(NamedTuple):
    """One way in which a refill or cancel may stand; `tone` as of a status."""

    label: str
    tone: str
    those: Q


# key: label, tone, which tasks. A task is in the first that fits.
STATES: dict[str, dict[str, State]] = {
    Kind.REFILL: {
        "waiting":  State("Not answered yet", "quiet", PENDING & Q(settled_at=None)),
        "pending":  State("Pending", "warn", PENDING & Q(outcome=Outcome.DONE)),
        "unclear":  State("No clear answer", "bad", PENDING & Q(outcome=Outcome.UNCLEAR)),
        "refused":  State("Refused", "bad", Q(over_how=Over.REFUSED)),
        "presumed": State("Presumed settled", "quiet", Q(over_how=Over.PRESUMED)),
        "settled":  State("Settled", "good", Q(over_how__in=(Over.MARKED, Over.FOLLOWED))),
        "doubted":  State("Upstream is asked anew", "warn", Q(over_how=Over.DOUBTED)),
    },
    Kind.CANCEL: {
        "waiting":  State("Not answered yet", "quiet", PENDING & Q(settled_at=None)),
        "asked":    State("Cancel asked", "warn", PENDING & Q(outcome=Outcome.DONE)),
        "unclear":  State("No clear answer", "bad", PENDING & Q(outcome=Outcome.UNCLEAR)),
        "agreed":   State("Upstream agreed", "good", Q(over_how=Over.AGREED)),
        "late":     State("Delivered anyway", "warn", Q(over_how=Over.DELIVERED)),
        "ended":    State("Ended otherwise", "warn", Q(over_how=Over.OTHERWISE)),
        "refused":  State("Refused", "bad", Q(over_how=Over.REFUSED)),
        "needless": State("Never placed", "quiet", Q(over_how=Over.WITHDRAWN)),
    },
}  # fmt: skip
_OVER = {Over.REFUSED: "refused", Over.PRESUMED: "presumed", Over.MARKED: "settled", Over.FOLLOWED: "settled",
         Over.DOUBTED: "doubted", Over.AGREED: "agreed", Over.DELIVERED: "late", Over.OTHERWISE: "ended",
         Over.WITHDRAWN: "needless"}  # fmt: skip


def state_key(task: Task) -> str:
    """The key of STATES that a task is in; the same as its query would find."""
    if task.over_how:
        return _OVER[Over(task.over_how)]
    if task.settled_at is None:
        return "waiting"
    if task.outcome == Outcome.UNCLEAR:
        return "unclear"
    return "pending" if task.kind == Kind.REFILL else "asked"


def state_of(task: Task) -> State:
    return STATES[task.kind][state_key(task)]


def why(task: Task) -> str:
    """What is known of how it stands, in a sentence; "" when its state says it all."""
    if task.over_how == Over.MARKED:
        return "A manager marked it as settled."
    if task.over_how == Over.FOLLOWED:
        return "Upstream let another refill pass."
    if task.over_how == Over.PRESUMED:
        return "Nothing was heard of it for long. Upstream has not said so."
    if task.over_how in (Over.AGREED, Over.DELIVERED, Over.OTHERWISE):
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
    told = Task.objects.filter(kind=Kind.REFILL, over_how__in=(Over.MARKED, Over.FOLLOWED), known_at__isnull=False)
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
            found = found.filter(STATES[self.kind][self.state].those)
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

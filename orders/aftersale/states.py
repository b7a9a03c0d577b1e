"""The states of refills and cancels in words, one row a state, and where the database finds the tasks in each."""

from datetime import timedelta
from typing import NamedTuple

from django.conf import settings

from orders.models import Task
from orders.models.task import IS_AFTERSALE
from orders.table.filters import IndexRows
from panel.format.times import day_and_clock

Kind, Outcome, Settled = Task.Kind, Task.Outcome, Task.Settled


class State(NamedTuple):
    """One way in which a refill or cancel may stand. `tone` is a tone of rules/statuses.py."""

    label: str
    tone: str
    settled: tuple[str, ...] = ()  # the task ended in one of these ways; or, where this is empty,
    pending: str = ""  # it has no end yet, and this is its outcome so far

    def index_rows(self, kind: str) -> list[IndexRows]:
        """The index rows that together hold the tasks of a kind in this state."""
        tasks = Task.objects.filter(kind=kind)
        if self.settled:
            return [IndexRows(tasks.filter(over_at__isnull=False, over_how=how)) for how in self.settled]
        return [IndexRows(tasks.filter(IS_AFTERSALE, over_at=None, outcome=self.pending))]


WAITING, TAKEN, UNCLEAR = "", Outcome.DONE, Outcome.UNCLEAR
STATES: dict[str, dict[str, State]] = {
    Kind.REFILL: {
        "waiting":  State("Not answered yet", "quiet", pending=WAITING),
        "pending":  State("Pending", "warn", pending=TAKEN),
        "unclear":  State("No clear answer", "bad", pending=UNCLEAR),
        "refused":  State("Refused", "bad", (Settled.REFUSED,)),
        "presumed": State("Presumed done", "quiet", (Settled.PRESUMED,)),
        "settled":  State("Done", "good", (Settled.MARKED, Settled.FOLLOWED)),
        "doubted":  State("Asked again", "warn", (Settled.DOUBTED,)),
    },
    Kind.CANCEL: {
        "waiting":  State("Not answered yet", "quiet", pending=WAITING),
        "asked":    State("Cancel asked", "warn", pending=TAKEN),
        "unclear":  State("No clear answer", "bad", pending=UNCLEAR),
        "agreed":   State("Cancelled", "good", (Settled.AGREED,)),
        "late":     State("Delivered anyway", "warn", (Settled.DELIVERED,)),
        "ended":    State("Ended otherwise", "warn", (Settled.OTHERWISE,)),
        "refused":  State("Refused", "bad", (Settled.REFUSED,)),
        "needless": State("Never placed", "quiet", (Settled.WITHDRAWN,)),
    },
}  # fmt: skip


def state_key(task: Task) -> str:
    """The key in STATES of the state that a task is in, or "" for an end that its kind cannot have."""
    if task.over_how:
        return next((key for key, state in STATES[task.kind].items() if task.over_how in state.settled), "")
    if task.settled_at is None:
        return "waiting"
    if task.outcome == Outcome.UNCLEAR:
        return "unclear"
    return "pending" if task.kind == Kind.REFILL else "asked"


def state_of(task: Task) -> State:
    """The state that a task is in. KeyError for an end that its kind cannot have."""
    return STATES[task.kind][state_key(task)]


def state_note(task: Task) -> str:
    """A sentence about what is known of a task beyond its state, or ""."""
    if task.over_how == Settled.MARKED:
        return "A manager marked it as done."
    if task.over_how == Settled.FOLLOWED:
        return "The supplier accepted another refill."
    if task.over_how == Settled.PRESUMED:
        return "No news for a long time. The supplier has not said so."
    if task.over_how in (Settled.AGREED, Settled.DELIVERED, Settled.OTHERWISE):
        return f"The supplier says: {task.order.label.lower()}."
    if task.over_at or task.outcome != Outcome.DONE:
        return ""
    if task.kind == Kind.CANCEL:
        return "The supplier accepted the request. A later status shows whether it worked."
    until = (task.known_at or task.asked_at) + timedelta(hours=settings.REFILL_PRESUMED_SETTLED_AFTER)
    return f"Presumed done on {day_and_clock(until)}, unless somebody marks it earlier."

"""Decides how a call about many refills or cancels goes on after it failed, until the id that fails it stands alone.

A call is made smaller only where upstream answers others well. So while upstream itself is away, one task is sent ahead
as a scout, and the others wait together.
"""

import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from orders.models import Sending, Task
from orders.rules.retry import is_about_orders, smaller_share
from panel.notpanel.errors import NotPanelError, Refused

CANCEL, REFILL = Task.Kind.CANCEL, Task.Kind.REFILL
RESENT_WITHIN = timedelta(minutes=10)  # of a call that failed: what upstream has of it, it surely still calls pending


class Split(NamedTuple):
    """What becomes of the tasks of a call that failed."""

    apart: Sequence[tuple[Task, int]]  # go again at once, each in a call that names at most so many
    together: Sequence[Task]  # end as after any trouble: a cancel waits, a refill is for a person


def split(kind: str, tasks: Sequence[Task], trouble: NotPanelError, now: datetime) -> Split:
    """Splits the tasks of a call that failed. Sets `failing_since` of those that this call is the first to fail."""
    again = [task for task in tasks if task.failing_since]
    if not is_about_orders(trouble):
        return Split([], tasks)
    answered = bool(again) and Sending.answered_since(kind, max(task.failing_since or now for task in again))
    if len(tasks) == 1:
        tasks[0].share = 1 if answered else None  # a scout that came back without an answer joins the others
        return Split([], tasks)
    for task in tasks:
        task.failing_since = task.failing_since or now
    if kind == REFILL and not may_go_again(trouble):
        return for_people(tasks, again)
    if isinstance(trouble, Refused):  # an answer, and nothing came of the call
        return Split(in_shares(tasks), [])
    if kind == REFILL and not again:
        scout, *others = shuffled(tasks)
        return Split([(scout, 1), *in_shares(others)], [])
    if answered:
        fresh = [task for task in tasks if task not in again]
        return Split(in_shares(again), fresh)
    if kind == REFILL:
        return for_people(tasks, again)
    if not again:
        return Split([], tasks)
    scout = shuffled(again)[0]
    return Split([(scout, 1)], [task for task in tasks if task is not scout])


def may_go_again(trouble: NotPanelError) -> bool:
    """Whether the machine may send refills again, which have no request_id, after a call about many that failed.

    Only after an answer of upstream's own that says that the call as a whole came to nothing. What upstream has of it
    all the same, it then calls pending.
    """
    return isinstance(trouble, Refused) or trouble.failed


def is_too_late(task: Task, now: datetime) -> bool:
    """Whether a call with this refill failed so long ago that upstream may have settled it, and would make another."""
    asked_before = task.failing_since and task.attempts > 1  # a call that was refused as a whole does not count
    return bool(asked_before and task.was_due_at and task.was_due_at < now - RESENT_WITHIN)


def for_people(tasks: Sequence[Task], again: Sequence[Task]) -> Split:
    """Leaves refills to people. What somebody sends again goes together, and by itself if that fails once more."""
    for task in again:
        task.share = 1
    return Split([], tasks)


def in_shares(tasks: Sequence[Task]) -> list[tuple[Task, int]]:
    """The tasks with how many each next call may name."""
    share = smaller_share(len(tasks))
    return [(task, share) for task in tasks]


def shuffled(tasks: Sequence[Task]) -> list[Task]:
    """The tasks in any order, so that it is not always the bad one that goes ahead."""
    return random.sample(tasks, len(tasks))

"""Decides how a call about many refills or cancels goes on after it failed, until the id that fails it stands alone.

A call is made smaller only where upstream answers others well. So while upstream itself is away, one task is sent ahead
as a scout, and the others wait together.
"""

import random
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from orders.models import Sending, Task
from orders.rules.retry import smaller_share
from panel.notpanel.errors import NotPanelError, Refused, Unclear

CANCEL, REFILL = Task.Kind.CANCEL, Task.Kind.REFILL


class Split(NamedTuple):
    """What becomes of the tasks of a call that failed."""

    apart: Sequence[tuple[Task, int]]  # go again at once, each in a call that names at most so many
    together: Sequence[Task]  # end as after any trouble: a cancel waits, a refill is for a person


def split(kind: str, tasks: Sequence[Task], trouble: NotPanelError, now: datetime) -> Split:
    """Splits the tasks of a call that failed. Sets `failing_since` of those that this call is the first to fail."""
    again = [task for task in tasks if task.failing_since]
    if len(tasks) == 1 or not may_go_again(kind, trouble):
        return Split([], tasks)
    for task in tasks:
        task.failing_since = task.failing_since or now
    if isinstance(trouble, Refused):  # an answer, and nothing came of the call
        return Split(in_shares(tasks), [])
    if kind == REFILL and not again:
        scout, *others = shuffled(tasks)
        return Split([(scout, 1), *in_shares(others)], [])
    if again and Sending.answered_since(kind, max(task.failing_since or now for task in again)):
        fresh = [task for task in tasks if task not in again]
        return Split(in_shares(again), fresh)
    if kind == REFILL or not again:
        return Split([], tasks)
    scout = shuffled(again)[0]
    return Split([(scout, 1)], [task for task in tasks if task is not scout])


def may_go_again(kind: str, trouble: NotPanelError) -> bool:
    """Whether the machine may send these tasks again after this trouble.

    A refill only after an answer of upstream's own that says that the call as a whole came to nothing: it has no
    request_id. What upstream has of it all the same, it then calls pending.
    """
    return isinstance(trouble, Refused) or trouble.failed or (kind == CANCEL and isinstance(trouble, Unclear))


def in_shares(tasks: Sequence[Task]) -> list[tuple[Task, int]]:
    """The tasks with how many each next call may name."""
    share = smaller_share(len(tasks))
    return [(task, share) for task in tasks]


def shuffled(tasks: Sequence[Task]) -> list[Task]:
    """The tasks in any order, so that it is not always the bad one that goes ahead."""
    return random.sample(tasks, len(tasks))

"""The life of an order and of a task: one row a status, and the words for how a task stands.

No other file decides what a status means.
"""

from typing import NamedTuple

from django.db import models

from panel.format.visible import visible

NO_WORD = "No word"  # for a status of which nothing can be seen


class Status(models.TextChoices):
    """Four words of ours, before upstream has spoken; then upstream's seven as they are."""

    APPROVAL = "approval", "Waits for approval"
    QUEUED = "queued", "Queued"
    REVIEW = "review", "Needs a look"
    REJECTED = "rejected", "Rejected"
    PENDING = "pending", "Pending"
    PROCESSING = "processing", "Processing"
    IN_PROGRESS = "in_progress", "In progress"
    COMPLETED = "completed", "Completed"
    PARTIAL = "partial", "Partial"
    CANCELLED = "cancelled", "Cancelled"
    REFUNDED = "refunded", "Refunded"


class Stage(NamedTuple):
    """What one status means: its tone on the screen, what may be asked, and which statuses we expect next."""

    tone: str  # quiet, move, good, warn, bad: the token family of the stylesheet
    upstream: bool  # upstream's word (a dot) or ours (a ring)
    live: bool  # we go on polling it
    refill: bool  # a refill may be asked for, if the service has it
    cancel: str  # "" when a cancel may be asked for, "flag" when the service must allow it, else a sentence why not
    then: frozenset[str]


def _stage(tone: str, upstream: bool, live: bool, refill: bool, cancel: str, then: str = "") -> Stage:
    return Stage(tone, upstream, live, refill, cancel, frozenset(then.split()))


# Why there is no cancel.
UNSURE = "It needs a look first: nobody knows yet whether the supplier has it."
NEVER_ORDERED = "Nothing was ordered, so there is nothing to cancel."
COMPLETED = "It is completed; there is nothing left to cancel."
ENDED_PARTIAL = "It ended as partial; there is nothing left to cancel."
REFUNDED = "It is refunded already; there is nothing left to cancel."
# Statuses that may follow.
ONCE_SENT = "pending processing in_progress completed rejected"
FINAL_WORDS = "completed partial cancelled refunded"

LIFE: dict[str, Stage] = {
    #                           tone     upstream live  refill cancel  and then we expect
    Status.APPROVAL:    _stage("quiet", False, False, False, "",     "queued rejected"),
    Status.QUEUED:      _stage("quiet", False, False, False, "",     f"{ONCE_SENT} review"),
    Status.REVIEW:      _stage("bad",   False, False, False, UNSURE, ONCE_SENT),
    Status.REJECTED:    _stage("bad",   False, False, False, NEVER_ORDERED),
    Status.PENDING:     _stage("move",  True,  True,  False, "",     f"processing in_progress {FINAL_WORDS}"),
    Status.PROCESSING:  _stage("move",  True,  True,  False, "flag", f"in_progress {FINAL_WORDS}"),
    Status.IN_PROGRESS: _stage("move",  True,  True,  False, "flag", FINAL_WORDS),
    Status.COMPLETED:   _stage("good",  True,  False, True,  COMPLETED),
    Status.PARTIAL:     _stage("warn",  True,  False, True,  ENDED_PARTIAL, "completed"),
    Status.CANCELLED:   _stage("quiet", True,  False, False, "It is cancelled already."),
    Status.REFUNDED:    _stage("bad",   True,  False, False, REFUNDED),
}  # fmt: skip

# A word that upstream has added since: kept raw, shown as such, and polled until it becomes a word we know.
UNKNOWN = _stage("warn", True, True, False, "flag", " ".join(LIFE))

LIVE = frozenset(status for status, stage in LIFE.items() if stage.live)
FINAL = frozenset(status for status, stage in LIFE.items() if stage.upstream and not stage.live)
STARTED = frozenset((Status.IN_PROGRESS, Status.COMPLETED, Status.PARTIAL))  # it has begun to deliver


def stage(status: str) -> Stage:
    """What a status means. Words that we do not know get the stage UNKNOWN."""
    return LIFE.get(status, UNKNOWN)


def label(status: str) -> str:
    """The word on the screen: ours if we know it, else upstream's own, raw. Never empty."""
    return Status(status).label if status in LIFE else visible(status) or NO_WORD


class TaskKind(models.TextChoices):
    """What is asked of upstream about an order."""

    PLACE = "place", "Place"
    REFILL = "refill", "Refill"
    CANCEL = "cancel", "Cancel"


AFTERSALE = (TaskKind.REFILL, TaskKind.CANCEL)  # what is asked about an order that is placed


class TaskOutcome(models.TextChoices):
    """What the asking led to."""

    DONE = "done", "Done"
    REFUSED = "refused", "Refused by the supplier"
    REVIEW = "review", "Needs a look"
    WITHDRAWN = "withdrawn", "Withdrawn before it was sent"
    ADOPTED = "adopted", "Found at the supplier by a person"
    CLOSED = "closed", "Closed by a person as not placed"
    DECLINED = "declined", "Declined by a second person"
    EXPIRED = "expired", "Not approved in time"
    UNCLEAR = "unclear", "No clear answer"


class TaskSettled(models.TextChoices):
    """How a refill or cancel ended. One that upstream has only accepted is still pending."""

    REFUSED = "refused", "Refused by the supplier"
    WITHDRAWN = "withdrawn", "Not needed: the order was never placed"
    PRESUMED = "presumed", "Presumed done"
    MARKED = "marked", "Marked as done"
    DOUBTED = "doubted", "Asked again"
    FOLLOWED = "followed", "Done: the supplier accepted another"
    AGREED = "agreed", "Cancelled"
    DELIVERED = "delivered", "Delivered anyway"
    OTHERWISE = "otherwise", "Ended otherwise"

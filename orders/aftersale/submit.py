"""Submits refills and cancels to upstream, up to a hundred in one call. Runs in the worker.

A refill has no request_id, so after a lost answer only a person may send it again. A cancel is sent again by the
worker, for cancelling an order twice does no more than cancelling it once.
"""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from orders.aftersale.split import is_too_late, split
from orders.models import Attempt, Event, Order, Sending, Task, TaskQuerySet
from orders.rules.retry import LEASE, repeat_pause
from panel.notpanel.client import Client
from panel.notpanel.errors import NeverSent, NotPanelError, PutOff, Refused, Suspended, Throttled, Unclear
from panel.ops.failpoints import fp

log = logging.getLogger(__name__)
Kind, Outcome, Settled, Ending = Task.Kind, Task.Outcome, Task.Settled, Attempt.Ending

FIRST_BEFORE_OTHERS = timedelta(seconds=1)  # so much earlier a scout is due
IDS_PER_CALL = 100  # upstream counts such a call as one request
BROKE_OFF = "The worker broke off in mid-call, and no answer was written down."
TOO_LATE = "The call failed, and the worker did not come to ask again in time."
# Parts of the supplier's documented refusals; we assume that these words stay, and not those around them.
ALREADY_PENDING, LIMIT_REACHED = "already pending", "limit reached"
# Ends of a refill that upstream never confirmed: that refill may still be the one that is pending there.
UNCONFIRMED_ENDS = (Settled.DOUBTED, Settled.PRESUMED, Settled.MARKED)
# Troubles after which upstream has not processed the call: how the try ends, and whether it counts as a try.
UNPROCESSED = {
    NeverSent: (Ending.UNSENT, True),
    Throttled: (Ending.LIMITED, False),
    PutOff: (Ending.LIMITED, True),
    Suspended: (Ending.HELD, False),
}

Answer = str | NotPanelError  # upstream's id of what it took, or what came instead


def submit_refills(client: Client, now: datetime | None = None) -> bool:
    """Claims due refills and submits them in one call. Returns whether there were any.

    A refill whose worker broke off, in mid-call or before it asked again, becomes unclear: upstream may have it.
    """
    now = now or timezone.now()
    tasks = Task.objects.claim_together(Kind.REFILL, now, LEASE, IDS_PER_CALL)
    doubts = {task: Unclear(why) for task in tasks if (why := why_not_sent(task, now))}
    if doubts:
        apply_answers(list(doubts), {task.order.upstream_id or "": doubt for task, doubt in doubts.items()})
    submit_together(client, Kind.REFILL, [task for task in tasks if task not in doubts])
    return bool(tasks)


def why_not_sent(task: Task, now: datetime) -> str:
    """Why a claimed refill is left to a person, for upstream may have it; "" when it may be sent."""
    if task.was_unclear:
        return BROKE_OFF
    return TOO_LATE if is_too_late(task, now) else ""


def submit_cancels(client: Client, now: datetime | None = None) -> bool:
    """Claims due cancels and submits them in one call. Returns whether there were any."""
    tasks = Task.objects.claim_together(Kind.CANCEL, now or timezone.now(), LEASE, IDS_PER_CALL)
    submit_together(client, Kind.CANCEL, tasks)
    return bool(tasks)


def ids_of(tasks: list[Task]) -> list[str]:
    """Upstream's ids of the orders of these tasks, in the same order."""
    return [task.order.upstream_id or "" for task in tasks]


def submit_together(client: Client, kind: str, tasks: list[Task]) -> None:
    """Makes one call for all of these tasks, and applies to each task its own answer."""
    if not tasks:
        return
    ids, answers = ids_of(tasks), dict[str, Answer]()
    rest: Sequence[Task] = tasks
    try:
        fp("wish.send")
        answers.update(client.each(kind, ids))
        fp("wish.answered")
    except NotPanelError as trouble:
        fp("wish.failed")
        log.warning("%d %ss: %s", len(tasks), kind, type(trouble).__name__)
        answers.update(dict.fromkeys(ids, trouble))
        apart, rest = split(kind, tasks, trouble, timezone.now())
        submit_apart(apart, trouble)
        answered = isinstance(trouble, Refused)
    else:
        answered = True
        for task in tasks:
            task.share = task.failing_since = None
    if answered:
        Sending.record_answer(kind, timezone.now())
    if rest:
        apply_answers(rest, answers)


def submit_apart(apart: Sequence[tuple[Task, int]], trouble: NotPanelError) -> None:
    """Makes these tasks due at once in smaller calls, the first of them before the others."""
    if not apart:
        return
    with transaction.atomic():
        now = timezone.now()
        refused = isinstance(trouble, Refused)
        for number, (task, share) in enumerate(apart):
            task.end_attempt(Ending.REFUSED if refused else Ending.UNCLEAR, trouble.said or str(trouble), now)
            # The tries tell that upstream may have it. `unclear_since` would say of a refill that a worker broke off.
            in_doubt = task.was_unclear if refused else task.kind == Kind.CANCEL
            task.postpone(
                now if number else now - FIRST_BEFORE_OTHERS,
                unclear_since=task.unclear_since if in_doubt else None,
                attempts=task.attempts - refused,
                answer=str(trouble),
                share=share,
                failing_since=task.failing_since,
            )
        fp("apart.commit")
    fp("apart.committed")


def apply_answers(tasks: Sequence[Task], answers: dict[str, Answer]) -> None:
    """Applies to each task the answer for its order, by upstream's id, in one transaction."""
    now, events = timezone.now(), list[Event]()
    orders = Order.objects.filter(pk__in=[task.order_id for task in tasks])
    with transaction.atomic():
        orders.lock()
        for task in tasks:
            events += apply_answer(task, answers[task.order.upstream_id or ""], now)
        orders.change()
        if tasks[0].kind == Kind.CANCEL:
            orders.filter(poll__isnull=False).poll_now(now)  # only a later status tells whether it is cancelled
        Event.objects.bulk_create(events)
        fp("wish.commit")
    fp("wish.committed")


def apply_answer(task: Task, answer: Answer, now: datetime) -> list[Event]:
    """Applies one answer to its task. Returns the events, which are none when another worker has the task by now."""
    refill = task.kind == Kind.REFILL
    if isinstance(answer, str):
        return accepted(task, answer, now)
    if isinstance(answer, Refused):
        return refill_refused(task, answer.said, now) if refill else cancel_refused(task, answer.said, now)
    for trouble, (ending, counts) in UNPROCESSED.items():
        if isinstance(answer, trouble):
            task.end_attempt(ending, answer.in_full, now)
            mine = retry_later(task, now, answer, counts=counts)
            first = mine and ending == Ending.UNSENT and task.attempts == 1
            return [task_event(task, "unsent", now, trouble=str(answer))] if first else []
    return refill_unclear(task, answer, now) if refill else cancel_unclear(task, answer, now)


def accepted(task: Task, ref: str, now: datetime) -> list[Event]:
    """Upstream took the task. `ref` is upstream's id of a refill. Only a later status agrees to a cancel."""
    task.end_attempt(Ending.PLACED, ref, now)
    if not task.settle(Outcome.DONE, ref, at=now, known_at=now):
        # Our claim ran out, and the worker that has the task now may have settled it as unclear: this is its answer.
        late = Task.objects.pending().filter(pk=task.pk, outcome=Outcome.UNCLEAR)
        if not late.update(outcome=Outcome.DONE, answer=ref, known_at=now):
            return []
    if task.kind == Kind.CANCEL:
        return [task_event(task, "taken", now)]
    events = [task_event(task, "accepted", now, slot=task.slot, slots=task.slots, ref=ref)]
    if earlier_refills(task, Settled.DOUBTED).update(over_how=Settled.FOLLOWED):
        events.append(task_event(task, "followed", now))
    return events


def refill_refused(task: Task, words: str, now: datetime) -> list[Event]:
    """Upstream refused a refill in these words. That frees its slot unless an earlier try may have gone through."""
    already_pending, doubted = ALREADY_PENDING in words.casefold(), was_unclear_before(task)
    if already_pending and doubted and not earlier_refills(task, *UNCONFIRMED_ENDS).exists():
        task.end_attempt(Ending.PENDING, words, now)
        return [task_event(task, "adopted", now)] if task.settle(Outcome.DONE, "", at=now, known_at=now) else []
    task.end_attempt(Ending.REFUSED, words, now)
    if doubted:  # this refusal says nothing about the earlier try
        if not task.settle(Outcome.UNCLEAR, words, at=now):
            return []
        return [task_event(task, "doubted", now, said=words), *apply_limit(task, words, now)]
    if not task.settle(Outcome.REFUSED, words, at=now, over_at=now, over_how=Settled.REFUSED, slot=None, slots=None):
        return []
    events = [task_event(task, "refused", now, said=words)]
    reopened_ends = UNCONFIRMED_ENDS if already_pending else (Settled.DOUBTED,)
    if last := earlier_refills(task, *reopened_ends).order_by("-pk").first():
        known = {"known_at": now} if already_pending else {}
        Task.objects.filter(pk=last.pk).update(over_at=None, over_how="", **known)
        if already_pending:
            events.append(task_event(task, "reopened", now))
    return [*events, *apply_limit(task, words, now)]


def apply_limit(task: Task, words: str, now: datetime) -> list[Event]:
    """“Limit reached” means that upstream counts refills which the desk does not know of: its own count follows."""
    if LIMIT_REACHED in words.casefold():
        known = Task.objects.filter(order=task.order_id, slot__isnull=False).count()
        if (unknown := settings.REFILLS_PER_ORDER - known) > 0:
            Order.objects.filter(pk=task.order_id).update(refills_elsewhere=unknown)
            return [task_event(task, "limit", now, count=unknown)]
    return []


def earlier_refills(task: Task, *how: str) -> TaskQuerySet:
    """The order's refills before this one that ended in one of these ways."""
    return Task.objects.filter(order=task.order_id, kind=Kind.REFILL, pk__lt=task.pk, over_how__in=how)


def was_unclear_before(task: Task) -> bool:
    """Whether an earlier try of this task got no clear answer."""
    this_try = task.current_attempt.pk if task.current_attempt else 0
    return task.tries.filter(ending__in=("", Ending.UNCLEAR)).exclude(pk=this_try).exists()


def cancel_refused(task: Task, words: str, now: datetime) -> list[Event]:
    """Upstream refused a cancel in these words. That ends it unless an earlier try may have gone through."""
    task.end_attempt(Ending.REFUSED, words, now)
    if task.was_unclear:  # “cannot be cancelled” may be the work of the try whose answer was lost: the status tells
        mine = task.settle(Outcome.UNCLEAR, words, at=now)
    else:
        mine = task.settle(Outcome.REFUSED, words, at=now, over_at=now, over_how=Settled.REFUSED)
    return [task_event(task, "refused", now, said=words)] if mine else []


def refill_unclear(task: Task, trouble: NotPanelError, now: datetime) -> list[Event]:
    """Leaves a refill that upstream may have to a person: the worker never sends it again."""
    if str(trouble) != BROKE_OFF:
        task.end_attempt(Ending.UNCLEAR, trouble.in_full, now)
    failed = {"share": task.share, "failing_since": task.failing_since}
    mine = task.settle(Outcome.UNCLEAR, str(trouble), at=now, **failed)
    return [task_event(task, "unclear", now, trouble=str(trouble), said=trouble.said)] if mine else []


def cancel_unclear(task: Task, trouble: NotPanelError, now: datetime) -> list[Event]:
    """Lets a cancel that upstream may have wait for another try, until there is an answer or the order ends."""
    task.end_attempt(Ending.UNCLEAR, trouble.in_full, now)
    mine = retry_later(task, now, trouble, counts=True, unclear=True)
    first = mine and not task.was_unclear
    return [task_event(task, "unclear", now, trouble=str(trouble), said=trouble.said)] if first else []


def retry_later(task: Task, now: datetime, trouble: NotPanelError, *, counts: bool, unclear: bool = False) -> bool:
    """Lets the task wait for another try. False when another worker has it by now."""
    return task.postpone(
        now + timedelta(seconds=repeat_pause(task.attempts) if counts else trouble.pause or 0.0),
        unclear_since=task.unclear_since if unclear or task.was_unclear else None,
        attempts=task.attempts if counts else task.attempts - 1,
        answer=str(trouble),
        share=task.share,
        failing_since=task.failing_since,
    )


def task_event(task: Task, what: str, at: datetime, **facts: object) -> Event:
    """The event that something happened to a refill or cancel, such as `refill_refused`, not saved yet."""
    return Event(order_id=task.order_id, kind=f"{task.kind}_{what}", at=at, facts=facts)

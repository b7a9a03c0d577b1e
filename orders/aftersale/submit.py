"""Carries refills and cancels to upstream: those that wait together travel together. Runs in the worker.

A refill has no request_id, so one whose answer was lost is never sent again by the machine. A cancel may be: the wish
is that the order ends, and asking twice does not end it twice.
"""

import logging
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from orders.models import Attempt, Event, Order, Task, TaskQuerySet
from orders.rules.retry import LEASE, retry_pause
from panel.notpanel.client import Client
from panel.notpanel.errors import NeverSent, NotPanelError, Refused, Suspended, Throttled, Unclear
from panel.ops.failpoints import fp

log = logging.getLogger(__name__)
Kind, Outcome, Settled, Ending = Task.Kind, Task.Outcome, Task.Settled, Attempt.Ending

IDS_PER_CALL = 100  # ids in one call, which counts as one request
BROKE_OFF = "The worker broke off in mid-call, and no answer was written down."
# Assumed to be in the sentences that the supplier documents, whatever stands around it.
ALREADY_PENDING, LIMIT_REACHED = "already pending", "limit reached"

Answer = str | NotPanelError
# Ends of a refill that upstream never confirmed: it may still be the one that is pending there.
NOT_KNOWN_TO_BE_OVER = (Settled.DOUBTED, Settled.PRESUMED, Settled.MARKED)
# Troubles after which upstream has seen nothing of the call: ending of the try, and whether it counts as one.
UNTOUCHED = {NeverSent: (Ending.UNSENT, True), Throttled: (Ending.LIMITED, False), Suspended: (Ending.HELD, False)}


def submit_refills(client: Client, now: datetime | None = None) -> bool:
    """Takes up due refills, up to a hundred for one call; says whether there were any."""
    tasks = Task.objects.claim_together(Kind.REFILL, now or timezone.now(), LEASE, IDS_PER_CALL)
    if broken := [task for task in tasks if task.was_unclear]:
        apply_answers(broken, dict.fromkeys(ids_of(broken), Unclear(BROKE_OFF)))
    submit_together(client, Kind.REFILL, [task for task in tasks if not task.was_unclear])
    return bool(tasks)


def submit_cancels(client: Client, now: datetime | None = None) -> bool:
    """Takes up due cancels, up to a hundred for one call; says whether there were any."""
    tasks = Task.objects.claim_together(Kind.CANCEL, now or timezone.now(), LEASE, IDS_PER_CALL)
    submit_together(client, Kind.CANCEL, tasks)
    return bool(tasks)


def ids_of(tasks: list[Task]) -> list[str]:
    return [task.order.upstream_id or "" for task in tasks]


def submit_together(client: Client, kind: str, tasks: list[Task]) -> None:
    """One call, and each row's answer to its own task."""
    if not tasks:
        return
    ids, answers = ids_of(tasks), dict[str, Answer]()
    try:
        fp("wish.send")
        answers.update(client.each(kind, ids))
        fp("wish.answered")
    except NotPanelError as trouble:
        fp("wish.failed")
        log.warning("%d %ss: %s", len(tasks), kind, type(trouble).__name__)
        answers.update(dict.fromkeys(ids, trouble))
        if isinstance(trouble, Refused) and len(tasks) > 1:
            submit_apart(tasks, trouble)
            return
    apply_answers(tasks, answers)


def submit_apart(tasks: list[Task], trouble: Refused) -> None:
    """The call was refused as a whole, so nothing came of it; each goes by itself, and gets an answer of its own."""
    with transaction.atomic():
        now = timezone.now()
        for task in tasks:
            task.end_attempt(Ending.REFUSED, trouble.said, now)
            retry_later(task, now, trouble, counts=False, alone=True)
        fp("apart.commit")
    fp("apart.committed")


def apply_answers(tasks: list[Task], answers: dict[str, Answer]) -> None:
    """Writes each answer down."""
    now, events = timezone.now(), list[Event]()
    orders = Order.objects.filter(pk__in=[task.order_id for task in tasks])
    with transaction.atomic():
        # Locked in one order by everybody who takes several, so that no two wait for each other.
        list(orders.order_by("pk").select_for_update(no_key=True).values_list("pk"))
        for task in tasks:
            events += apply_answer(task, answers[task.order.upstream_id or ""], now)
        orders.change()
        if tasks[0].kind == Kind.CANCEL:
            orders.filter(next_look_at__isnull=False).poll_now(now)  # its status is what will tell
        Event.objects.bulk_create(events)
        fp("wish.commit")
    fp("wish.committed")


def apply_answer(task: Task, answer: Answer, now: datetime) -> list[Event]:
    """Applies one answer to its task; what happened, in order. Nothing when another worker has the task by now."""
    refill = task.kind == Kind.REFILL
    if isinstance(answer, str):
        return accepted(task, answer, now)
    if isinstance(answer, Refused):
        return refill_refused(task, answer, now) if refill else cancel_refused(task, answer, now)
    for trouble, (ending, counts) in UNTOUCHED.items():
        if isinstance(answer, trouble):
            task.end_attempt(ending, answer.said or str(answer), now)
            mine = retry_later(task, now, answer, counts=counts)
            told = mine and ending == Ending.UNSENT and task.attempts == 1
            return [task_event(task, "unsent", now, trouble=str(answer))] if told else []
    return refill_unclear(task, answer, now) if refill else cancel_unclear(task, answer, now)


def accepted(task: Task, ref: str, now: datetime) -> list[Event]:
    """Upstream took it. Of a refill that is its id; a cancel is agreed to only by a later status."""
    task.end_attempt(Ending.PLACED, ref, now)
    if not task.settle(Outcome.DONE, ref, at=now, known_at=now):
        # Our claim had run out, and it was written down as unclear: this is what came of it.
        late = Task.objects.pending().filter(pk=task.pk, outcome=Outcome.UNCLEAR)
        if not late.update(outcome=Outcome.DONE, answer=ref, known_at=now):
            return []
    if task.kind == Kind.CANCEL:
        return [task_event(task, "taken", now)]
    events = [task_event(task, "accepted", now, slot=task.slot, slots=task.slots, ref=ref)]
    if earlier_refills(task, Settled.DOUBTED).update(over_how=Settled.FOLLOWED):
        events.append(task_event(task, "followed", now))
    return events


def refill_refused(task: Task, no: Refused, now: datetime) -> list[Event]:
    """A no frees the refill's place, unless an earlier try of ours may have gone through."""
    said, doubted = no.said.casefold(), was_unclear_before(task)
    if ALREADY_PENDING in said and doubted and not earlier_refills(task, *NOT_KNOWN_TO_BE_OVER).exists():
        task.end_attempt(Ending.PENDING, no.said, now)
        return [task_event(task, "adopted", now)] if task.settle(Outcome.DONE, "", at=now, known_at=now) else []
    task.end_attempt(Ending.REFUSED, no.said, now)
    if doubted:  # of the earlier try this no says nothing
        if not task.settle(Outcome.UNCLEAR, no.said, at=now):
            return []
        return [task_event(task, "doubted", now, said=no.said), *limit_named(task, said, now)]
    if not task.settle(Outcome.REFUSED, no.said, at=now, over_at=now, over_how=Settled.REFUSED, slot=None, slots=None):
        return []
    events = [task_event(task, "refused", now, said=no.said)]
    still = NOT_KNOWN_TO_BE_OVER if ALREADY_PENDING in said else (Settled.DOUBTED,)
    if last := earlier_refills(task, *still).order_by("-pk").first():
        known = {"known_at": now} if ALREADY_PENDING in said else {}
        Task.objects.filter(pk=last.pk).update(over_at=None, over_how="", **known)
        if known:
            events.append(task_event(task, "reopened", now))
    return [*events, *limit_named(task, said, now)]


def limit_named(task: Task, said: str, now: datetime) -> list[Event]:
    """“Limit reached” tells of refills that the desk does not know of: its count follows."""
    if LIMIT_REACHED in said and (count := unknown_refills(task)):
        Order.objects.filter(pk=task.order_id).update(refills_elsewhere=count)
        return [task_event(task, "limit", now, count=count)]
    return []


def earlier_refills(task: Task, *how: str) -> TaskQuerySet:
    """The order's refills before this one that came to their end in one of these ways."""
    return Task.objects.filter(order=task.order_id, kind=Kind.REFILL, pk__lt=task.pk, over_how__in=how)


def was_unclear_before(task: Task) -> bool:
    """Whether an earlier try of it got no clear answer."""
    now_tried = task.current_attempt.pk if task.current_attempt else 0
    return task.tries.filter(ending__in=("", Ending.UNCLEAR)).exclude(pk=now_tried).exists()


def unknown_refills(task: Task) -> int:
    """How many of the refills that upstream counts the desk does not know of."""
    known = Task.objects.filter(order=task.order_id, slot__isnull=False).count()
    return max(0, settings.REFILLS_PER_ORDER - known)


def cancel_refused(task: Task, no: Refused, now: datetime) -> list[Event]:
    task.end_attempt(Ending.REFUSED, no.said, now)
    if task.was_unclear:  # “cannot be cancelled” may be the work of the try whose answer was lost: the status tells
        return [task_event(task, "refused", now, said=no.said)] if task.settle(Outcome.UNCLEAR, no.said, at=now) else []
    mine = task.settle(Outcome.REFUSED, no.said, at=now, over_at=now, over_how=Settled.REFUSED)
    return [task_event(task, "refused", now, said=no.said)] if mine else []


def refill_unclear(task: Task, trouble: NotPanelError, now: datetime) -> list[Event]:
    """Upstream may have it: never sent again by the machine."""
    if str(trouble) != BROKE_OFF:
        task.end_attempt(Ending.UNCLEAR, trouble.said or str(trouble), now)
    mine = task.settle(Outcome.UNCLEAR, str(trouble), at=now)
    return [task_event(task, "unclear", now, trouble=str(trouble), said=trouble.said)] if mine else []


def cancel_unclear(task: Task, trouble: NotPanelError, now: datetime) -> list[Event]:
    """Upstream may have it. It is asked again until there is an answer, or the order's end is one."""
    task.end_attempt(Ending.UNCLEAR, trouble.said or str(trouble), now)
    mine = retry_later(task, now, trouble, counts=True, unclear=True)
    told = mine and not task.was_unclear
    return [task_event(task, "unclear", now, trouble=str(trouble), said=trouble.said)] if told else []


def retry_later(
    task: Task, now: datetime, trouble: NotPanelError, *, counts: bool, unclear: bool = False, alone: bool = False
) -> bool:
    """Lets the task wait for another try. False when another worker has it by now."""
    return task.postpone(
        now + timedelta(seconds=retry_pause(trouble.pause or 0.0, task.attempts if counts else 1)),
        unclear_since=task.unclear_since if unclear or task.was_unclear else None,
        attempts=task.attempts if counts else task.attempts - 1,
        answer=str(trouble),
        alone=alone,
    )


def task_event(task: Task, what: str, at: datetime, **facts: object) -> Event:
    return Event(order_id=task.order_id, kind=f"{task.kind}_{what}", at=at, facts=facts)

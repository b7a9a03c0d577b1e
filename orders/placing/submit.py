"""Submits placing tasks to upstream: claims one, calls, and writes down what came of it. Runs in the worker.

No database transaction is open while upstream is called, and the same request_id goes with every try.
"""

import logging
import random
from datetime import datetime, timedelta
from functools import cache
from typing import Any, NamedTuple

from django.db import DatabaseError, IntegrityError, transaction
from django.utils import timezone

from orders.aftersale.settle import settle_needless_cancels
from orders.models import Attempt, Order, Poll, Task
from orders.placing import funding, send_switch
from orders.rules.eligibility import AskedTask, pending_cancel
from orders.rules.event_text import DUPLICATE, with_doubt
from orders.rules.retry import LEASE, LONGEST_JITTER, LONGEST_PAUSE_SECONDS, repeat_pause
from orders.rules.statuses import Status
from panel.format.money import money
from panel.notpanel.client import Client
from panel.notpanel.errors import (
    NeverSent,
    NotPanelError,
    PutOff,
    Refused,
    ShortOfFunds,
    Suspended,
    Throttled,
    Unclear,
)
from panel.ops.database import Given, WhichExist
from panel.ops.failpoints import fp
from panel.ops.logs import about

log = logging.getLogger(__name__)
Ending = Attempt.Ending

IN_DOUBT_TOO_LONG = "no clear answer for too long; asking again might order twice."
PUT_OFF_SHARE = 0.5  # of the time that an order has waited: so much longer it waits when it is put off again


class Rule(NamedTuple):
    """What one kind of trouble means for an order that was being placed."""

    trouble: type[NotPanelError]
    ending: str  # of the try
    doubt: str  # after this try: "begins" (upstream may have it), "stays" as it was before
    counts: bool  # whether it counts as a try
    then: str  # "again" after a pause, "held" until sending goes on, "money" until a balance covers it, "over"


# The first row that fits applies. A no ("over", "money") after an earlier doubt is for a person, and so is a doubt
# that outlasts the trust window: see apply_trouble.
RULES = (
    #    what `add` came back with   ending               doubt     counts  then
    Rule(NeverSent,                  Ending.UNSENT,       "stays",  True,   "again"),
    Rule(Throttled,                  Ending.LIMITED,      "stays",  False,  "again"),
    Rule(PutOff,                     Ending.LIMITED,      "stays",  False,  "again"),
    Rule(Suspended,                  Ending.HELD,         "stays",  False,  "held"),
    Rule(ShortOfFunds,               Ending.SHORT,        "stays",  True,   "money"),
    Rule(Refused,                    Ending.REFUSED,      "stays",  True,   "over"),
    Rule(Unclear,                    Ending.UNCLEAR,      "begins", True,   "again"),
    Rule(NotPanelError,              Ending.UNCLEAR,      "begins", True,   "again"),
)  # fmt: skip


def submit_one(client: Client, now: datetime | None = None) -> bool:
    """Claims and submits one due task. Returns whether there was one."""
    task = Task.objects.claim(now or timezone.now(), LEASE)
    if task is None:
        return False
    with about(task=task.pk, order=task.order_id, request_id=str(task.order.request_id)):
        submit(client, task)
    return True


def submit(client: Client, task: Task) -> None:
    """Sends an order and writes down what upstream made of it."""
    started_at = timezone.now()
    if task.was_unclear and not task.trusted(started_at):
        task.end_attempt(Ending.UNSENT, IN_DOUBT_TOO_LONG, started_at)
        to_review(task, IN_DOUBT_TOO_LONG, task.answer)
        return
    if not task.was_unclear and task.cancel_waits and (asked := pending_cancel(task.order)):
        withdraw_instead(task, asked, started_at)
        return
    try:
        fp("add.send")
        upstream_id = client.place(task.order.body, request_id=str(task.order.request_id))
        fp("add.answered")
    except NotPanelError as trouble:
        fp("add.failed")
        log.warning("not placed: %s", type(trouble).__name__)
        apply_trouble(task, trouble, timezone.now())
        if isinstance(trouble, Refused):
            Task.objects.hurry_placing(timezone.now())
    except DatabaseError:
        raise  # upstream may have said yes and we could not write: the claim runs out, and the same id goes again
    except Exception:
        log.exception("our own mistake while placing")  # a repeat would make it again, perhaps after sending
        task.end_attempt(Ending.BROKEN, "The log has the details.", timezone.now())
        to_review(task, "a mistake of the desk’s own stopped it in mid-call; the log has the details.", "")
    else:
        # One answer lets one order go that waits for another try, so that no answer lets hundreds go at once.
        if apply_answer(task, upstream_id, started_at):
            Task.objects.hurry_placing(timezone.now())


def apply_answer(task: Task, upstream_id: str, asked_at: datetime) -> bool:
    """Upstream took the order: gives it upstream's id, and makes its first poll due at once.

    Returns whether another order may wait for another try.
    """
    order, now = task.order, timezone.now()
    try:
        with transaction.atomic():
            task.end_attempt(Ending.PLACED, upstream_id, now)
            # If the claim ran out meanwhile, the worker that has the task now gets the same id. Nobody has it when the
            # order is in review or closed by a person: upstream's yes is truer than what we made of its silence.
            mine = task.settle(Task.Outcome.DONE, upstream_id, at=now)
            without_id = Order.objects.filter(pk=order.pk, upstream_id=None)
            if not (mine or without_id.filter(status__in=(Status.REVIEW, Status.REJECTED)).exists()):
                log.warning("the answer came after the claim ran out", extra={"upstream_id": upstream_id})
                send_switch.count_answer()
                record_other_ids(task)
                return True
            if not mine:
                Task.objects.filter(pk=task.pk).update(outcome=Task.Outcome.DONE, answer=upstream_id)
            fp("placed.half")
            # Its delivery time counts from now: what it waited for before does not make it slow. Its status is
            # upstream's to say, so the first poll follows at once.
            named = without_id.change(upstream_id=upstream_id, status=Status.QUEUED, taken_at=now)
            Poll.objects.bulk_create([Poll(order=order, next_poll_at=asked_at)], ignore_conflicts=True)
            order.record("asked", at=now, attempt=task.attempts, upstream_id=upstream_id)
            rest = what_else(task, upstream_id, now)
            if rest.other_ids or not named:
                record_other_ids(task)
            if rest.failures:
                send_switch.count_answer()
            fp("placed.commit")
        fp("placed.committed")
    except IntegrityError:
        other = Order.objects.filter(upstream_id=upstream_id).values_list("pk", flat=True).first()
        task.end_attempt(Ending.PLACED, upstream_id, timezone.now())
        log.error("upstream gave one id to two orders", extra={"upstream_id": upstream_id, "other": other})
        words = f"the supplier answered with {upstream_id}, which order {other} already has."
        to_review(task, words, upstream_id)
        return True
    log.info("placed", extra={"upstream_id": upstream_id, "attempt": task.attempts})
    return rest.waiting


class Rest(NamedTuple):
    """What follows from upstream's yes beyond its own order; nearly always nothing."""

    other_ids: bool  # another try of the task was answered with another id
    failures: bool  # the send switch counts failures, which end with an answer
    waiting: bool  # another order waits for another try


def what_else(task: Task, upstream_id: str, now: datetime) -> Rest:
    """Asks in one statement what follows from upstream's yes beyond its own order.

    The order's row is locked by now, so that of two workers that bring an id each the second sees the first's.
    """
    return Rest(*rest_question().ask(task=task.pk, upstream_id=upstream_id, now=now))


@cache
def rest_question() -> WhichExist:
    """What `what_else` asks, in the order of Rest."""
    now: Any = Given("now")
    placed = Attempt.objects.filter(task=Given("task"), ending=Ending.PLACED)
    return WhichExist([
        placed.exclude(said=Given("upstream_id")), send_switch.counting(), Task.objects.placings_to_hurry(now),
    ])  # fmt: skip


def record_other_ids(task: Task) -> None:
    """Records that upstream gave this task's request_id more than one id, if it did: it may have been ordered twice.

    Each try keeps the id that it was answered with, so it does not matter which answer comes first. An id that another
    order has is that order's: upstream's answers were swapped, and nothing was ordered twice.
    """
    order = (
        Order.objects.select_for_update(no_key=True).only("upstream_id", "other_ids", "doubts").get(pk=task.order_id)
    )
    answered = task.tries.filter(ending=Ending.PLACED).order_by("pk").values_list("said", flat=True)
    others = [other for other in dict.fromkeys(answered) if other != order.upstream_id]
    taken = set(Order.objects.filter(upstream_id__in=others).values_list("upstream_id", flat=True)) if others else set()
    other_ids = " ".join(other for other in others if other not in taken)
    if not order.upstream_id or other_ids in ("", order.other_ids):
        return
    order.change(other_ids=other_ids, doubts=with_doubt(order.doubts, DUPLICATE))
    order.record(DUPLICATE, upstream_id=order.upstream_id, others=other_ids.replace(" ", ", "))
    log.error("upstream gave one order two ids", extra={"upstream_id": order.upstream_id, "others": other_ids})


@transaction.atomic
def apply_trouble(task: Task, trouble: NotPanelError, now: datetime) -> None:
    """Ends the try, and applies to its order the first of RULES that fits the trouble."""
    rule = next(rule for rule in RULES if isinstance(trouble, rule.trouble))
    in_doubt = task.was_unclear or rule.doubt == "begins"
    task.end_attempt(rule.ending, trouble.in_full, now)
    update_send_switch(trouble, rule, now)
    if rule.then in ("over", "money") and task.was_unclear:
        words = "the supplier refused a repeat after no clear answer, so the order may exist there."
        to_review(task, words, trouble.said)
    elif rule.then == "over":
        reject(task, trouble, now)
    elif in_doubt and not task.trusted(now):
        to_review(task, IN_DOUBT_TOO_LONG, trouble.said)
    else:
        postpone(task, trouble, rule, now, in_doubt=in_doubt)
    fp("failed.commit")


def update_send_switch(trouble: NotPanelError, rule: Rule, now: datetime) -> None:
    """Tells the send switch what this trouble means for sending as a whole, and makes a probe due where money lacks."""
    if rule.then == "held":
        send_switch.stop_itself(str(trouble), now)
    elif rule.ending in (Ending.UNSENT, Ending.UNCLEAR):
        send_switch.count_failure(str(trouble), now)
    elif rule.ending != Ending.LIMITED:
        send_switch.count_answer()
    if rule.then == "money":
        funding.probe_soon(now)


def pause_before_next(task: Task, trouble: NotPanelError, rule: Rule) -> float:
    """Seconds until the next try: longer after each try that counts, or as long as this kind of trouble asks for."""
    if rule.then == "held":
        return 0.0  # it waits for sending to go on; then it goes at once, and in its order
    if rule.then == "money" and task.attempts == 1:
        return funding.BALANCE_LAG.total_seconds()  # no older reading may say that the money is there
    repeats = rule.counts and rule.then == "again"
    pause = repeat_pause(task.attempts) if repeats else trouble.pause or 0.0
    if rule.trouble is PutOff:  # no try counts, and maintenance takes hours: the longer it has lasted, the longer
        pause = min(max(pause, PUT_OFF_SHARE * (timezone.now() - task.asked_at).total_seconds()), LONGEST_PAUSE_SECONDS)
    return pause * random.uniform(1, LONGEST_JITTER)  # noqa: S311  no secret


def postpone(task: Task, trouble: NotPanelError, rule: Rule, now: datetime, *, in_doubt: bool) -> None:
    """Lets the task wait for another try."""
    pause = pause_before_next(task, trouble, rule)
    attempt = task.attempts
    with transaction.atomic():
        mine = task.postpone(
            now + timedelta(seconds=pause) if pause else task.asked_at,
            unclear_since=task.unclear_since if in_doubt else None,
            attempts=attempt if rule.counts else attempt - 1,
            answer=str(trouble),
            needs=task.order.expected_charge if rule.then == "money" else None,
        )
        if mine:
            if rule.ending != Ending.LIMITED:  # a limit tells a person nothing that the list of tries does not
                needs = money(task.order.expected_charge)
                task.order.record(rule.ending, attempt=attempt, trouble=str(trouble), said=trouble.said, needs=needs)
            task.order.change()
        fp("postpone.commit")
    fp("postpone.committed")


def reject(task: Task, trouble: NotPanelError, now: datetime) -> None:
    """Rejects the order: upstream's no is definite, for no earlier try is in doubt."""
    with transaction.atomic():
        if task.settle(Task.Outcome.REFUSED, trouble.said, at=now):
            task.order.change(status=Status.REJECTED)
            task.order.record("refused", said=trouble.said)
            settle_needless_cancels([task.order_id], now)
        fp("reject.commit")
    fp("reject.committed")


def withdraw_instead(task: Task, asked: AskedTask, now: datetime) -> None:
    """Withdraws an unsent order instead of sending it, because somebody asked for its cancel meanwhile."""
    task.end_attempt(Ending.UNSENT, "A cancel was asked for.", now)
    with transaction.atomic():
        if task.settle(Task.Outcome.WITHDRAWN, f"Withdrawn by {asked.asked_by} before it was sent.", at=now):
            task.order.change(status=Status.REJECTED)
            task.order.record("withdrawn", by=asked.asked_by, at=now)
            settle_needless_cancels([task.order_id], now)
        fp("instead.commit")
    fp("instead.committed")


def to_review(task: Task, why: str, answer: str) -> None:
    """Leaves the order to a person, because no machine can tell whether upstream has it. `answer`: upstream's words."""
    with transaction.atomic():
        if task.settle(Task.Outcome.REVIEW, answer, at=timezone.now()):
            task.order.change(status=Status.REVIEW)
            task.order.record("review", why=why, said=answer)
        fp("review.commit")
    fp("review.committed")

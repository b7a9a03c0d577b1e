"""The worker: a loop around steps. A step does one thing and says whether there was anything to do."""

import gc
import logging
import threading
from collections.abc import Callable, Collection, Iterable
from datetime import datetime
from functools import cache, partial
from typing import Any, NamedTuple

from django.db import close_old_connections
from django.db.models import Exists, QuerySet
from django.utils import timezone

from accounts.trail.chain import seal_new, unsealed
from orders.aftersale.settle import presume_settled, silent_refills
from orders.aftersale.submit import submit_cancels, submit_refills
from orders.following.claim import polls_due
from orders.following.poll import poll_once
from orders.models import Delivery, Poll, Task
from orders.placing.probe import due_probe, probe
from orders.placing.submit import submit_one
from orders.webhooks import dispatch
from panel.alarms.evaluate import create_watch, run_alarms, run_is_due
from panel.notpanel.budget import Purpose
from panel.notpanel.client import Client
from panel.ops.connections import leave_replaced
from panel.ops.database import Given, WhichExist
from panel.upstream import client as upstream
from panel.upstream.models import DESK, ROLES
from panel.worker.clock import mend_waits
from panel.worker.heartbeat import Heartbeat
from panel.worker.recurring import balance_due_now, create_rows, do_recurring_work, recurring_rows
from panel.worker.start import look_at_books

log = logging.getLogger(__name__)

IDLE_SECONDS = 0.5  # between rounds when nothing was due: an order leaves within this of being placed
AFTER_A_CRASH_SECONDS = 5.0


Rows = QuerySet[Any]


class Step(NamedTuple):
    """One thing that a round does, and the role of the workers that do it: what its call is for, or DESK for no call.

    `due` gives purposes, the most urgent first, each with rows: while there are any, a call is due for that purpose.
    So no permit is taken in vain.
    """

    role: str
    due: Callable[[datetime], Iterable[tuple[str, Rows]]]
    act: Callable[[Client], object]


def task_step(kind: str, purpose: Purpose, act: Callable[[Client], object]) -> Step:
    """Submits tasks of one kind."""
    return Step(purpose, lambda now: [(purpose, Task.objects.to_send(kind, now))], act)


def recurring_step(role: str) -> Step:
    """Does the recurring work of one role, one kind in each round."""
    return Step(role, lambda now: [(role, recurring_rows([role]).due(now))], partial(do_recurring_work, roles=[role]))


def alone_due(now: datetime) -> list[tuple[str, Rows]]:
    """The recurring poll of an order by itself, while there is such an order."""
    return [(Purpose.POLL, recurring_rows([Purpose.POLL]).due(now).filter(Exists(Poll.objects.due_alone(now))))]


def desk_step(due: Callable[[datetime], Iterable[Rows]], act: Callable[[datetime], object]) -> Step:
    """Work that needs the clock and no call to upstream."""
    return Step(DESK, lambda now: [(DESK, rows) for rows in due(now)], lambda _client: act(timezone.now()))


# What people wait for comes first in every round; no step starves another.
STEPS = (
    task_step(Task.Kind.PLACE, Purpose.PLACE, submit_one),
    task_step(Task.Kind.CANCEL, Purpose.ASK, submit_cancels),
    task_step(Task.Kind.REFILL, Purpose.ASK, submit_refills),
    # Before the poll, which then asks about the orders that webhooks name.
    desk_step(lambda now: [Delivery.objects.due(now)], lambda now: dispatch.dispatch_due(now, balance_due_now)),
    Step(Purpose.POLL, polls_due, poll_once),
    Step(Purpose.UPKEEP, lambda now: [(Purpose.UPKEEP, due_probe(now))], probe),
    Step(Purpose.POLL, alone_due, partial(do_recurring_work, roles=[Purpose.POLL])),
    recurring_step(Purpose.UPKEEP),
    desk_step(lambda now: [silent_refills(now)], presume_settled),
    recurring_step(DESK),
    desk_step(lambda now: [unsealed(now)], seal_new),
    desk_step(run_is_due, run_alarms),
)


def work(client: Client, stop: threading.Event, *, once: bool, roles: Collection[str] = ROLES) -> None:
    """Works until `stop` is set, and finishes the step in hand; with `once` until nothing is due."""
    heartbeat = Heartbeat(once=once, roles=roles)
    create_rows(timezone.now())
    create_watch(timezone.now())
    # What is loaded by now stays. Otherwise the garbage collector walks through it again and again, 50 ms each time,
    # sometimes while a write transaction is open.
    gc.freeze()
    log.info("worker %s begins", heartbeat.name)
    broke_off = False  # the last round; the database may be another when it is back
    while not stop.is_set():
        try:
            now = timezone.now()
            if leave_replaced():
                heartbeat = Heartbeat(once=once, roles=roles)  # other books, which may not know of this worker
            if broke_off or heartbeat.overslept(now):
                look_at_books(now)
                broke_off = False
            if heartbeat.record(now, client.meter.calls if client.meter else 0) and DESK in roles:
                mend_waits(now)  # under a clock that was set back nothing would be due
            busy = work_round(client, roles, stop)
        except Exception:
            # The database is away, or a mistake of ours. Claims run out by the clock, so nothing is lost by going on.
            log.exception("a round broke off")
            broke_off = True
            if once:
                raise
            close_old_connections()
            stop.wait(AFTER_A_CRASH_SECONDS)
            continue
        if once and not busy:
            break
        if not busy:
            stop.wait(IDLE_SECONDS)
    heartbeat.stop()
    log.info("worker %s ends", heartbeat.name)


def work_round(client: Client, roles: Collection[str] = ROLES, stop: threading.Event | None = None) -> bool:
    """Takes each step of these roles that is due, until `stop` is set. Returns whether there was anything to do.

    What is due is asked once, before the first step: what comes due meanwhile is for the next round.
    """
    busy = called = False
    ahead = len(ROLES)  # the rank of the first purpose for which something was due in this round
    for step, purpose in steps_due(timezone.now(), roles):
        if stop is not None and stop.is_set():
            break
        # Only a call can bring a new reason to wait.
        if purpose != DESK and called and upstream.paused_until(timezone.now()) is not None:
            continue
        did = take_step(step, client, purpose, contested=ahead < ROLES.index(purpose))
        if purpose != DESK:
            ahead, called = min(ahead, ROLES.index(purpose)), called or did
        busy = did or busy
    return busy


def steps_due(now: datetime, roles: Collection[str]) -> list[tuple[Step, str]]:
    """The steps of these roles that are due, each with its purpose, in one statement; none that call in a pause."""
    reasons, question = reasons_to_act(frozenset(roles))
    paused, *found = question.ask(now=now)
    due: dict[Step, str] = {}
    for (step, purpose), any_rows in zip(reasons, found, strict=True):
        if any_rows and not (paused and purpose != DESK):
            due.setdefault(step, purpose)
    return list(due.items())


@cache
def reasons_to_act(roles: frozenset[str]) -> tuple[list[tuple[Step, str]], WhichExist]:
    """Each reason for which a step of these roles is due, and the question whether there are any rows for each.

    The question's first answer is whether calls are paused.
    """
    now: Any = Given("now")
    asked = [(step, *reason) for step in STEPS if step.role in roles for reason in step.due(now)]
    question = WhichExist([upstream.pauses(now), *(rows for _, _, rows in asked)])
    return [(step, purpose) for step, purpose, _ in asked], question


def take_step(step: Step, client: Client, purpose: str, *, contested: bool) -> bool:
    """Takes the step if the call budget allows its call. Returns whether there was anything to do.

    `contested` says that something with a purpose before this one is due as well.
    """
    meter = client.meter
    if purpose == DESK or meter is None:
        return bool(step.act(client))
    if not meter.take(Purpose(purpose), timezone.now(), contested=contested):
        return False
    try:
        return bool(step.act(client))
    finally:
        meter.give_back()

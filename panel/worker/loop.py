"""The worker: a loop around steps. A step does one thing and says whether there was anything to do."""

import gc
import logging
import threading
from collections.abc import Callable, Collection
from datetime import datetime
from functools import partial
from typing import NamedTuple

from django.db import close_old_connections
from django.utils import timezone

from orders.aftersale.settle import presume_settled
from orders.aftersale.submit import submit_cancels, submit_refills
from orders.following.claim import poll_wanted
from orders.following.poll import poll_once
from orders.models import Poll, Task
from orders.placing.probe import due_probe, probe
from orders.placing.submit import submit_one
from orders.webhooks import dispatch
from panel.alarms.evaluate import run_alarms
from panel.notpanel.budget import Purpose
from panel.notpanel.client import Client
from panel.upstream import client as upstream
from panel.upstream.models import DESK, ROLES
from panel.worker.clock import mend_waits
from panel.worker.heartbeat import Heartbeat
from panel.worker.recurring import balance_due_now, create_rows, do_recurring_work, recurring_rows
from panel.worker.start import look_at_books

log = logging.getLogger(__name__)

IDLE_SECONDS = 0.5  # between rounds when nothing was due: an order leaves within this of being placed
AFTER_A_CRASH_SECONDS = 5.0


class Step(NamedTuple):
    """One thing that a round does, and the role of the workers that do it: what its call is for, or DESK for no call.

    `due` asks one cheap query: the purpose of a call that is due, or None. So no permit is taken in vain.
    """

    role: str
    due: Callable[[datetime], str | None]
    act: Callable[[Client], object]


def task_step(kind: str, purpose: Purpose, act: Callable[[Client], object]) -> Step:
    """Submits tasks of one kind."""
    return Step(purpose, lambda now: purpose if Task.objects.to_send(kind, now).exists() else None, act)


def recurring_step(role: str, wanted: Callable[[datetime], bool] = lambda _now: True) -> Step:
    """Does the recurring work of one role, one kind in each round, while `wanted` says that there is anything to do."""

    def due(now: datetime) -> str | None:
        return role if recurring_rows([role]).due(now).exists() and wanted(now) else None

    return Step(role, due, partial(do_recurring_work, roles=[role]))


def desk_step(act: Callable[[datetime], object]) -> Step:
    """Work that needs the clock and no call to upstream; it asks by itself whether anything is due."""
    return Step(DESK, lambda _now: DESK, lambda _client: act(timezone.now()))


# What people wait for comes first in every round; no step starves another.
STEPS = (
    task_step(Task.Kind.PLACE, Purpose.PLACE, submit_one),
    task_step(Task.Kind.CANCEL, Purpose.ASK, submit_cancels),
    task_step(Task.Kind.REFILL, Purpose.ASK, submit_refills),
    # Before the poll, which then asks about the orders that webhooks name.
    desk_step(lambda now: dispatch.dispatch_due(now, balance_due_now)),
    Step(Purpose.POLL, poll_wanted, poll_once),
    Step(Purpose.UPKEEP, due_probe, probe),
    recurring_step(Purpose.POLL, wanted=lambda now: Poll.objects.due_alone(now).exists()),
    recurring_step(Purpose.UPKEEP),
    desk_step(presume_settled),
    recurring_step(DESK),
    desk_step(run_alarms),
)


def work(client: Client, stop: threading.Event, *, once: bool, roles: Collection[str] = ROLES) -> None:
    """Works until `stop` is set, and finishes the step in hand; with `once` until nothing is due."""
    heartbeat = Heartbeat(once=once, roles=roles)
    create_rows(timezone.now())
    # What is loaded by now stays. Otherwise the garbage collector walks through it again and again, 50 ms each time,
    # sometimes while a write transaction is open.
    gc.freeze()
    log.info("worker %s begins", heartbeat.name)
    broke_off = False  # the last round; the database may be another when it is back
    while not stop.is_set():
        try:
            now = timezone.now()
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
    """Takes each step of these roles once, until `stop` is set. Returns whether there was anything to do."""
    busy = False
    waits = upstream.paused_until(timezone.now()) is not None
    ahead = len(ROLES)  # the rank of the first purpose for which something was due in this round
    for step in STEPS:
        if stop is not None and stop.is_set():
            break
        purpose = step.due(timezone.now()) if step.role in roles and not (waits and step.role != DESK) else None
        if not purpose:
            continue
        did = take_step(step, client, purpose, contested=ahead < ROLES.index(purpose))
        if purpose != DESK:
            ahead = min(ahead, ROLES.index(purpose))
            # Only a call can bring a new reason to wait.
            waits = did and upstream.paused_until(timezone.now()) is not None
        busy = did or busy
    return busy


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

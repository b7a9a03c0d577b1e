"""The worker: a loop around steps. A step does one thing and says whether there was one."""

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
from orders.following.poll import poll_once, poll_wanted
from orders.models import Order, Task
from orders.placing.probe import due_probe, probe
from orders.placing.submit import submit_one
from orders.statistics.status_counts import compact
from orders.webhooks import dispatch
from panel.alarms.evaluate import run_alarms
from panel.notpanel.budget import Purpose
from panel.notpanel.client import Client
from panel.upstream import client as upstream
from panel.upstream.models import DESK, ROLES
from panel.worker.heartbeat import Heartbeat
from panel.worker.recurring import balance_due_now, chores_of, create_rows, do_due_chore

log = logging.getLogger(__name__)

IDLE_SECONDS = 0.5  # between rounds when nothing was due: an order leaves within this of being placed
AFTER_A_CRASH_SECONDS = 5.0


class Step(NamedTuple):
    """One thing that a round does, and the role of workers that do it: what its call is for, or DESK for no call.

    `due` is one cheap question: what a call would be for, or nothing. So no permit is taken in vain.
    """

    role: str
    due: Callable[[datetime], str | None]
    act: Callable[[Client], object]


def task_step(kind: str, purpose: Purpose, act: Callable[[Client], object]) -> Step:
    return Step(purpose, lambda now: purpose if Task.objects.to_send(kind, now).exists() else None, act)


def chore_step(role: str, wanted: Callable[[datetime], bool] = lambda _now: True) -> Step:
    """All chores of one role, one a round; `wanted`: whether there is anything for them to do."""

    def due(now: datetime) -> str | None:
        return role if chores_of([role]).due(now).exists() and wanted(now) else None

    return Step(role, due, partial(do_due_chore, roles=[role]))


# What people wait for comes first in every round; no step starves another.
STEPS = (
    task_step(Task.Kind.PLACE, Purpose.PLACE, submit_one),
    task_step(Task.Kind.CANCEL, Purpose.ASK, submit_cancels),
    task_step(Task.Kind.REFILL, Purpose.ASK, submit_refills),
    # What deliveries ring for is looked at next.
    Step(DESK, lambda _now: DESK, lambda _client: dispatch.dispatch_due(timezone.now(), balance_due_now)),
    Step(Purpose.POLL, poll_wanted, poll_once),
    Step(Purpose.UPKEEP, due_probe, probe),
    chore_step(Purpose.POLL, wanted=lambda now: Order.objects.due_alone(now).exists()),
    chore_step(Purpose.UPKEEP),
    # The clock alone tells.
    Step(DESK, lambda _now: DESK, lambda _client: presume_settled(timezone.now())),
    # Pages add up what triggers wrote down, and this keeps it short.
    Step(DESK, lambda _now: DESK, lambda _client: compact()),
    chore_step(DESK),
    Step(DESK, lambda _now: DESK, lambda _client: run_alarms(timezone.now())),
)


ROLE_RANK = {role: rank for rank, role in enumerate(ROLES)}


def work_round(client: Client, roles: Collection[str] = ROLES, stop: threading.Event | None = None) -> bool:
    """One round: each step of these roles once, until somebody says stop. Says whether there was anything to do."""
    busy = False
    waits = upstream.paused_until(timezone.now()) is not None
    ahead = len(ROLE_RANK)  # the first of the purposes for which something was waiting in this round
    for step in STEPS:
        if stop is not None and stop.is_set():
            break
        purpose = step.due(timezone.now()) if step.role in roles and not (waits and step.role != DESK) else None
        if not purpose:
            continue
        did = take_step(step, client, purpose, contested=ahead < ROLE_RANK[purpose])
        if purpose != DESK:
            ahead = min(ahead, ROLE_RANK[purpose])
            # Only a call can bring a new reason to wait.
            waits = did and upstream.paused_until(timezone.now()) is not None
        busy = did or busy
    return busy


def take_step(step: Step, client: Client, purpose: str, *, contested: bool) -> bool:
    """Does it when the budget allows; says whether there was anything to do."""
    meter = client.meter
    if purpose == DESK or meter is None:
        return bool(step.act(client))
    if not meter.take(Purpose(purpose), timezone.now(), contested=contested):
        return False
    try:
        return bool(step.act(client))
    finally:
        meter.give_back()


def work(client: Client, stop: threading.Event, *, once: bool, roles: Collection[str] = ROLES) -> None:
    """Works until told to stop (what is in hand is brought to its end), or with `once` until nothing is due."""
    pulse = Heartbeat(once=once, roles=roles)
    create_rows(timezone.now())
    # What is loaded by now stays. Otherwise the collector walks through it all again and again, 50 ms each time, now
    # and then with a write transaction open.
    gc.freeze()
    log.info("worker %s begins", pulse.name)
    while not stop.is_set():
        try:
            pulse.beat(timezone.now(), client.meter.calls if client.meter else 0)
            busy = work_round(client, roles, stop)
        except Exception:
            # The database is away, or a mistake of ours. Claims run out by the clock, so nothing is lost by going on.
            log.exception("a round broke off")
            if once:
                raise
            close_old_connections()
            stop.wait(AFTER_A_CRASH_SECONDS)
            continue
        if once and not busy:
            break
        if not busy:
            stop.wait(IDLE_SECONDS)
    pulse.stop()
    log.info("worker %s ends", pulse.name)

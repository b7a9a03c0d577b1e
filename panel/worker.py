"""The worker: a loop around steps. A step does one thing and says whether there was one."""

import gc
import logging
import os
import socket
import threading
from collections.abc import Callable
from datetime import datetime, timedelta

from django.conf import settings
from django.db import close_old_connections
from django.utils import timezone

from accounts.balance import read_balance
from catalog.sync import sync
from orders.batches import carry_cancels, carry_refills
from orders.carrying import carry_one
from orders.endings import presume_settled
from orders.following import ALONE_EVERY_SECONDS, look_alone, look_once
from orders.probing import probe
from orders.upkeep import compact
from panel import bells, upstream
from panel.models import Beat, Chore
from panel.notpanel.client import Client
from panel.notpanel.errors import NotPanelError

log = logging.getLogger(__name__)

IDLE_SECONDS = 0.5  # between rounds when nothing was due: an order leaves within this of being placed
BEAT_EVERY = timedelta(seconds=5)
FORGOTTEN = timedelta(days=7)  # a worker that has not beaten for so long is no longer listed
CHORE_LEASE = timedelta(minutes=5)  # a catalog of 10,000 rows over a slow line
CHORE_RETRY = timedelta(seconds=30)  # after one that failed
AFTER_A_CRASH_SECONDS = 5.0

CHORES: dict[str, tuple[Callable[[Client], object], Callable[[], int]]] = {
    "balance": (read_balance, lambda: settings.BALANCE_EVERY_SECONDS),
    "catalog": (sync, lambda: settings.CATALOG_EVERY_SECONDS),
    "left out": (look_alone, lambda: ALONE_EVERY_SECONDS),
    "old deliveries": (bells.forget_deliveries, lambda: bells.FORGETS_EVERY_SECONDS),
}


def do_chore(client: Client, now: datetime | None = None) -> bool:
    """Does one due chore, if there is one, and says when it is due again."""
    chore = Chore.objects.claim(now or timezone.now(), CHORE_LEASE)
    if chore is None:
        return False
    act, every = CHORES[chore.name]
    mine = Chore.objects.filter(pk=chore.pk, due_at=chore.due_at)
    try:
        act(client)
    except NotPanelError as trouble:
        log.warning("%s: %s", chore.name, trouble)
        mine.update(due_at=timezone.now() + CHORE_RETRY, trouble=str(trouble))
    else:
        done_at = timezone.now()
        mine.update(due_at=done_at + timedelta(seconds=every()), done_at=done_at, trouble="")
    return True


def presume(_client: Client) -> bool:
    """No call: the clock alone tells."""
    return presume_settled(timezone.now())


def compact_tally(_client: Client) -> bool:
    """No call: pages add up what triggers wrote down, and this keeps it short."""
    return compact()


# What people wait for comes first in every round; no step starves another.
STEPS: tuple[Callable[[Client], bool], ...] = (
    carry_one, carry_cancels, carry_refills, bells.ring_in, look_once, probe, presume, compact_tally, do_chore,
)  # fmt: skip


def work_round(client: Client) -> bool:
    """One round: each step once. Says whether there was anything to do."""
    busy = asked = False
    for step in STEPS:
        # Only after a step that did something can there be a new reason to wait.
        if (asked or step is STEPS[0]) and upstream.paused_until(timezone.now()):
            return False
        asked = step(client)
        busy = asked or busy
    return busy


class Pulse:
    """Tells the desk that this worker lives. All that run for `--once` share a name, and are not told as stopped:
    cron starts the next one."""

    def __init__(self, *, once: bool = False) -> None:
        self.once = once
        self.name = f"{socket.gethostname()}:{'once' if once else os.getpid()}"
        self.last: datetime | None = None

    def beat(self, now: datetime) -> None:
        """At most every BEAT_EVERY."""
        if self.last is None:
            Beat.objects.filter(beat_at__lt=now - FORGOTTEN).delete()
            Beat.objects.update_or_create(
                name=self.name, defaults={"started_at": now, "beat_at": now, "stopped_at": None}
            )
        elif now - self.last >= BEAT_EVERY:
            Beat.objects.filter(name=self.name).update(beat_at=now)
        else:
            return
        self.last = now

    def stop(self) -> None:
        if not self.once:
            Beat.objects.filter(name=self.name).update(stopped_at=timezone.now())


def work(client: Client, stop: threading.Event, *, once: bool) -> None:
    """Works until told to stop, or with `once` until nothing is due."""
    pulse = Pulse(once=once)
    due_now = [Chore(name=name, due_at=timezone.now()) for name in CHORES]
    Chore.objects.bulk_create(due_now, ignore_conflicts=True)
    # What is loaded by now stays. Otherwise the collector walks through it all again and again, 50 ms each time, now
    # and then with a write transaction open.
    gc.freeze()
    log.info("worker %s begins", pulse.name)
    while not stop.is_set():
        try:
            pulse.beat(timezone.now())
            busy = work_round(client)
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

"""Mends what waits for a clock that was set back: no stored wait is longer than the longest possible one."""

import logging
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db import transaction
from django.db.models import DateTimeField, DurationField, ExpressionWrapper, F, QuerySet, Value

from accounts.desk_settings import longest_delay
from orders.models import Delivery, Poll, PollCall, Sending, Task
from orders.placing.send_switch import PROBE_INTERVAL
from orders.rules import retry
from orders.rules.poll_schedule import LONGEST_PAUSE as LONGEST_POLL_PAUSE
from orders.webhooks.dispatch import RETRY_PAUSES
from panel.alarms.evaluate import EVALUATED_EVERY
from panel.alarms.models import Alarm, Notice, Watch
from panel.upstream.client import LONGEST_PAUSE
from panel.upstream.clock import CLOCKS_APART, record_set_back, set_back_by
from panel.upstream.models import Chore, Upstream
from panel.worker.recurring import RECURRING_WORK, longest_wait

log = logging.getLogger(__name__)

ROWS_AT_ONCE = 1_000  # in one transaction
A_DAY = timedelta(days=1)  # quiet hours are shorter


class Wait(NamedTuple):
    """A column that holds until when something waits, and how long it can wait at most. `rows`: those that wait."""

    rows: QuerySet[Any]
    column: str
    longest: timedelta
    exact: bool = False  # must not be made due a little too early


def waits(now: datetime) -> list[Wait]:
    """All that the database holds back until some time."""
    undo = max(retry.longest_wait(), longest_delay(now))
    chores = [(Chore.objects.filter(name=name), longest_wait(work)) for name, work in RECURRING_WORK.items()]
    return [
        # Before a first try a person can still undo.
        Wait(Task.objects.filter(settled_at=None, attempts=0), "due_at", undo, exact=True),
        Wait(Task.objects.filter(settled_at=None, attempts__gt=0), "due_at", retry.longest_wait()),
        Wait(Poll.objects.by_index(), "next_poll_at", LONGEST_POLL_PAUSE),
        Wait(PollCall.objects.all(), "ends_at", retry.LEASE),
        Wait(Sending.objects.all(), "probe_at", PROBE_INTERVAL),
        Wait(Delivery.objects.all(), "due_at", max(pause for _, pause in RETRY_PAUSES)),
        Wait(Upstream.objects.all(), "paused_until", LONGEST_PAUSE),
        Wait(Watch.objects.all(), "due_at", EVALUATED_EVERY),
        Wait(Watch.objects.all(), "looked_at", timedelta()),
        Wait(Alarm.objects.open(), "calm_since", timedelta()),
        Wait(Notice.objects.all(), "due_at", A_DAY),
        *(Wait(rows, "due_at", longest) for rows, longest in chores),
    ]


def mend_waits(now: datetime) -> bool:
    """Ends waits that are longer than possible, and shifts all by as much as the clock was set back, if it was.

    Returns whether there was anything to mend.
    """
    ahead = set_back_by(now, list(Watch.objects.values_list("looked_at", flat=True)))
    if ahead:
        with transaction.atomic():
            if record_set_back(ahead, now):
                log.warning("the clock was set back by %s", ahead)
                for wait in waits(now):
                    shift(wait, ahead, now)
    return sum(end_too_long(wait, now) for wait in waits(now)) > 0


def shift(wait: Wait, ahead: timedelta, now: datetime) -> None:
    """Makes what waits under the old time due as much earlier as the clock was set back.

    The last moment that the desk has seen is a little older than the old clock, so unless it must be exact, it is due
    as much too early as that may be.
    """
    ahead += timedelta() if wait.exact else CLOCKS_APART
    earlier = ExpressionWrapper(F(wait.column) - Value(ahead, DurationField()), DateTimeField())
    wait.rows.filter(**{f"{wait.column}__gt": now}).update(**{wait.column: earlier})


def end_too_long(wait: Wait, now: datetime) -> int:
    """Ends the waits that are longer than possible, and returns how many."""
    too_long = wait.rows.filter(**{f"{wait.column}__gt": now + wait.longest + CLOCKS_APART})
    if not too_long.exists():  # as in nearly every round
        return 0
    with transaction.atomic():
        keys = list(too_long.select_for_update(skip_locked=True).values_list("pk", flat=True)[:ROWS_AT_ONCE])
        return wait.rows.filter(pk__in=keys).update(**{wait.column: now})

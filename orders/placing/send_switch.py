"""Whether orders go out: stopped by a manager with a reason, or by the desk itself while upstream is not well."""

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from orders.models import Event, Sending, Task
from orders.rules.refusal import Refusal, require_allowed, require_reason
from panel.ops.database import only_row

# Tries of any orders, with no answer in between. Each order waits longer after each try, so five are no accident.
FAILURES_IN_A_ROW = 5
PROBE_INTERVAL = timedelta(seconds=60)  # one call a minute while sending is stopped or orders wait for money
# Sooner where answers were lost and no trial to go on has failed: then the first probe comes after this, and each
# next one after as long as it has lasted, up to PROBE_INTERVAL.
FIRST_PROBE = timedelta(seconds=5)


def switch_row() -> Any:
    """The only row of Sending, as a queryset."""
    return only_row(Sending)


def stop(reason: str, *, by: Any) -> None:
    """Stops all sending. A stop by the desk itself becomes the manager's, so that only a manager ends it."""
    require_allowed(by, "stop")
    reason, now = require_reason(reason, "Write why: the whole team sees it."), timezone.now()
    with transaction.atomic():
        if not switch_row().filter(stopped_by=None).update(stopped_at=now, stopped_by=by, reason=reason):
            raise Refusal("Sending is stopped already.")
        Event.objects.create(kind="stopped", by=by, at=now, facts={"reason": reason})


def resume(*, by: Any) -> None:
    """Lets orders go out again, no matter who stopped them. Old books end only with a release, see old_books.py."""
    require_allowed(by, "stop")
    with transaction.atomic():
        if switch_row().filter(old_since__isnull=False).exists():
            raise Refusal("Decide first about what was due: the database may be old.")
        if not switch_on(switch_row().filter(stopped_at__isnull=False), failures=0):
            raise Refusal("Sending is not stopped.")
        Event.objects.create(kind="resumed", by=by, at=timezone.now())


def stop_itself(reason: str, now: datetime) -> None:
    """Stops sending in the desk's own name and begins to probe upstream. Leaves an earlier stop as it is."""
    with transaction.atomic():
        if switch_row().filter(stopped_at=None).update(stopped_at=now, reason=reason, probe_at=now + PROBE_INTERVAL):
            switch_row().update(probe_at=now + probe_pause(now))
            Event.objects.create(kind="stopped_itself", at=now, facts={"reason": reason})


def count_failure(why: str, now: datetime) -> None:
    """Counts one more try that upstream did not answer. FAILURES_IN_A_ROW of them stop sending."""
    switch_row().update(failures=F("failures") + 1)
    if switch_row().filter(failures__gte=FAILURES_IN_A_ROW).exists():
        stop_itself(f"{FAILURES_IN_A_ROW} tries in a row had no clear answer. The last one: {why}", now)


def probe_pause(now: datetime) -> timedelta:
    """How long after a probe at `now` the next one follows, or after a stop at `now` the first."""
    lost = Sending.objects.filter(failures__gte=FAILURES_IN_A_ROW, trial_at=None, stopped_by=None)
    stopped_at = lost.filter(stopped_at__isnull=False).values_list("stopped_at", flat=True).first()
    return PROBE_INTERVAL if stopped_at is None else min(max(now - stopped_at, FIRST_PROBE), PROBE_INTERVAL)


def counting() -> QuerySet[Sending]:
    """The row of Sending while any failure counts, or a trial to go on is under way; else none."""
    return Sending.objects.filter(Q(failures__gt=0) | Q(trial_at__isnull=False))


def count_answer() -> None:
    """Begins the count of failures anew, because upstream said yes or no to an order."""
    counting().update(failures=0, trial_at=None)


def upstream_answered(now: datetime) -> None:
    """Lets go what waits for another try, because upstream has answered somebody after a trouble.

    Where answers to orders go on being lost while others are answered, sending goes on once in a PROBE_INTERVAL only.
    """
    stopped = switch_row().filter(stopped_at__isnull=False, stopped_by=None, failures__gte=FAILURES_IN_A_ROW)
    if stopped.filter(Q(trial_at=None) | Q(trial_at__lte=now - PROBE_INTERVAL)).exists():
        resume_itself(now)
    Task.objects.hurry_placing(now)
    Task.objects.hurry_aftersale(now)


def resume_itself(now: datetime) -> None:
    """Ends a stop by the desk itself, because upstream answered a probe. The first try that fails stops it again."""
    with transaction.atomic():
        own = switch_row().filter(stopped_at__isnull=False, stopped_by=None, old_since=None)
        if switch_on(own, failures=FAILURES_IN_A_ROW - 1):
            switch_row().update(trial_at=now)
            Event.objects.create(kind="resumed_itself", at=now)


def stop_for_release(since: datetime, doubt_since: datetime, why: str, now: datetime) -> None:
    """Stops sending because the books may be old: last written at `since`. Only `end_release` ends it."""
    switch_row().update(old_since=since, doubt_since=doubt_since, old_why=why)
    if switch_row().filter(stopped_at=None).update(stopped_at=now, stopped_by=None, reason=why):
        Event.objects.create(kind="stopped_itself", at=now, facts={"reason": why})


def end_release(by: Any, now: datetime, *, sent: int, left: int) -> None:
    """Lets orders go out again, as a person has released what was due. A stop for another reason stays."""
    switch_on(switch_row().filter(stopped_by=None, reason=F("old_why")), failures=0)
    switch_row().update(old_since=None, doubt_since=None, old_why="")
    Event.objects.create(kind="released", by=by, at=now, facts={"sent": sent, "left": left})


def switch_on(stopped: Any, *, failures: int) -> bool:
    """Lets orders go out if `stopped` finds the row of Sending. From then on, so many failures count already."""
    return bool(stopped.update(stopped_at=None, stopped_by=None, reason="", failures=failures))

"""Whether orders go out: stopped by a manager with a reason, or by the desk itself while upstream is not well."""

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from orders.models import Event, Sending
from orders.rules.refusal import Refusal, require_allowed, require_reason
from panel.ops.database import only_row

# Tries of any orders, with no answer in between. Each order waits longer after each try, so five are no accident.
FAILURES_IN_A_ROW = 5
PROBE_INTERVAL = timedelta(seconds=60)  # one call a minute while sending is stopped or orders wait for money


def switch_row() -> Any:
    """The only row of Sending, as a queryset."""
    return only_row(Sending)


def stop(reason: str, *, by: Any) -> None:
    """Stops all sending. A stop by the desk itself becomes the manager's, so that only a manager ends it."""
    require_allowed(by, "decide")
    reason, now = require_reason(reason, "Say why: the whole team reads it."), timezone.now()
    with transaction.atomic():
        if not switch_row().filter(stopped_by=None).update(stopped_at=now, stopped_by=by, reason=reason):
            raise Refusal("Sending is stopped already.")
        Event.objects.create(kind="stopped", by=by, at=now, facts={"reason": reason})


def resume(*, by: Any) -> None:
    """Lets orders go out again, no matter who stopped them. Old books end only with a release, see old_books.py."""
    require_allowed(by, "decide")
    with transaction.atomic():
        if switch_row().filter(old_since__isnull=False).exists():
            raise Refusal("Say first what becomes of what was due: the desk’s books may be old.")
        if not switch_on(switch_row().filter(stopped_at__isnull=False), failures=0):
            raise Refusal("Orders go out already.")
        Event.objects.create(kind="resumed", by=by, at=timezone.now())


def stop_itself(reason: str, now: datetime) -> None:
    """Stops sending in the desk's own name and begins to probe upstream. Leaves an earlier stop as it is."""
    with transaction.atomic():
        if switch_row().filter(stopped_at=None).update(stopped_at=now, reason=reason, probe_at=now + PROBE_INTERVAL):
            Event.objects.create(kind="stopped_itself", at=now, facts={"reason": reason})


def count_failure(why: str, now: datetime) -> None:
    """Counts one more try that upstream did not answer. FAILURES_IN_A_ROW of them stop sending."""
    switch_row().update(failures=F("failures") + 1)
    if switch_row().filter(failures__gte=FAILURES_IN_A_ROW).exists():
        stop_itself(f"{FAILURES_IN_A_ROW} tries in a row went without a clear answer. The last one: {why}", now)


def count_answer() -> None:
    """Begins the count of failures anew, because upstream said yes or no to an order."""
    Sending.objects.filter(failures__gt=0).update(failures=0)


def resume_itself(now: datetime) -> None:
    """Ends a stop by the desk itself, because upstream answered a probe. The first try that fails stops it again."""
    with transaction.atomic():
        own = switch_row().filter(stopped_at__isnull=False, stopped_by=None, old_since=None)
        if switch_on(own, failures=FAILURES_IN_A_ROW - 1):
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

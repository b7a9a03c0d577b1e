"""Whether orders go out: stopped by a manager with a reason, or by the desk itself while upstream is not well."""

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from orders.models import Event, Sending
from orders.rules.refusal import Refusal, allowed, reason_given
from panel.ops.database import only_row

# Of any orders, with no answer in between. Each order also waits longer after each try, so this many are no accident.
FAILURES_IN_A_ROW = 5
PROBE_EVERY = timedelta(seconds=60)  # one gentle call a minute while sending is stopped, or orders wait for money


def switch_row() -> Any:
    """The one row that says whether orders go out."""
    return only_row(Sending)


# ── People ───────────────────────────────────────────────────────────────────────────────────────
def stop(reason: str, *, by: Any) -> None:
    """A manager stops all sending; also takes over what the desk stopped, so that it does not go on by itself."""
    allowed(by, "decide")
    reason, now = reason_given(reason, "Say why: the whole team reads it."), timezone.now()
    with transaction.atomic():
        if not switch_row().filter(stopped_by=None).update(stopped_at=now, stopped_by=by, reason=reason):
            raise Refusal("Sending is stopped already.")
        Event.objects.create(kind="stopped", by=by, at=now, facts={"reason": reason})


def resume(*, by: Any) -> None:
    """A manager lets orders go out again, whoever stopped them."""
    allowed(by, "decide")
    with transaction.atomic():
        if not switch_on(switch_row().filter(stopped_at__isnull=False), failures=0):
            raise Refusal("Orders go out already.")
        Event.objects.create(kind="resumed", by=by, at=timezone.now())


def switch_on(stopped: Any, *, failures: int) -> bool:
    return bool(stopped.update(stopped_at=None, stopped_by=None, reason="", failures=failures))


# ── The desk itself ──────────────────────────────────────────────────────────────────────────────
def stop_itself(reason: str, now: datetime) -> None:
    """Stops, and begins to ask gently whether upstream is well again. What a manager stopped stays theirs."""
    with transaction.atomic():
        if switch_row().filter(stopped_at=None).update(stopped_at=now, reason=reason, probe_at=now + PROBE_EVERY):
            Event.objects.create(kind="stopped_itself", at=now, facts={"reason": reason})


def count_failure(why: str, now: datetime) -> None:
    """One more try that upstream did not answer; the last of too many in a row stops sending."""
    switch_row().update(failures=F("failures") + 1)
    if switch_row().filter(failures__gte=FAILURES_IN_A_ROW).exists():
        stop_itself(f"{FAILURES_IN_A_ROW} tries in a row went without a clear answer. The last one: {why}", now)


def count_answer() -> None:
    """Upstream said yes or no to an order: it is there."""
    Sending.objects.filter(failures__gt=0).update(failures=0)


def resume_itself(now: datetime) -> None:
    """Upstream answered a probe: what the desk stopped goes on, and stops again at the first try that fails."""
    with transaction.atomic():
        if switch_on(switch_row().filter(stopped_at__isnull=False, stopped_by=None), failures=FAILURES_IN_A_ROW - 1):
            Event.objects.create(kind="resumed_itself", at=now)


# ── Money ────────────────────────────────────────────────────────────────────────────────────────

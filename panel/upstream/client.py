"""Makes the client that calls upstream, and records after each of its calls how upstream is."""

import logging
from datetime import datetime, timedelta

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError
from django.db.models import DateTimeField, QuerySet, Value
from django.db.models.functions import Coalesce
from django.utils import timezone

from orders.placing import send_switch
from orders.rules.retry import LONGEST_PAUSE_SECONDS
from panel.notpanel.client import Client
from panel.notpanel.errors import NotPanelError, Refused, Suspended, Throttled
from panel.ops.database import ONLY_ROW, only_row
from panel.upstream.call_budget import Meter
from panel.upstream.key import record_key
from panel.upstream.models import Upstream

log = logging.getLogger(__name__)

# No limit or suspension makes the desk wait longer; a stored pause that is longer is of a clock that was set back.
LONGEST_PAUSE = timedelta(seconds=LONGEST_PAUSE_SECONDS)


def make_client(meter: Meter | None = None) -> Client:
    """A client that records its calls and keeps to the call budget. A test names the few modules that may hold one."""
    if not settings.NOTPANEL_API_KEY:
        raise ImproperlyConfigured(
            "NOTPANEL_API_KEY is not set, and this program calls the supplier: set it here (or NOTPANEL_API_KEY_FILE)."
        )
    return Client(settings.NOTPANEL_API_URL, settings.NOTPANEL_API_KEY, on_call=record_call, meter=meter or Meter())


def record_own_key(now: datetime) -> None:
    """Stores what pages may know of the key that this process calls with."""
    record_key("" if settings.SANDBOX else settings.NOTPANEL_API_KEY, now)


def record_call(action: str, trouble: NotPanelError | None) -> None:
    """Records what a call shows about upstream as a whole. A refusal is an answer, so upstream is well."""
    try:
        now = timezone.now()
        recovered = record_health(None if isinstance(trouble, Refused) else trouble, now)
        if recovered and action != "add":  # the answer to an order lets others go by itself
            send_switch.upstream_answered(now)
    except DatabaseError:
        # Upstream's answer matters more than this record, and must not be lost with it.
        log.exception("could not note how upstream is")


def record_health(trouble: NotPanelError | None, now: datetime) -> bool:
    """Records that upstream is well (None) or in trouble, and returns whether a trouble is over with this.

    Each statement is right by itself, as workers call at once. A suspension also stops all sending; a limit or a
    suspension makes every worker wait.
    """
    if trouble is None and Upstream.objects.filter(pk=ONLY_ROW, trouble="").update(spoke_at=now):
        return False  # as nearly always
    health = only_row(Upstream)
    if trouble is None:
        health.update(spoke_at=now)
        # A call that was under way when another was told to wait does not end that wait.
        over = health.exclude(trouble="")
        over = over.exclude(paused_until__gt=now, paused_until__lte=now + LONGEST_PAUSE)
        return bool(over.update(trouble="", trouble_since=None, paused_until=None))
    health.update(trouble=str(trouble), trouble_since=Coalesce("trouble_since", Value(now, DateTimeField())))
    if isinstance(trouble, Suspended):
        send_switch.stop_itself(str(trouble), now)
    if isinstance(trouble, Throttled | Suspended) and trouble.pause is not None:
        health.update(paused_until=now + timedelta(seconds=trouble.pause))
    return False


def paused_until(now: datetime) -> datetime | None:
    """When calls are allowed again, or None if they are allowed now."""
    return pauses(now).values_list("paused_until", flat=True).first()


def pauses(now: datetime) -> QuerySet[Upstream]:
    """Upstream's row while no calls are allowed."""
    return Upstream.objects.filter(pk=ONLY_ROW, paused_until__gt=now, paused_until__lte=now + LONGEST_PAUSE)

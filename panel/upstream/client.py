"""Keeps how upstream is, for every process to read: written by whoever calls, through the client's `on_call`."""

import logging
from datetime import datetime, timedelta

from django.conf import settings
from django.db import DatabaseError
from django.db.models import DateTimeField, Value
from django.db.models.functions import Coalesce
from django.utils import timezone

from orders.placing import send_switch
from panel.notpanel.client import Client
from panel.notpanel.errors import NotPanelError, Refused, Suspended, Throttled
from panel.ops.database import ONLY_ROW, only_row
from panel.upstream.call_budget import Meter
from panel.upstream.models import Upstream

log = logging.getLogger(__name__)


def make_client(meter: Meter | None = None) -> Client:
    """The phone, with the book and the meter beside it. Only the worker and its commands may hold one (a test names
    them)."""
    return Client(settings.NOTPANEL_API_URL, settings.NOTPANEL_API_KEY, on_call=record_call, meter=meter or Meter())


def record_call(action: str, trouble: NotPanelError | None) -> None:
    """After each call: what it says about upstream as a whole. A refusal is an answer, not a trouble."""
    try:
        record_health(None if isinstance(trouble, Refused) else trouble, timezone.now())
    except DatabaseError:
        # What upstream answered matters more than this note; it must not be lost with it.
        log.exception("could not note how upstream is")


def record_health(trouble: NotPanelError | None, now: datetime) -> None:
    """Writes it down, in statements that stand for themselves: several workers hear at once."""
    book = only_row(Upstream)
    if trouble is None:
        book.update(spoke_at=now)
        # A call that was under way when another was told to wait does not end that wait.
        book.exclude(paused_until__gt=now).update(trouble="", trouble_since=None, paused_until=None)
        return
    book.update(trouble=str(trouble), trouble_since=Coalesce("trouble_since", Value(now, DateTimeField())))
    if isinstance(trouble, Suspended):
        send_switch.stop_itself(str(trouble), now)
    if isinstance(trouble, Throttled | Suspended) and trouble.pause is not None:
        book.update(paused_until=now + timedelta(seconds=trouble.pause))


def paused_until(now: datetime) -> datetime | None:
    """Until when nobody may call; None when calling is fine."""
    return Upstream.objects.filter(pk=ONLY_ROW, paused_until__gt=now).values_list("paused_until", flat=True).first()

"""Asks upstream for the balance while orders wait for money or for upstream to be well. Runs in the worker."""

import logging
from datetime import datetime

from django.db.models import QuerySet
from django.utils import timezone

from accounts.balance import read_balance
from orders.models import Sending
from orders.placing import send_switch
from orders.placing.funding import fund, tasks_waiting
from panel.notpanel.client import Client
from panel.notpanel.errors import NotPanelError

log = logging.getLogger(__name__)


def due_probe(now: datetime) -> QuerySet[Sending]:
    """The row of Sending while a probe is due."""
    return Sending.objects.filter(probe_at__lte=now)


def probe(client: Client, now: datetime | None = None) -> bool:
    """Makes one call for the balance if a probe is due, and applies the answer. Returns whether one was due."""
    now = now or timezone.now()
    # The claim is the next time, whatever comes of this one.
    if not due_probe(now).update(probe_at=now + send_switch.probe_pause(now)):
        return False
    try:
        reading = read_balance(client)
    except NotPanelError as trouble:
        log.warning("upstream is not well yet: %s", trouble)
        return True
    send_switch.resume_itself(now)
    fund(reading, now)
    if not tasks_waiting().exists():
        Sending.objects.filter(stopped_at=None).update(probe_at=None)
    return True

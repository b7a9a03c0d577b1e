"""Asks gently whether upstream is well and what the balance is, while orders wait for either. Runs in the worker."""

import logging
from datetime import datetime

from django.utils import timezone

from accounts.balance import read_balance
from orders.models import Sending
from orders.placing import send_switch
from panel.notpanel.budget import Purpose
from panel.notpanel.client import Client
from panel.notpanel.errors import NotPanelError

log = logging.getLogger(__name__)


def due_probe(now: datetime) -> Purpose | None:
    return Purpose.UPKEEP if Sending.objects.filter(probe_at__lte=now).exists() else None


def probe(client: Client, now: datetime | None = None) -> bool:
    """One call for the balance, if it is time; says whether it was."""
    now = now or timezone.now()
    # The claim is the next time, whatever comes of this one.
    if not Sending.objects.filter(probe_at__lte=now).update(probe_at=now + send_switch.PROBE_EVERY):
        return False
    try:
        reading = read_balance(client)
    except NotPanelError as trouble:
        log.warning("upstream is not well yet: %s", trouble)
        return True
    send_switch.well_again(now)
    send_switch.fund(reading, now)
    if not send_switch.waiting().exists():
        Sending.objects.filter(stopped_at=None).update(probe_at=None)
    return True

"""Asks gently whether upstream is well and what the balance is, while orders wait for either. Runs in the worker."""

import logging
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from accounts.balance import read_balance
from accounts.models import BalanceReading
from orders.models import Order, Sending, Task
from orders.placing import send_switch
from orders.placing.send_switch import switch_row
from orders.rules.refusal import Refusal, allowed
from orders.rules.statuses import Status
from panel.format.money import is_dollars
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
    send_switch.resume_itself(now)
    fund(reading, now)
    if not waiting().exists():
        Sending.objects.filter(stopped_at=None).update(probe_at=None)
    return True


def send_now(order: Order, *, by: Any) -> None:
    """Sends what waits for money, whatever the balance is said to be."""
    allowed(by, "place")
    if not release(order, "sent_now", by=by):
        raise Refusal("This order does not wait for money.")


def choose_when_funded(order: Order, by_itself: bool, *, by: Any) -> None:
    """Whether it goes by itself when the money is there, or waits for a person's press."""
    allowed(by, "place")
    with transaction.atomic():
        changed = Order.objects.filter(pk=order.pk, status=Status.QUEUED).exclude(send_when_funded=by_itself)
        if changed.change(send_when_funded=by_itself):
            order.record("waits_for_money" if by_itself else "waits_for_press", by=by)


CACHED_BY_UPSTREAM = timedelta(seconds=30)  # documented: a balance may be so old when it is told


def probe_soon(now: datetime) -> None:
    """An order waits for money: the balance is worth a question as soon as the answer knows of the refusal."""
    switch_row().filter(probe_at=None).update(probe_at=now + CACHED_BY_UPSTREAM)


def waiting() -> Any:
    """What upstream refused for want of money, in the order in which it was asked for."""
    return Task.objects.filter(settled_at=None, needs__isnull=False).order_by("asked_at", "id")


def fund(reading: BalanceReading, now: datetime) -> int:
    """Lets go what this balance covers, one after the other, of what may go by itself; how many that were."""
    left, funded = reading.amount if is_dollars(reading.currency) else Decimal(0), 0
    for task in waiting().filter(order__send_when_funded=True, due_at__lte=now).select_related("order"):
        if task.needs > left:
            continue
        left -= task.needs
        funded += release(task.order, "funded", by=None)
    return funded


def release(order: Order, kind: str, *, by: Any) -> bool:
    """One order need not wait for money any longer; False when it did not."""
    with transaction.atomic():
        if not waiting().filter(order=order).update(needs=None, due_at=F("asked_at")):
            return False
        order.change()
        order.record(kind, by=by)
        return True

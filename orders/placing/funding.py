"""Orders that wait for money: which there are, and how they go, when a balance covers them or a person says so."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import F

from accounts.models import BalanceReading
from orders.models import Order, Task
from orders.placing import send_switch
from orders.rules.refusal import Refusal, require_allowed
from orders.rules.statuses import Status
from panel.format.money import is_dollars

BALANCE_LAG = timedelta(seconds=30)  # documented: how old a balance may be when upstream tells it


def fund(reading: BalanceReading, now: datetime) -> None:
    """Lets go the orders that this balance covers, one after the other, of those that may go by themselves."""
    left = reading.amount if is_dollars(reading.currency) else Decimal(0)
    for task in tasks_waiting().filter(order__send_when_funded=True, due_at__lte=now).select_related("order"):
        if task.needs <= left:
            left -= task.needs
            release(task.order, "funded", by=None)


def probe_soon(now: datetime) -> None:
    """Makes a probe due as soon as upstream's balance can know of a refusal at `now`, unless one is due already."""
    send_switch.switch_row().filter(probe_at=None).update(probe_at=now + BALANCE_LAG)


def send_now(order: Order, *, by: Any) -> None:
    """Sends an order that waits for money, whatever the balance is said to be."""
    require_allowed(by, "place")
    if not release(order, "sent_now", by=by):
        raise Refusal("This order does not wait for money.")


def choose_when_funded(order: Order, by_itself: bool, *, by: Any) -> None:
    """Sets whether the order is sent by itself when the balance covers it, or waits for a person's press."""
    require_allowed(by, "place")
    with transaction.atomic():
        changed = Order.objects.filter(pk=order.pk, status=Status.QUEUED).exclude(send_when_funded=by_itself)
        if changed.change(send_when_funded=by_itself):
            order.record("waits_for_money" if by_itself else "waits_for_press", by=by)


def release(order: Order, event_kind: str, *, by: Any) -> bool:
    """Ends an order's wait for money, and records why. False when it did not wait."""
    with transaction.atomic():
        if not tasks_waiting().filter(order=order).update(needs=None, due_at=F("asked_at")):
            return False
        order.change()
        order.record(event_kind, by=by)
        return True


def tasks_waiting() -> Any:
    """Tasks that wait for money, because upstream refused them for want of it. First come, first served."""
    return Task.objects.filter(settled_at=None, needs__isnull=False).order_by("asked_at", "id")

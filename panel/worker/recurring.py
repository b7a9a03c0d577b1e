"""What is done again and again: each chore has its due time in the database, so any number of workers share them."""

import logging
from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from typing import NamedTuple

from django.conf import settings
from django.utils import timezone

from accounts.balance import read_balance
from catalog.sync import sync
from orders.following.poll import ALONE_EVERY_SECONDS, look_alone
from orders.statistics import charge_totals, delivery_times, spending
from panel.notpanel.budget import Purpose
from panel.notpanel.client import Client
from panel.notpanel.errors import NotPanelError
from panel.upstream.models import DESK, Chore, ChoreQuerySet
from panel.worker import bells

log = logging.getLogger(__name__)

LEASE = timedelta(minutes=5)  # a catalog of 10,000 rows over a slow line
RETRY = timedelta(seconds=30)  # after one that failed


class Duty(NamedTuple):
    """What is done, how often, and for what purpose its call is; DESK makes none."""

    act: Callable[[Client], object]
    every_seconds: Callable[[], float]
    role: str


def take_pace(_client: Client) -> None:
    delivery_times.take_pace(timezone.now())


CHORES = {
    #                      act                        every seconds                            role
    "balance":        Duty(read_balance,              lambda: settings.BALANCE_EVERY_SECONDS, Purpose.UPKEEP),
    "catalog":        Duty(sync,                      lambda: settings.CATALOG_EVERY_SECONDS, Purpose.UPKEEP),
    "left out":       Duty(look_alone,                lambda: ALONE_EVERY_SECONDS,            Purpose.LOOK),
    "pace":           Duty(take_pace,                 lambda: delivery_times.EVERY_SECONDS,        DESK),
    "spending":       Duty(spending.measure,            lambda: spending.EVERY_SECONDS,           DESK),
    "sums":           Duty(charge_totals.compact,              lambda: charge_totals.COMPACT_EVERY_SECONDS,     DESK),
    "old deliveries": Duty(bells.forget_deliveries,   lambda: bells.FORGETS_EVERY_SECONDS,    DESK),
}  # fmt: skip
NAMES = {role: [name for name, duty in CHORES.items() if duty.role == role] for role in (*Purpose, DESK)}


def chores(roles: Collection[str]) -> ChoreQuerySet:
    return Chore.objects.filter(name__in=[name for role in roles for name in NAMES[role]])


def write_down(now: datetime) -> None:
    """Each has its row; a new one is due at once."""
    Chore.objects.bulk_create([Chore(name=name, due_at=now) for name in CHORES], ignore_conflicts=True)


def do_chore(client: Client, now: datetime | None = None, roles: Collection[str] = tuple(NAMES)) -> bool:
    """Does one due chore of these roles, if there is one, and says when it is due again."""
    chore = chores(roles).claim(now or timezone.now(), LEASE)
    if chore is None:
        return False
    duty = CHORES[chore.name]
    mine = Chore.objects.filter(pk=chore.pk, due_at=chore.due_at)
    try:
        duty.act(client)
    except NotPanelError as trouble:
        log.warning("%s: %s", chore.name, trouble)
        mine.update(due_at=timezone.now() + RETRY, trouble=str(trouble))
    else:
        done_at = timezone.now()
        mine.update(due_at=done_at + timedelta(seconds=duty.every_seconds()), done_at=done_at, trouble="")
    return True

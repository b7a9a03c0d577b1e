"""Recurring work: each task of it has its due time in the database, so any number of workers share them."""

import logging
from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from typing import NamedTuple

from django.conf import settings
from django.utils import timezone

from accounts.balance import read_balance
from catalog.sync import sync
from orders.following.poll import ALONE_EVERY_SECONDS, poll_alone
from orders.statistics import charge_totals, delivery_times, spending
from orders.webhooks import dispatch
from panel.notpanel.budget import Purpose
from panel.notpanel.client import Client
from panel.notpanel.errors import NotPanelError
from panel.upstream.models import DESK, Chore, ChoreQuerySet

log = logging.getLogger(__name__)

LEASE = timedelta(minutes=5)  # a catalog of 10,000 rows over a slow line
RETRY = timedelta(seconds=30)  # after one that failed
DELIVERIES_EVERY_SECONDS = 60


class RecurringWork(NamedTuple):
    """One kind of recurring work: what is done, how often, and the role of workers that do it.

    The role is what its call to upstream is for, or DESK where it makes none.
    """

    act: Callable[[Client], object]
    every_seconds: Callable[[], float]
    role: str


def desk(act: Callable[[datetime], object], every_seconds: float) -> RecurringWork:
    """Work that needs the clock alone, and no call to upstream."""
    return RecurringWork(lambda _client: act(timezone.now()), lambda: every_seconds, DESK)


CHORES = {
    #                 act           every seconds                            role
    "balance":   RecurringWork(read_balance, lambda: settings.BALANCE_EVERY_SECONDS, Purpose.UPKEEP),
    "catalog":   RecurringWork(sync,         lambda: settings.CATALOG_EVERY_SECONDS, Purpose.UPKEEP),
    "left out":  RecurringWork(poll_alone,   lambda: ALONE_EVERY_SECONDS,            Purpose.POLL),
    "pace":           desk(delivery_times.measure_services,  delivery_times.EVERY_SECONDS),
    "spending":       desk(spending.measure,          spending.EVERY_SECONDS),
    "sums":           desk(lambda _now: charge_totals.compact(), charge_totals.COMPACT_EVERY_SECONDS),
    "old deliveries": desk(dispatch.delete_old,           DELIVERIES_EVERY_SECONDS),
}  # fmt: skip
NAMES = {role: [name for name, duty in CHORES.items() if duty.role == role] for role in (*Purpose, DESK)}


def chores_of(roles: Collection[str]) -> ChoreQuerySet:
    """The recurring work of these roles."""
    return Chore.objects.filter(name__in=[name for role in roles for name in NAMES[role]])


def create_rows(now: datetime) -> None:
    """Gives each kind its row. New ones are due at once."""
    Chore.objects.bulk_create([Chore(name=name, due_at=now) for name in CHORES], ignore_conflicts=True)


def do_due_chore(client: Client, now: datetime | None = None, roles: Collection[str] = tuple(NAMES)) -> bool:
    """Does one that is due of these roles and says when it is due again. False when none was due."""
    chore = chores_of(roles).claim(now or timezone.now(), LEASE)
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


def balance_due_now(now: datetime) -> None:
    """Has the balance read in the next round: upstream says that it is low, and how low only when asked."""
    Chore.objects.filter(name="balance", due_at__gt=now).update(due_at=now)

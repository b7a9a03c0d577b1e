"""Recurring work. Each kind of it has its due time in the database, so any number of workers share it."""

import logging
from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from typing import NamedTuple

from django.conf import settings
from django.utils import timezone

from accounts.balance import read_balance
from accounts.sessions import end
from accounts.sign_in import forget
from accounts.trail import watch
from catalog.sync import sync
from orders.approvals import decide
from orders.following import fold
from orders.following.poll import ALONE_EVERY_SECONDS, poll_alone
from orders.plans import due
from orders.statistics import delivery_times, sales, scores, spending
from orders.webhooks import dispatch
from panel.notpanel.budget import Purpose
from panel.notpanel.client import Client
from panel.notpanel.errors import NotPanelError
from panel.ops.planner import PLANNER_EVERY_SECONDS, update_planner
from panel.upstream.models import DESK, ROLES, Chore, ChoreQuerySet
from panel.worker import new_devices, report_mails

log = logging.getLogger(__name__)

LEASE = timedelta(minutes=5)  # longer than a catalog of 10,000 rows takes over a slow line
RETRY_AFTER = timedelta(seconds=30)
DELIVERIES_EVERY_SECONDS = 60


class RecurringWork(NamedTuple):
    """One kind of recurring work: what is done, how often, and the role of the workers that do it.

    The role is what its call to upstream is for, or DESK for work without a call.
    """

    act: Callable[[Client], object]
    every_seconds: Callable[[], float]
    role: str


def desk(act: Callable[[datetime], object], every_seconds: float) -> RecurringWork:
    """Recurring work that needs the clock and no call to upstream."""
    return RecurringWork(lambda _client: act(timezone.now()), lambda: every_seconds, DESK)


RECURRING_WORK = {
    #                 act           every seconds                            role
    "balance":   RecurringWork(read_balance, lambda: settings.BALANCE_EVERY_SECONDS, Purpose.UPKEEP),
    "catalog":   RecurringWork(sync,         lambda: settings.CATALOG_EVERY_SECONDS, Purpose.UPKEEP),
    "left out":  RecurringWork(poll_alone,   lambda: ALONE_EVERY_SECONDS,            Purpose.POLL),
    "pace":           desk(delivery_times.measure_services,      delivery_times.EVERY_SECONDS),
    "spending":       desk(spending.measure,                     spending.EVERY_SECONDS),
    "sales":          desk(sales.fold,                           sales.EVERY_SECONDS),
    "scores":         desk(scores.measure,                       scores.EVERY_SECONDS),
    "approvals":      desk(decide.lapse,                         decide.LAPSE_EVERY_SECONDS),
    "parts of plans": desk(due.place_due,                        due.EVERY_SECONDS),
    "query plans":    desk(lambda _now: update_planner(),        PLANNER_EVERY_SECONDS),
    "old readings":   desk(fold.fold_old,                        fold.EVERY_SECONDS),
    "old deliveries": desk(dispatch.delete_old,                  DELIVERIES_EVERY_SECONDS),
    "old sessions":   desk(end.delete_expired,                   end.EXPIRED_EVERY_SECONDS),
    "old tries":      desk(forget.delete_old,                    forget.EVERY_SECONDS),
    "trail":          desk(watch.verify_piece,                   watch.EVERY_SECONDS),
    "weekly reports": desk(report_mails.send_due,                report_mails.EVERY_SECONDS),
    "new devices":    desk(new_devices.tell_of_new_devices,      new_devices.EVERY_SECONDS),
}  # fmt: skip


def longest_wait(work: RecurringWork) -> timedelta:
    """How long this work can wait at most for its next time, or for a worker's lease to end."""
    return max(LEASE, RETRY_AFTER, timedelta(seconds=work.every_seconds()))


def do_recurring_work(client: Client, now: datetime | None = None, roles: Collection[str] = ROLES) -> bool:
    """Does one kind of recurring work of these roles that is due, and sets when it is due again.

    False when none was due. After an error of upstream's it is due again RETRY_AFTER.
    """
    chore = recurring_rows(roles).claim(now or timezone.now(), LEASE)
    if chore is None:
        return False
    claimed = Chore.objects.filter(pk=chore.pk, due_at=chore.due_at)
    work = RECURRING_WORK[chore.name]
    try:
        work.act(client)
    except NotPanelError as trouble:
        log.warning("%s: %s", chore.name, trouble)
        claimed.update(due_at=timezone.now() + RETRY_AFTER, trouble=str(trouble))
    else:
        done_at = timezone.now()
        due_at = done_at + timedelta(seconds=work.every_seconds())
        claimed.update(due_at=due_at, done_at=done_at, trouble="", asked_at=None, asked_by=None)
    return True


def recurring_rows(roles: Collection[str]) -> ChoreQuerySet:
    """The rows of the recurring work that workers with these roles do."""
    return Chore.objects.filter(name__in=[name for name, work in RECURRING_WORK.items() if work.role in roles])


def create_rows(now: datetime) -> None:
    """Gives each kind of recurring work its row. New ones are due at once."""
    Chore.objects.bulk_create([Chore(name=name, due_at=now) for name in RECURRING_WORK], ignore_conflicts=True)


def balance_due_now(now: datetime) -> None:
    """Has the balance read in the next round, because upstream's webhook says that it is low but not how low."""
    Chore.objects.filter(name="balance", due_at__gt=now).update(due_at=now)

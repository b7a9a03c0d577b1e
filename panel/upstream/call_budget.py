"""Keeps the budget of calls in the database, where all processes share it; panel/notpanel/budget.py decides.

Each change names the version of the row that it was decided on, so that of two at once one decides again. Nothing is
locked, and a process that dies holds nothing back beyond the minute.
"""

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, fields
from datetime import datetime, timedelta

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from panel.notpanel import budget
from panel.notpanel.budget import PURPOSE_OF, Permit, Purpose, Window
from panel.upstream.models import Window as Row

log = logging.getLogger(__name__)

FIELDS = [field.name for field in fields(Window)]
KEPT_FOR = timedelta(days=1)  # windows, for who looks back
WAIT_SECONDS = 0.2  # between questions of a call that waits for its turn

Change = Callable[[Window], Window | None]


def take(purpose: Purpose, now: datetime, *, contested: bool = False) -> Permit | None:
    """Leave for one call; None when this purpose must wait for others, or for the next minute."""
    granted = change(lambda window: budget.take(window, purpose, now, contested=contested), now)
    return Permit(granted.number, purpose) if granted else None


def give_back(permit: Permit, now: datetime) -> None:
    """There was nothing to call about after all."""
    change(lambda window: budget.give_back(window, permit), now)


def settle(permit: Permit, headers: Mapping[str, str], status: int | None, now: datetime) -> None:
    """The call was answered, or will not be any more."""
    said = budget.read(headers, status, now)
    change(lambda window: budget.settle(window, permit, said, now, assumed()), now)


def change(decide: Change, now: datetime) -> Window | None:
    """The window of now as decided; None when that was the decision."""
    while True:
        version, window = current(now)
        if (wanted := decide(window)) is None or wanted == window or replaced(window, version, wanted):
            return wanted


def current(now: datetime) -> tuple[int, Window]:
    """The window of now and its version; opens it when the one before is over."""
    while True:
        row = Row.objects.order_by("-number").first()
        if row is None:
            opened(budget.first(now, assumed()))
        elif budget.is_over(window := Window(**{name: getattr(row, name) for name in FIELDS}), now):
            opened(budget.after(window, now, assumed()))
        else:
            return row.version, window


def assumed() -> budget.Assumed:
    return budget.Assumed(settings.KEY_CALLS_A_MINUTE, settings.IP_CALLS_A_MINUTE)


def opened(window: Window) -> bool:
    """Writes down a window, unless another process has been quicker."""
    try:
        with transaction.atomic():
            Row.objects.create(**asdict(window))
    except IntegrityError:
        return False
    Row.objects.filter(ends_at__lt=window.ends_at - KEPT_FOR).delete()
    return True


def replaced(window: Window, version: int, wanted: Window) -> bool:
    if wanted.number != window.number:
        return opened(wanted)
    as_read = Row.objects.filter(number=window.number, version=version)
    return bool(as_read.update(version=version + 1, **asdict(wanted)))


class Meter:
    """One caller's: holds the permit for its next call, and settles it when the answer is there.

    A worker takes a permit before it takes up work. Whoever calls without one waits for it at the phone.
    """

    def __init__(self) -> None:
        self.permit: Permit | None = None
        self.calls = 0

    def take(self, purpose: Purpose, now: datetime, *, contested: bool = False) -> bool:
        self.permit = take(purpose, now, contested=contested)
        return self.permit is not None

    def give_back(self) -> None:
        """What was taken and not used."""
        if self.permit:
            permit, self.permit = self.permit, None
            give_back(permit, timezone.now())

    def before(self, action: str) -> None:
        """The client asks before each call."""
        self.calls += 1
        while self.permit is None and not self.take(PURPOSE_OF.get(action, Purpose.UPKEEP), timezone.now()):
            time.sleep(WAIT_SECONDS)

    def after(self, headers: Mapping[str, str], status: int | None) -> None:
        """The client tells after each call."""
        if self.permit:
            permit, self.permit = self.permit, None
            try:
                settle(permit, headers, status, timezone.now())
            except Exception:
                # Whatever it is: what upstream answered matters more than this count, and must not be lost with it.
                log.exception("could not settle a call")

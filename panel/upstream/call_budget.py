"""Keeps the budget of calls in the database, where all processes share it; panel/notpanel/budget.py decides.

Each change names the version of the row that it was decided on, so of two processes at once one decides again. Nothing
is locked, and what a process that dies holds back is free again after a minute.
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
from panel.upstream.clock import record_skew
from panel.upstream.models import Window as WindowRow

log = logging.getLogger(__name__)

FIELDS = [field.name for field in fields(Window)]
KEPT_FOR = timedelta(days=1)  # how long windows stay in the database, for people to read
WAIT_SECONDS = 0.2  # until a call that waits for its permit asks again


def take(purpose: Purpose, now: datetime, *, contested: bool = False) -> Permit | None:
    """A permit for one call; None when this purpose must wait for others, or for the next minute."""
    granted = change(lambda window: budget.take(window, purpose, now, contested=contested), now)
    return Permit(granted.number, purpose) if granted else None


def give_back(permit: Permit, now: datetime) -> None:
    """Returns a permit that was not used."""
    change(lambda window: budget.give_back(window, permit), now)


def settle(permit: Permit, headers: Mapping[str, str], status: int | None, now: datetime) -> None:
    """Counts a call as over and corrects the budget by what the answer's headers say. No answer: `status` is None."""
    limits_told = budget.read(headers, status, now)
    change(lambda window: budget.settle(window, permit, limits_told, now, assumed_limits()), now)
    if limits_told.sent_at:
        record_skew(limits_told.sent_at, now)


def change(decide: Callable[[Window], Window | None], now: datetime) -> Window | None:
    """The current window as `decide` changed it, and stored so; None when `decide` returned None."""
    while True:
        version, window = current(now)
        if (decided := decide(window)) is None or decided == window or replace_window(window, version, decided):
            return decided


def current(now: datetime) -> tuple[int, Window]:
    """The version and the state of the current window. Opens it when the last one is over."""
    while True:
        row = WindowRow.objects.order_by("-number").first()
        if row is None:
            open_window(budget.first(now, assumed_limits()))
        elif budget.is_over(window := Window(**{name: getattr(row, name) for name in FIELDS}), now):
            open_window(budget.after(window, now, assumed_limits()))
        else:
            return row.version, window


def assumed_limits() -> budget.Assumed:
    """The settings' calls a minute, for as long as upstream's answers say nothing else."""
    return budget.Assumed(settings.KEY_CALLS_A_MINUTE, settings.IP_CALLS_A_MINUTE)


def open_window(window: Window) -> bool:
    """Stores a new window and deletes old ones. False when another process has stored it already."""
    try:
        with transaction.atomic():
            WindowRow.objects.create(**asdict(window))
    except IntegrityError:
        return False
    WindowRow.objects.filter(ends_at__lt=window.ends_at - KEPT_FOR).delete()
    return True


def replace_window(window: Window, version: int, decided: Window) -> bool:
    """Stores what was decided on this version of a window. False when another process has changed it since."""
    if decided.number != window.number:
        return open_window(decided)
    as_read = WindowRow.objects.filter(number=window.number, version=version)
    return bool(as_read.update(version=version + 1, **asdict(decided)))


class Meter:
    """Holds one client's permit for its next call, and settles it when the answer is there.

    A worker takes a permit before it starts on work. A client that calls without a permit waits for one first.
    """

    def __init__(self) -> None:
        self.permit: Permit | None = None
        self.calls = 0

    def take(self, purpose: Purpose, now: datetime, *, contested: bool = False) -> bool:
        """Takes a permit for the next call. False when there is none for this purpose now."""
        self.permit = take(purpose, now, contested=contested)
        return self.permit is not None

    def give_back(self) -> None:
        """Returns the permit, if one was taken and not used."""
        if self.permit:
            permit, self.permit = self.permit, None
            give_back(permit, timezone.now())

    def before(self, action: str) -> None:
        """Called by the client before each call; returns when there is a permit."""
        self.calls += 1
        while self.permit is None and not self.take(PURPOSE_OF.get(action, Purpose.UPKEEP), timezone.now()):
            time.sleep(WAIT_SECONDS)

    def after(self, headers: Mapping[str, str], status: int | None) -> None:
        """Called by the client after each call, with the answer's headers and HTTP status."""
        if self.permit:
            permit, self.permit = self.permit, None
            try:
                settle(permit, headers, status, timezone.now())
            except Exception:
                # Upstream's answer matters more than this count, and must not be lost with it.
                log.exception("could not settle a call")

"""Keeps the budget of calls in the database, where all processes share it; panel/notpanel/budget.py decides.

Each change names the version of the row that it was decided on, so of two processes at once one decides again. Nothing
is locked, and what a process that dies holds back is free again after a minute.
"""

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, fields
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from django.conf import settings
from django.db import Error, IntegrityError, transaction
from django.utils import timezone

from panel.notpanel import budget
from panel.notpanel.budget import PURPOSE_OF, LimitHeaders, Permit, Purpose, Window
from panel.upstream.clock import COMPARED_EVERY, record_skew
from panel.upstream.models import Window as WindowRow

log = logging.getLogger(__name__)

FIELDS = [field.name for field in fields(Window)]
KEPT_FOR = timedelta(days=1)  # how long windows stay in the database, for people to read
WAIT_SECONDS = 0.2  # until a call that waits for its permit asks again


class Stored(NamedTuple):
    """A window as it stands in the database under this version."""

    version: int
    window: Window


class Granted(NamedTuple):
    """A permit, and the window as it was stored with it."""

    permit: Permit
    stored: Stored


def take(purpose: Purpose, now: datetime, *, contested: bool = False) -> Granted | None:
    """A permit for one call; None when this purpose must wait for others, or for the next minute."""
    stored = change(lambda window: budget.take(window, purpose, now, contested=contested), now)
    return Granted(Permit(stored.window.number, purpose), stored) if stored else None


def give_back(granted: Granted, now: datetime) -> None:
    """Returns a permit that was not used."""
    change(lambda window: budget.give_back(window, granted.permit), now, granted.stored)


def settle(granted: Granted, headers: LimitHeaders, now: datetime) -> None:
    """Counts a call as over and corrects the budget by what the answer's headers say."""
    change(lambda window: budget.settle(window, granted.permit, headers, now, assumed_limits()), now, granted.stored)


def change(decide: Callable[[Window], Window | None], now: datetime, known: Stored | None = None) -> Stored | None:
    """The current window as `decide` changed it, and stored so; None when `decide` returned None.

    `known` is the window as this process left it. Where nobody has changed it since, it need not be read again.
    """
    stored = current(now) if known is None or budget.is_over(known.window, now) else known
    while True:
        decided = decide(stored.window)
        if decided is None or decided == stored.window:
            return None if decided is None else stored
        if replaced := replace_window(stored, decided):
            return replaced
        stored = current(now)


def current(now: datetime) -> Stored:
    """The current window. Opens it when the last one is over."""
    while True:
        row = WindowRow.objects.order_by("-number").first()
        if row is None:
            open_window(budget.first(now, assumed_limits()))
        elif budget.is_over(window := Window(**{name: getattr(row, name) for name in FIELDS}), now):
            open_window(budget.after(window, now, assumed_limits()))
        else:
            return Stored(row.version, window)


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


def replace_window(stored: Stored, decided: Window) -> Stored | None:
    """Stores what was decided on this version of a window. None when another process has changed it since."""
    if decided.number != stored.window.number:
        return Stored(0, decided) if open_window(decided) else None
    was, version = asdict(stored.window), stored.version + 1
    changed = {name: value for name, value in asdict(decided).items() if value != was[name]}
    as_read = WindowRow.objects.filter(number=decided.number, version=stored.version)
    return Stored(version, decided) if as_read.update(version=version, **changed) else None


class Meter:
    """Holds one client's permit for its next call, and settles it when the answer is there.

    A worker takes a permit before it starts on work. A client that calls without a permit waits for one first.
    """

    def __init__(self) -> None:
        self.granted: Granted | None = None
        self.calls = 0
        self.compared_at = datetime.min.replace(tzinfo=UTC)  # the two clocks

    def take(self, purpose: Purpose, now: datetime, *, contested: bool = False) -> bool:
        """Takes a permit for the next call. False when there is none for this purpose now."""
        self.granted = take(purpose, now, contested=contested)
        return self.granted is not None

    def give_back(self) -> None:
        """Returns the permit, if one was taken and not used."""
        if self.granted:
            granted, self.granted = self.granted, None
            give_back(granted, timezone.now())

    def before(self, action: str) -> None:
        """Called by the client before each call; returns when there is a permit."""
        self.calls += 1
        while self.granted is None and not self.take(PURPOSE_OF.get(action, Purpose.UPKEEP), timezone.now()):
            time.sleep(WAIT_SECONDS)

    def after(self, headers: Mapping[str, str], status: int | None) -> None:
        """Called by the client after each call, with the answer's headers and HTTP status."""
        if self.granted:
            granted, self.granted = self.granted, None
            try:
                now = timezone.now()
                limits_told = budget.read(headers, status, now)
                settle(granted, limits_told, now)
                self._compare_clocks(limits_told.sent_at, now)
            except Exception:
                # Upstream's answer matters more than this count, and must not be lost with it.
                log.exception("could not settle a call")

    @contextmanager
    def together(self) -> Iterator[None]:
        """Inside, what is written down about a call is one transaction. No error of the database leaves it."""
        began, mistake = False, None
        try:
            with transaction.atomic():
                began = True
                try:
                    yield
                except Exception as caught:  # what was written down before it stays
                    mistake = caught
        except Error:
            # Upstream's answer matters more than these records, and must not be lost with them.
            log.exception("could not write down what became of a call")
        if not began:
            yield  # each statement by itself, then
        if mistake:
            raise mistake

    def _compare_clocks(self, sent_at: datetime | None, now: datetime) -> None:
        if sent_at and not timedelta() <= now - self.compared_at < COMPARED_EVERY:  # also when ours was set back
            self.compared_at = now
            record_skew(sent_at, now)

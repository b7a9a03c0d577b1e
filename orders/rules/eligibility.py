"""Whether an order may be refilled or cancelled: the reason why not, or "". Every door asks here."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import NamedTuple, Protocol, TypeVar

from django.conf import settings

from orders.rules.statuses import Stage, TaskKind, TaskOutcome
from panel.format.times import clock


class AskedTask(Protocol):
    """What the rules read of a task."""

    @property
    def kind(self) -> str: ...
    @property
    def outcome(self) -> str: ...
    @property
    def asked_by(self) -> object: ...
    @property
    def asked_at(self) -> datetime: ...
    @property
    def known_at(self) -> datetime | None: ...
    @property
    def over_at(self) -> datetime | None: ...
    @property
    def slot(self) -> int | None: ...


class SoldService(Protocol):
    """What the rules read of a service."""

    @property
    def refill(self) -> bool: ...
    @property
    def cancel(self) -> bool: ...


class PlacedOrder(Protocol):
    """What the rules read of an order."""

    @property
    def stage(self) -> Stage: ...
    @property
    def label(self) -> str: ...
    @property
    def service(self) -> SoldService: ...
    @property
    def tasks_newest_first(self) -> Iterable[AskedTask]: ...
    @property
    def refills_elsewhere(self) -> int: ...


AnyOrder = TypeVar("AnyOrder", bound=PlacedOrder)


class Refills(NamedTuple):
    """How an order stands with its refills: `used` counts the pending one too."""

    used: int
    cap: int
    pending: AskedTask | None

    @property
    def left(self) -> int:
        """How many may still be asked for."""
        return max(0, self.cap - self.used)


def refills_of(order: PlacedOrder) -> Refills:
    """Counted from the order's tasks. With `for_table` or `in_rows` a page of rows costs no further query."""
    asked = [task for task in order.tasks_newest_first if task.kind == TaskKind.REFILL]
    pending = next((task for task in asked if task.over_at is None), None)
    used = sum(task.slot is not None for task in asked) + order.refills_elsewhere
    return Refills(used, settings.REFILLS_PER_ORDER, pending)


def pending_cancel(order: PlacedOrder) -> AskedTask | None:
    """The order's cancel whose end nobody knows yet."""
    cancels = (task for task in order.tasks_newest_first if task.kind == TaskKind.CANCEL)
    return next((task for task in cancels if task.over_at is None), None)


def why_no_refill(order: PlacedOrder) -> str:
    """The supplier's rules: completed or partial, the service's flag, one pending at a time, and the cap."""
    refills = refills_of(order)
    if not order.stage.refill:
        return f"Only completed or partial orders can be refilled; this one stands at “{order.label}”."
    if not order.service.refill:
        return "Its service has no refill."
    if refills.pending:
        return f"{refills.used - 1} of {refills.cap} used; {of_pending(refills.pending)}"
    if not refills.left:
        return f"All {refills.cap} refills are used." if refills.cap else "Refills are switched off at this desk."
    return ""


def why_no_cancel(order: PlacedOrder) -> str:
    """Before it is sent it is only withdrawn; a pending one always may, one in flight by the service's flag."""
    if asked := pending_cancel(order):
        return f"Cancel was asked for by {asked.asked_by} at {clock(asked.asked_at)}; {of_cancel(asked)}"
    may = order.stage.cancel
    if may == "yes":
        return ""
    if may == "flag":
        return "" if order.service.cancel else "Its service cannot be cancelled once it is in flight."
    return may


def of_pending(task: AskedTask) -> str:
    """What is known of a pending refill."""
    who, asked = f"asked for by {task.asked_by}", clock(task.asked_at)
    if task.outcome == TaskOutcome.DONE:
        return f"one is pending since {clock(task.known_at or task.asked_at)}, {who}."
    if task.outcome == TaskOutcome.UNCLEAR:
        return f"one was {who} at {asked}, and no clear answer came back."
    return f"one was {who} at {asked}; upstream has not answered yet."


def of_cancel(task: AskedTask) -> str:
    if task.outcome == TaskOutcome.DONE:
        return "upstream took the request, and a later status tells whether it holds."
    if task.outcome == TaskOutcome.UNCLEAR:
        return "no clear answer came back, and the next status tells what became of it."
    return "upstream has not answered yet."


WHY_NOT: dict[str, Callable[[PlacedOrder], str]] = {TaskKind.REFILL: why_no_refill, TaskKind.CANCEL: why_no_cancel}


def sorted_by_rule(kind: str, orders: Iterable[AnyOrder]) -> dict[str, list[AnyOrder]]:
    """Orders by the reason why not; those that may are under ""."""
    found: dict[str, list[AnyOrder]] = {"": []}
    for order in orders:
        found.setdefault(WHY_NOT[kind](order), []).append(order)
    return found

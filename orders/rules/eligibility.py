"""Whether an order may be refilled or cancelled: the reason why not, or "". Every door asks here."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, NamedTuple

from django.conf import settings

from orders.tasks import Task
from panel.format.times import clock

if TYPE_CHECKING:
    from orders.models import Order


class Refills(NamedTuple):
    """How an order stands with its refills: `used` counts the pending one too."""

    used: int
    cap: int
    pending: Task | None

    @property
    def left(self) -> int:
        return max(0, self.cap - self.used)


def refills_of(order: "Order") -> Refills:
    """From the order's tasks, so that with `for_table` or `in_rows` a page of rows costs no further query."""
    asked = [task for task in order.wishes if task.kind == Task.Kind.REFILL]
    pending = next((task for task in asked if task.over_at is None), None)
    used = sum(task.slot is not None for task in asked) + order.refills_elsewhere
    return Refills(used, settings.REFILLS_PER_ORDER, pending)


def cancel_of(order: "Order") -> Task | None:
    """The cancel of which nobody knows yet what becomes."""
    return next((task for task in order.wishes if task.kind == Task.Kind.CANCEL and task.over_at is None), None)


def why_no_refill(order: "Order") -> str:
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


def why_no_cancel(order: "Order") -> str:
    """Before it is sent it is only withdrawn; a pending one always may, one in flight by the service's flag."""
    if asked := cancel_of(order):
        return f"Cancel was asked for by {asked.asked_by} at {clock(asked.asked_at)}; {of_cancel(asked)}"
    may = order.stage.cancel
    if may == "yes":
        return ""
    if may == "flag":
        return "" if order.service.cancel else "Its service cannot be cancelled once it is in flight."
    return may


def of_pending(task: Task) -> str:
    """What is known of a pending refill."""
    who, asked = f"asked for by {task.asked_by}", clock(task.asked_at)
    if task.outcome == Task.Outcome.DONE:
        return f"one is pending since {clock(task.known_at or task.asked_at)}, {who}."
    if task.outcome == Task.Outcome.UNCLEAR:
        return f"one was {who} at {asked}, and no clear answer came back."
    return f"one was {who} at {asked}; upstream has not answered yet."


def of_cancel(task: Task) -> str:
    if task.outcome == Task.Outcome.DONE:
        return "upstream took the request, and a later status tells whether it holds."
    if task.outcome == Task.Outcome.UNCLEAR:
        return "no clear answer came back, and the next status tells what became of it."
    return "upstream has not answered yet."


WHY_NOT: dict[str, Callable[["Order"], str]] = {Task.Kind.REFILL: why_no_refill, Task.Kind.CANCEL: why_no_cancel}


def sorted_by_rule(kind: str, orders: Iterable["Order"]) -> dict[str, list["Order"]]:
    """Orders by the reason why not; those that may are under ""."""
    found: dict[str, list[Order]] = {"": []}
    for order in orders:
        found.setdefault(WHY_NOT[kind](order), []).append(order)
    return found

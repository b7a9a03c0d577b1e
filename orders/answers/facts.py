"""The facts of an order that a customer may be told: the situation that it is in, and the values for a text."""

from datetime import datetime

from orders.answers.template import one_line
from orders.models import Order, Task
from orders.models.order import SHOWN_STATUSES
from orders.rules.eligibility import pending_cancel, refills_of, why_no_cancel, why_no_refill
from orders.rules.statuses import LIFE, Status
from panel.format.numbers import number
from panel.format.times import local, zone_at

Kind, Outcome, Settled = Task.Kind, Task.Outcome, Task.Settled


# ── The situation ────────────────────────────────────────────────────────────────────────────────
def situation_of(order: Order, asked: str = "") -> str:
    """The key in SITUATIONS of what to tell the customer, who wanted what `asked` names: a kind of task, or ""."""
    if pending_cancel(order):
        return "cancel_asked"
    if order.stage.refill and (refill := refills_of(order).pending):
        return "refill_pending" if refill.outcome == Outcome.DONE else "refill_asked"
    if asked == Kind.REFILL:
        return _no_refill(order) or status_situation(order)
    if asked == Kind.CANCEL:
        return _no_cancel(order) or status_situation(order)
    return _last_answer(order) or status_situation(order)


def status_situation(order: Order) -> str:
    """The situation that the status alone tells of."""
    shown = order.shown_status
    if order.late_since and order.stage.live:
        return "late"
    # Due in books that may be old: it may have been sent before they were, so nothing is claimed.
    if order.confirming and order.placing_task and order.placing_task.maybe_sent:
        return Status.REVIEW
    return shown if shown in LIFE or shown in SHOWN_STATUSES else "other"


def _no_refill(order: Order) -> str:
    """Why a customer who wants a refill gets none now; "" where the status says it."""
    if order.stage.live:
        return "no_refill_unfinished"
    if not order.stage.refill:
        return ""
    refills = refills_of(order)
    if not order.service.refill or not refills.cap:
        return "no_refill_service"
    if not refills.left:
        return "no_refill_left"
    last = _last_of(order, Kind.REFILL)
    if why_no_refill(order) or _was_refused(last):
        return "refill_refused"
    return "" if last else "left_out"  # of a refill that is over, the status says all


def _no_cancel(order: Order) -> str:
    """Why a customer who wants a cancel gets none now; "" where the status says it."""
    if order.status == Status.CANCELLED:
        return "cancel_agreed"
    if order.stage.live:
        refused = why_no_cancel(order) or _was_refused(_last_of(order, Kind.CANCEL))
        return "cancel_refused" if refused else "left_out"
    return "cancel_too_late" if order.status == Status.COMPLETED else ""


def _last_answer(order: Order) -> str:
    """What became of the last refill or cancel, while it still says more than the status does; else ""."""
    last = next((task for task in order.tasks_newest_first if task.kind in Task.AFTERSALE), None)
    if last is None:
        return ""
    if last.kind == Kind.REFILL:
        return "refill_refused" if _was_refused(last) and order.stage.refill else ""
    if order.status == Status.CANCELLED and last.over_how == Settled.AGREED:
        return "cancel_agreed"
    if last.over_how == Settled.DELIVERED and order.status == Status.COMPLETED:
        return "cancel_too_late"
    return "cancel_refused" if _was_refused(last) and order.stage.live else ""


def _last_of(order: Order, kind: str) -> Task | None:
    return next((task for task in order.tasks_newest_first if task.kind == kind), None)


def _was_refused(task: Task | None) -> bool:
    return task is not None and (task.outcome == Outcome.REFUSED or task.over_how == Settled.REFUSED)


# ── The values ───────────────────────────────────────────────────────────────────────────────────
def values_of(order: Order, situation: str, written: str = "") -> dict[str, str]:
    """The value of each placeholder but `which`, "" where it is not known. No money, and no word of upstream's."""
    task = _last_of(order, Kind.CANCEL if situation.startswith("cancel") else Kind.REFILL)
    delivered = order.delivered
    return {
        "order": str(order.pk),
        "link": one_line(order.link),
        "service": one_line(order.service.name),
        "quantity": number(order.total),
        "written": one_line(written) or str(order.pk),
        "reference": one_line(order.customer_reference),
        "delivered": "" if delivered is None else number(delivered),
        "remains": "" if delivered is None else number(order.total - delivered),
        "checked": moment(order.checked_at),
        "asked": moment(task.asked_at if task else None),
    }


def moment(at: datetime | None) -> str:
    """A moment as it is read in any language: `2026-11-02 14:02 UTC`. "" for None."""
    return f"{local(at):%Y-%m-%d %H:%M} {zone_at(at)}" if at else ""

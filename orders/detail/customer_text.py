"""Words to copy for the customer: short, true, and made of facts alone."""

from datetime import datetime

from orders.models import Order, Task
from orders.rules.statuses import Status
from panel.format.numbers import number
from panel.format.times import clock

Kind, Outcome, Settled = Task.Kind, Task.Outcome, Task.Settled

# By `shown_status`. {done}, {total} and {at} are upstream's figures and when we asked for them.
OF_STATUS = {
    "queued":      "Your order of {total} is written down; the supplier has not been asked yet.",
    "confirming":  "Your order of {total} was sent; the supplier’s answer was lost, so we are asking again.",
    "unfunded":    "Your order of {total} is written down and waits on our side; the supplier has not taken it yet.",
    "taken":       "The supplier has taken your order of {total} and has not reported on it yet.",
    "review":      "We are finding out whether the supplier has taken your order of {total}.",
    "rejected":    "Your order of {total} was not placed.",
    "withdrawn":   "Your order of {total} was withdrawn before it was sent.",
    "closed":      "Your order of {total} was not placed.",
    "pending":     "The supplier has accepted your order of {total} and has not started it, as of {at}.",
    "processing":  "The supplier is processing your order of {total}, as of {at}.",
    "in_progress": "Your order is in progress: {done} of {total} delivered, as of {at}.",
    "completed":   "Your order of {total} is completed, the supplier says.",
    "partial":     "Your order ended partly delivered: {done} of {total}, the supplier says.",
    "cancelled":   "Your order of {total} is cancelled, the supplier says.",
    "refunded":    "The delivery of your order of {total} failed, and the supplier has refunded it.",
}  # fmt: skip
NO_FIGURE = {
    "in_progress": "Your order of {total} is in progress, as of {at}.",
    "partial": "Your order of {total} ended partly delivered, the supplier says.",
}
UNKNOWN = "The supplier’s last word on your order of {total} was “{word}”, as of {at}."


def for_customer(order: Order) -> str:
    """How the order stands, and what became of the last thing asked for it."""
    return " ".join(filter(None, [of_status(order), of_cancel(order), of_refill(order)]))


def of_status(order: Order) -> str:
    shown = order.shown_status
    words = NO_FIGURE.get(shown, "") if order.delivered is None else ""
    words = words or OF_STATUS.get(shown, UNKNOWN)
    done = number(order.delivered) if order.delivered is not None else ""
    at = clock(order.reported_at) if order.reported_at else "now"
    return words.format(total=number(order.total), done=done, at=at, word=order.status)


def newest(order: Order, kind: str) -> Task | None:
    return max((task for task in order.tasks.all() if task.kind == kind), key=lambda task: task.pk, default=None)


def of_cancel(order: Order) -> str:
    task = newest(order, Kind.CANCEL)
    if task is None or order.status == Status.CANCELLED:
        return ""
    asked = f"Your cancel was requested at {clock(task.asked_at)}; "
    if task.over_how == Settled.REFUSED:
        return f"{asked}the supplier refused it: “{task.answer}”"
    if task.over_how in (Settled.DELIVERED, Settled.OTHERWISE):
        return f"{asked}it came too late."
    if task.over_at:
        return ""
    if task.outcome == Outcome.DONE:
        return f"{asked}the supplier has taken the request and has not confirmed it yet."
    return f"{asked}the supplier has not answered yet."


def of_refill(order: Order) -> str:
    task = newest(order, Kind.REFILL)
    if task is None:
        return ""
    asked = f"A refill was requested at {clock(task.asked_at)}; "
    if task.over_how == Settled.REFUSED:
        return f"{asked}the supplier refused it: “{task.answer}”"
    if task.over_at:
        return ""
    if task.outcome == Outcome.DONE:
        return f"{asked}the supplier accepted it{at(task.known_at)} and has not said that it is done."
    return f"{asked}the supplier has not answered yet."


def at(moment: datetime | None) -> str:
    return f" at {clock(moment)}" if moment else ""

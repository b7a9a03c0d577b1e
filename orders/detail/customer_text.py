"""Text to copy for the customer: short, true, and made of facts alone."""

from orders.models import Order, Task
from orders.rules.statuses import Status
from panel.format.numbers import number
from panel.format.times import clock

Kind, Outcome, Settled = Task.Kind, Task.Outcome, Task.Settled

# By `shown_status`. {total} and {done} are units; {done} is upstream's figure, and {at} is when we asked for it.
STATUS_TEXTS = {
    "queued":      "Your order of {total} is written down; the supplier has not taken it yet.",
    "confirming":  "Your order of {total} was sent; the supplier has not answered clearly yet, so we are asking again.",
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
STATUS_TEXTS_WITHOUT_FIGURE = {
    "in_progress": "Your order of {total} is in progress, as of {at}.",
    "partial": "Your order of {total} ended partly delivered, the supplier says.",
}
UNKNOWN_STATUS_TEXT = "The supplier’s last word on your order of {total} was “{status}”, as of {at}."


def for_customer(order: Order) -> str:
    """How the order stands, then what became of the last cancel and of the last refill asked for, in sentences."""
    texts = filter(None, [status_text(order), task_text(order, Kind.CANCEL), task_text(order, Kind.REFILL)])
    return " ".join(texts).replace("” A refill was", "”. A refill was")  # upstream’s words may end without a full stop


def status_text(order: Order) -> str:
    """How the order stands, in a sentence; without a figure where upstream has told none that makes sense."""
    texts = STATUS_TEXTS | (STATUS_TEXTS_WITHOUT_FIGURE if order.delivered is None else {})
    unsure = order.confirming and order.placing_task and order.placing_task.maybe_sent
    return texts.get("review" if unsure else order.shown_status, UNKNOWN_STATUS_TEXT).format(
        total=number(order.total),
        done=number(order.delivered or 0),
        at=clock(order.checked_at) if order.checked_at else "now",
        status=order.status,
    )


def task_text(order: Order, kind: str) -> str:
    """What became of the order's last cancel or refill, in a sentence; "" when the status says it all."""
    task = next((task for task in order.tasks_newest_first if task.kind == kind), None)
    is_cancel = kind == Kind.CANCEL
    if task is None or (is_cancel and order.status == Status.CANCELLED):
        return ""
    if task.over_how == Settled.REFUSED:
        answer = f"the supplier refused it: “{task.answer}”"
    elif task.over_how in (Settled.DELIVERED, Settled.OTHERWISE):  # cancels alone come to such an end
        answer = "it came too late."
    elif task.over_at:
        return ""
    elif task.outcome != Outcome.DONE:
        answer = "the supplier has not answered yet."
    elif is_cancel:
        answer = "the supplier has taken the request and has not confirmed it yet."
    else:
        accepted_at = f" at {clock(task.known_at)}" if task.known_at else ""
        answer = f"the supplier accepted it{accepted_at} and has not said that it is done."
    return f"{'Your cancel' if is_cancel else 'A refill'} was requested at {clock(task.asked_at)}; {answer}"

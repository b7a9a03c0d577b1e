"""What is known about an order's tries: each of them, and the balance before and after, for whoever must judge."""

from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from accounts.models import BalanceReading
from orders.aftersale.states import state_note, state_of
from orders.detail.customer_text import for_customer
from orders.following.anomalies import anomalies_of
from orders.models import Attempt, Order, Task
from orders.placing.funding import BALANCE_LAG
from orders.placing.review import undecided, why_not_again
from orders.rules.statuses import Status

TRIES_SHOWN = 50  # newest first


class Evidence(NamedTuple):
    """Two readings of the balance, the last before the first try and the first after the last one."""

    before: BalanceReading
    after: BalanceReading
    others: int  # orders that upstream took in between
    others_cost: Decimal  # what those cost in USD, by upstream's charge or our estimate

    @property
    def moved(self) -> Decimal:
        """How much less there is."""
        return self.before.amount - self.after.amount

    @property
    def unexplained(self) -> Decimal:
        """What the other orders do not account for."""
        return self.moved - self.others_cost


def evidence_context(order: Order) -> dict[str, object]:
    """What `_order.html` wants beside the order itself."""
    task = order.placing_task
    tries = list(task.tries.order_by("-id")) if task else []
    review = order.status == Status.REVIEW
    adopted = order.status == Status.QUEUED and bool(task and task.outcome == Task.Outcome.ADOPTED)
    undecided_now = review or (adopted and undecided().filter(pk=order.pk).exists())
    return {
        "task": task,
        "asked": [
            (wish, state_of(wish), state_note(wish)) for wish in order.tasks.all() if wish.kind in Task.AFTERSALE
        ],
        "customer_text": for_customer(order),
        "anomalies": anomalies_of(order),
        "tries": tries[:TRIES_SHOWN],
        "earlier_tries": len(tries[TRIES_SHOWN:]),
        "undecided": undecided_now,
        "why_not_again": why_not_again(order) if undecided_now else "",
        "evidence": evidence(order, tries[-1].began_at, last_end(tries)) if review and tries else None,
    }


def last_end(tries: list[Attempt]) -> datetime:
    return max(attempt.ended_at or attempt.began_at for attempt in tries)


def evidence(order: Order, first: datetime, last: datetime) -> Evidence | None:
    """The balance around the tries; None while one of the two readings is missing or they are of other money."""
    before = BalanceReading.objects.filter(first_asked_at__lte=first).first()
    after = BalanceReading.objects.filter(asked_at__gt=last + BALANCE_LAG).order_by("id").first()
    if before is None or after is None or before.currency != after.currency:
        return None
    since, until = min(before.asked_at, first), max(after.first_asked_at, last)
    taken = Order.objects.filter(
        tasks__kind=Task.Kind.PLACE, tasks__settled_at__gt=since, tasks__settled_at__lte=until,
        tasks__outcome=Task.Outcome.DONE,
    ).exclude(pk=order.pk)  # fmt: skip
    costs = [charge or expected for charge, expected in taken.values_list("charge", "expected_charge")[:1000]]
    return Evidence(before, after, len(costs), sum(costs, Decimal(0)))

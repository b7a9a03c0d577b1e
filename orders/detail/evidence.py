"""What a person needs to judge an order: each try to send it, and the balance before and after the tries."""

from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from accounts.models import BalanceReading
from orders.aftersale.states import state_note, state_of
from orders.approvals.decide import why_not_send
from orders.following.anomalies import anomalies_of
from orders.models import Attempt, Order, Task
from orders.models.task import IS_PLACED
from orders.placing.funding import BALANCE_LAG
from orders.placing.review import undecided, why_not_again
from orders.rules.statuses import Status

TRIES_SHOWN = 50  # newest first
BALANCE_MARK = "b"  # in the version of a page that shows the balance after the tries
OTHER_ORDERS_READ = 1_000  # that upstream took between the two readings of the balance


class Evidence(NamedTuple):
    """Two readings of the balance: the last before the first try, and the first after the last try.

    Either may be missing. The rest is told only where `comparable`.
    """

    before: BalanceReading | None
    after: BalanceReading | None
    others: int = 0  # orders that upstream took in between
    others_cost: Decimal = Decimal(0)  # what these others cost in USD, by upstream's charge or our estimate

    @property
    def comparable(self) -> bool:
        """Whether both are known, in one currency."""
        return bool(self.before and self.after and self.before.currency == self.after.currency)

    @property
    def moved(self) -> Decimal:
        """By how much the balance fell, in its own currency; 0 where the two cannot be compared."""
        return self.before.amount - self.after.amount if self.before and self.after and self.comparable else Decimal(0)

    @property
    def unexplained(self) -> Decimal:
        """The part of the fall that the other orders do not account for."""
        return self.moved - self.others_cost


def evidence_context(order: Order, reader: Any) -> dict[str, object]:
    """The part of the page's context that tells of tasks, tries and anomalies, and what the reader may decide."""
    task = order.placing_task
    tries = list(task.tries.order_by("-id")) if task else []
    in_review = order.status == Status.REVIEW
    adopted = order.status == Status.QUEUED and bool(task and task.outcome == Task.Outcome.ADOPTED)
    is_undecided = in_review or (adopted and undecided().filter(pk=order.pk).exists())
    return {
        "task": task,
        "asked": [
            (aftersale, state_of(aftersale), state_note(aftersale))
            for aftersale in order.tasks.all()
            if aftersale.kind in Task.AFTERSALE
        ],
        "anomalies": anomalies_of(order),
        "tries": tries[:TRIES_SHOWN],
        "earlier_tries": len(tries[TRIES_SHOWN:]),
        "undecided": is_undecided,
        "why_not_again": (why_not_again(order) or why_not_send(order, reader)) if is_undecided else "",
        "evidence": evidence(order, tries) if is_undecided and tries else None,
    }


def evidence(order: Order, tries: list[Attempt]) -> Evidence:
    """The balance around these tries (newest first), and what else was bought in between."""
    first, last = tries[-1].began_at, max(attempt.ended_at or attempt.began_at for attempt in tries)
    found = Evidence(BalanceReading.objects.at(first), balance_after(last))
    before, after = found.before, found.after
    if before is None or after is None or not found.comparable:
        return found
    since, until = min(before.asked_at, first), max(after.first_asked_at, last)
    placed = Task.objects.filter(IS_PLACED, settled_at__gt=since, settled_at__lte=until).exclude(order=order)
    charges = placed.order_by().values_list("order__charge", "order__expected_charge")[:OTHER_ORDERS_READ]
    costs = [charge or expected for charge, expected in charges]
    return Evidence(before, after, len(costs), sum(costs, Decimal(0)))


def balance_after(last: datetime) -> BalanceReading | None:
    """The first reading that surely tells what a try at `last` cost, or None while there is none."""
    return BalanceReading.objects.filter(asked_at__gt=last + BALANCE_LAG).order_by("asked_at", "id").first()


def evidence_version(order: Order) -> str:
    """A text that changes when the balance is read for the first time after the tries of an order in review."""
    if order.status != Status.REVIEW or order.placing_task is None:
        return ""
    last = order.placing_task.tries.order_by("-id").first()
    return BALANCE_MARK if last and balance_after(last.ended_at or last.began_at) else ""

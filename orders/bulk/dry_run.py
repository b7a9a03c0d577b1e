"""What would become of each selected order if the job were started now."""

from collections.abc import Callable
from typing import NamedTuple

from orders.bulk.selection import CANCEL, ORDERS_AT_ONCE, REFILL, Selection, orders_for_rule
from orders.models import Order
from orders.rules.eligibility import WHY_NOT, pending_cancel
from panel.ops.database import batches


class Group(NamedTuple):
    """Orders that fare alike. `asked`: something happens to them; `lines` are (order, the rule's sentence)."""

    words: str
    is_asked: bool
    lines: list[tuple[Order, str]]


class DryRun(NamedTuple):
    """What would become of each picked order. The groups add up to `picked`."""

    picked: int
    groups: list[Group]

    @property
    def asked(self) -> int:
        return sum(len(group.lines) for group in self.groups if group.is_asked)


# Why not, by kind: the first that fits says it, in words after a number. The rule itself says whether.
Reasons = dict[str, Callable[[Order], bool]]
LEFT_OUT: dict[str, Reasons] = {
    REFILL: {
        "not completed or partial": lambda order: not order.stage.refill,
        "not allowed by their service": lambda order: not order.service.refill,
        "pending": lambda order: order.refills.pending is not None,
        "used up": lambda order: not order.refills.left,
    },
    CANCEL: {
        "asked for already": lambda order: pending_cancel(order) is not None,
        "in flight, and not allowed by their service": lambda order: order.stage.cancel == "flag",
        "need a look first": lambda order: bool(order.stage.then),
        "over already": lambda order: True,
    },
}
OTHERWISE = "left out for another reason"


def dry_run(picked: Selection) -> DryRun:
    """What would become of these orders, if it were pressed now."""
    asked: dict[str, list[tuple[Order, str]]] = {"will be asked": [], "withdrawn at once: they were never sent": []}
    left_out: dict[str, list[tuple[Order, str]]] = {words: [] for words in (*LEFT_OUT[picked.kind], OTHERWISE)}
    will, at_once = asked
    for pks in batches(picked.orders, ORDERS_AT_ONCE):
        for order in orders_for_rule(pks):
            if why := WHY_NOT[picked.kind](order):
                left_out[reason_of(picked.kind, order)].append((order, why))
            else:
                asked[at_once if only_withdrawn(picked.kind, order) else will].append((order, ""))
    groups = [Group(words, True, lines) for words, lines in asked.items() if lines]
    groups += [Group(words, False, lines) for words, lines in left_out.items() if lines]
    return DryRun(len(picked.orders), groups)


def reason_of(kind: str, order: Order) -> str:
    return next((words for words, fits in LEFT_OUT[kind].items() if fits(order)), OTHERWISE)


def only_withdrawn(kind: str, order: Order) -> bool:
    """A cancel of an order that upstream cannot have is no request: it is taken back."""
    return kind == CANCEL and bool(order.placing_task and order.placing_task.unsent)

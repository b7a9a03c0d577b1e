"""What would happen to each selected order if the job were started now."""

from collections.abc import Callable
from typing import NamedTuple

from orders.bulk.selection import BATCH_ORDERS, CANCEL, REFILL, Selection, orders_for_rule
from orders.models import Order
from orders.rules.eligibility import WHY_NOT, pending_cancel, ruled_out
from panel.ops.database import batches

ASKED, WITHDRAWN, OTHERWISE = "will be asked", "withdrawn at once: they were never sent", "left out for another reason"
# For an order that the rule refuses: by kind, the first of these that is true names its group, after a number. The
# rule itself decides whether the order is refused.
LEFT_OUT: dict[str, dict[str, Callable[[Order], bool]]] = {
    REFILL: {
        "not completed or partial": lambda order: not order.stage.refill,
        "not allowed by their service": lambda order: not order.service.refill,
        "pending": lambda order: order.refills.pending is not None,
        "used up": lambda order: not order.refills.left,
        "refused for good by the supplier": lambda order: bool(ruled_out(order, REFILL)),
    },
    CANCEL: {
        "asked for already": lambda order: pending_cancel(order) is not None,
        "in flight, and not allowed by their service": lambda order: order.stage.cancel == "flag",
        "to be looked at first": lambda order: bool(order.stage.then),
        "over already": lambda order: True,
    },
}


Lines = list[tuple[Order, str]]  # orders, each with the rule's reason to leave it out, or ""


class Group(NamedTuple):
    """Orders to which the same would happen."""

    words: str
    is_asked: bool  # False: the rule leaves them out
    lines: Lines


class ApartLine(NamedTuple):
    """An order that is asked only if a person ticks it: the words around its number, and the rule's reason or ""."""

    order: Order
    words: str
    why: str


class DryRun(NamedTuple):
    """What would happen to each selected order. Every order is in one group."""

    picked: int
    groups: list[Group]
    apart: list[ApartLine]

    @property
    def most_asked(self) -> int:
        """How many orders would be asked of if every order that stands apart were ticked, too."""
        return self.asked + sum(not line.why for line in self.apart)

    @property
    def asked(self) -> int:
        """How many orders would be asked of, withdrawals included."""
        return sum(len(group.lines) for group in self.groups if group.is_asked)


def dry_run(selection: Selection) -> DryRun:
    """What the rule says of these orders now."""
    lines: dict[str, Lines] = {words: [] for words in (ASKED, WITHDRAWN, *LEFT_OUT[selection.kind], OTHERWISE)}
    for pks in batches(selection.orders, BATCH_ORDERS):
        for order in orders_for_rule(pks):
            why = WHY_NOT[selection.kind](order)
            lines[group_words(selection.kind, order, why)].append((order, why))
    groups = [Group(words, words in (ASKED, WITHDRAWN), orders) for words, orders in lines.items() if orders]
    words_of = dict(selection.apart)
    apart_orders = orders_for_rule(words_of)
    apart = [ApartLine(order, words_of[order.pk], WHY_NOT[selection.kind](order)) for order in apart_orders]
    return DryRun(len(selection.orders), groups, apart)


def group_words(kind: str, order: Order, why: str) -> str:
    """The words of the order's group; `why` is the rule's reason to leave it out, or ""."""
    if why:
        return next((words for words, fits in LEFT_OUT[kind].items() if fits(order)), OTHERWISE)
    # A cancel of an order that upstream cannot have is no request: the order is withdrawn.
    return WITHDRAWN if kind == CANCEL and order.unsent else ASKED

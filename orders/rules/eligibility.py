"""Why an order may not be refilled or cancelled, or "", and what a person is asked before. For every page and job."""

import re
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, NamedTuple, Protocol, TypeVar

from django.conf import settings

from catalog.models import Service
from orders.rules.statuses import Stage, Status, TaskKind, TaskOutcome
from panel.format.numbers import number
from panel.format.times import clock

# What is known of a pending cancel, by its task's outcome.
CANCEL_SO_FAR: dict[str, str] = {
    TaskOutcome.DONE: "the supplier accepted the request, and a later status shows whether it worked.",
    TaskOutcome.UNCLEAR: "there was no clear answer, and the next status will show.",
}


REFUSAL_CHARACTERS = 200  # of upstream's words within a sentence
# Refusals that stay: the service has no such thing, or its time is over. Documented are “Service does not support
# refills” and “Service does not support cancellation”; the others are assumed spellings of the same.
_THINGS = {
    TaskKind.REFILL: r"(re-?fill(s|able|ing)?|guarantees?|warranty)\b",
    TaskKind.CANCEL: r"cancel(s|l?able|l?ations?|l?ing)?\b",
}
_NOT = r"\b(not|\w+n['’]t|never|no longer|un)[ -]?"
_GIVEN = r"(support|offer|allow|provid|includ|eligible|possible|available)\w*"
NEVER: dict[str, re.Pattern[str]] = {
    kind: re.compile(
        rf"{_NOT}{_GIVEN}[^.]*\b{thing}|\b{thing}[^.]*({_NOT}(be )?{_GIVEN}|\b(disabled|expired|is over|has ended)\b)"
        rf"|\b(no|not|without|non)[ -]{thing}|\b(disabled|expired) {thing}",
        re.IGNORECASE,
    )
    for kind, thing in _THINGS.items()
}
# …unless they say that it may go later, or for another state of the order.
NOT_YET = re.compile(
    r"\b(yet|later|until|before|wait|try again|already|pending|only|currently|at the moment|temporar\w+|limit\w*"
    r"|maintenance|within|hours?|minutes?|for \d+)\b",
    re.IGNORECASE,
)


class AskedTask(Protocol):
    """What the rules read of a task."""

    @property
    def kind(self) -> str:
        """A TaskKind."""

    @property
    def outcome(self) -> str:
        """A TaskOutcome, or "" while upstream has not answered."""

    @property
    def asked_by(self) -> object:
        """The person, whose `str` is the name that sentences show."""

    @property
    def asked_at(self) -> datetime:
        """When the person asked, which may be long before it is sent."""

    @property
    def answer(self) -> str:
        """Upstream's sentence where it refused."""

    @property
    def settled_at(self) -> datetime | None:
        """When upstream answered, or None while it has not."""

    @property
    def known_at(self) -> datetime | None:
        """When upstream last let us know that it has it."""

    @property
    def over_at(self) -> datetime | None:
        """Since when it is no longer pending, or None while it is."""

    @property
    def slot(self) -> int | None:
        """Which of the order's refills it is, from 1 on; None for other kinds and for refused refills."""


class PlacedOrder(Protocol):
    """What the rules read of an order."""

    @property
    def pk(self) -> Any:
        """Its number, as people know it."""

    @property
    def status(self) -> str:
        """A Status, or a word that the desk does not know."""

    @property
    def confirming(self) -> bool:
        """Whether it was sent and no clear answer came."""

    @property
    def delivered(self) -> int | None:
        """Units delivered, or None while upstream has not said."""

    @property
    def total(self) -> int:
        """Units over all runs."""

    @property
    def stage(self) -> Stage:
        """What its status allows."""

    @property
    def label(self) -> str:
        """The word that the screen shows for its status."""

    @property
    def service(self) -> Service:
        """The service that it was placed with; its `refill`, `cancel` and `changed_at` are read."""

    @property
    def tasks_newest_first(self) -> Iterable[AskedTask]:
        """Its tasks of all kinds. Each rule reads them once, so that they cost one query at most."""

    @property
    def refills_elsewhere(self) -> int:
        """Refills that upstream counts and the desk did not ask for."""


AnyOrder = TypeVar("AnyOrder", bound=PlacedOrder)


class Refills(NamedTuple):
    """How an order stands with its refills: `used` counts the pending refill too."""

    used: int
    cap: int
    pending: AskedTask | None

    @property
    def left(self) -> int:
        """How many may still be asked for."""
        return max(0, self.cap - self.used)


def refills_of(order: PlacedOrder) -> Refills:
    """Counts the order's refills. Orders read with `for_table` or `fetch_rows` cost no further query."""
    refills = [task for task in order.tasks_newest_first if task.kind == TaskKind.REFILL]
    pending = next((task for task in refills if task.over_at is None), None)
    used = sum(task.slot is not None for task in refills) + order.refills_elsewhere
    return Refills(used, settings.REFILLS_PER_ORDER, pending)


def pending_cancel(order: PlacedOrder) -> AskedTask | None:
    """The order's cancel whose end nobody knows yet, or None."""
    cancels = (task for task in order.tasks_newest_first if task.kind == TaskKind.CANCEL)
    return next((task for task in cancels if task.over_at is None), None)


def why_no_refill(order: PlacedOrder) -> str:
    """Why no refill may be asked for, or "": by status, by the service's flag, one pending at a time, and the cap."""
    refills = refills_of(order)
    if not order.stage.refill:
        return f"Only completed or partial orders can be refilled; this one is “{order.label}”."
    if not order.service.refill:
        return "Its service has no refill."
    if refills.pending:
        # The setting may have been lowered since.
        of_cap = f" of {refills.cap}" * (refills.used <= refills.cap)
        return f"{refills.used}{of_cap} used, of which {_pending_refill_words(refills.pending)}"
    if not refills.left:
        if refills.cap == 1:
            return "Its only refill is used."
        return f"All {refills.cap} refills are used." if refills.cap else "Refills are switched off on this desk."
    return ruled_out(order, TaskKind.REFILL)


def _pending_refill_words(refill: AskedTask) -> str:
    who, asked_at = f"asked for by {refill.asked_by}", clock(refill.asked_at)
    if refill.outcome == TaskOutcome.DONE:
        return f"one is pending since {clock(refill.known_at or refill.asked_at)}, {who}."
    if refill.outcome == TaskOutcome.UNCLEAR:
        return f"one was {who} at {asked_at}, without a clear answer."
    return f"one was {who} at {asked_at}, and the supplier has not answered yet."


def ruled_out(order: PlacedOrder, kind: str) -> str:
    """The sentence for an order whose last refill or cancel upstream refused for good, or "".

    It holds until the catalog says something new of the service: then asking again may be worth it.
    """
    last = next((task for task in order.tasks_newest_first if task.kind == kind), None)
    if last is None or last.outcome != TaskOutcome.REFUSED or not refused_for_good(kind, last.answer):
        return ""
    if last.settled_at is None or order.service.changed_at > last.settled_at:
        return ""
    words = last.answer.strip().rstrip(".")[:REFUSAL_CHARACTERS]
    return f"The supplier refused it for good at {clock(last.settled_at)}: “{words}”."


def refused_for_good(kind: str, words: str) -> bool:
    """Whether upstream's refusal of a refill or cancel says that another one will be refused too."""
    return bool(NEVER[kind].search(words)) and not NOT_YET.search(words)


def why_no_cancel(order: PlacedOrder) -> str:
    """Why no cancel may be asked for, or "". An order in flight needs a service that allows it."""
    if cancel := pending_cancel(order):
        so_far = CANCEL_SO_FAR.get(cancel.outcome, "the supplier has not answered yet.")
        return f"Cancel was asked for by {cancel.asked_by} at {clock(cancel.asked_at)}; {so_far}"
    if order.stage.cancel == "flag":
        if order.service.cancel and (why := ruled_out(order, TaskKind.CANCEL)):
            return why
        return "" if order.service.cancel else "Its service does not allow cancels once the supplier works on it."
    return order.stage.cancel


WHY_NOT: dict[str, Callable[[PlacedOrder], str]] = {TaskKind.REFILL: why_no_refill, TaskKind.CANCEL: why_no_cancel}


def group_by_reason(kind: str, orders: Iterable[AnyOrder]) -> dict[str, list[AnyOrder]]:
    """The orders by the reason why `kind` may not be asked of them; under "" those of which it may."""
    by_reason: dict[str, list[AnyOrder]] = {"": []}
    for order in orders:
        by_reason.setdefault(WHY_NOT[kind](order), []).append(order)
    return by_reason


# ── Asking first ─────────────────────────────────────────────────────────────────────────────────
class Question(NamedTuple):
    """What a person is asked before a refill, a cancel or a withdrawal, and the words on the button for yes."""

    sentence: str
    yes: str


def refill_question(order: PlacedOrder) -> Question:
    """The question before a refill; it says how many are left after it."""
    left = refills_of(order).left - 1
    after = "It is the last one." if left < 1 else f"{left} refill{'s are' if left > 1 else ' is'} left after it."
    return Question(f"Ask for a refill of order {order.pk}? {after}", "Ask for refill")


def cancel_question(order: PlacedOrder) -> Question:
    """The question before a cancel; it says what becomes of what is delivered."""
    if order.confirming:
        then = "The supplier has not confirmed the order yet. It is asked to cancel as soon as it has."
    elif order.status == Status.PENDING:
        then = "The supplier refunds an order that it has not started."
    elif order.delivered is None:
        then = "The supplier decides. What is delivered stays and is charged."
    elif not order.delivered:
        then = "The supplier decides. Nothing is delivered yet."
    else:
        then = f"The supplier decides. What is delivered, {number(order.delivered)} of {number(order.total)}, "
        then += "stays and is charged."
    return Question(f"Ask to cancel order {order.pk}? {then}", "Ask to cancel")


def withdrawal_question(order: PlacedOrder) -> Question:
    """The question before an order is withdrawn that was not sent yet."""
    return Question(f"Withdraw order {order.pk}? It has not been sent, and nothing reaches the supplier.", "Withdraw")

"""What of a night still needs a person, and what colleagues dealt with: one row of SECTIONS is one section of the page.

An order is open in a section while the trouble stands and nobody has done anything about it since it came up: no note,
no assignment, no request, no decision. What somebody did counts for whoever did the last of it.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from accounts.desk_settings import current
from accounts.models import User
from orders.handover.events import ROWS, acts_on, first_event, newest_of
from orders.models import Event, Order, Task
from orders.models.order import ENDED_BADLY
from orders.rules.lateness import late_if_from
from orders.rules.statuses import Status
from panel.format.numbers import number

LOOK_KINDS = ("review", "missing", "doubted", "duplicate", "revived")
ACCEPTED = ("refill_accepted", "refill_adopted", "cancel_taken", "cancel_agreed")
REFUSED = ("refill_refused", "cancel_refused", "cancel_late")
UNCLEAR = ("refill_unclear", "refill_doubted", "cancel_unclear")
WAYS = {"accepted": ACCEPTED, "refused": REFUSED, "unclear": UNCLEAR}
ANSWERS = (*ACCEPTED, *REFUSED, *UNCLEAR)
KINDS = (*LOOK_KINDS, *ANSWERS, "refused")


class Thing(NamedTuple):
    """One order in a section: since when, and which event told of it, if one did."""

    order: Order
    at: datetime
    event: Event | None = None
    by: User | None = None  # who dealt with it; None while it is open
    act: Event | None = None  # what they did


@dataclass
class Section:
    """One section of the page. `rest` says how its sum goes on where more happened than was read."""

    key: str
    title: str
    tone: str  # bad, warn
    nothing: str  # the quiet line of an empty one
    open: list[Any] = field(default_factory=list)
    dealt: list[Any] = field(default_factory=list)
    more: bool = False  # whether more happened than was read
    answers: dict[str, int] = field(default_factory=dict)  # of refills and cancels: how many of each kind

    @property
    def count(self) -> str:
        """How many are open: `4`, or `57+` where more happened than was read."""
        return number(len(self.open)) + "+" * self.more

    @property
    def in_all(self) -> int:
        """How many were read, open or not."""
        return len(self.open) + len(self.dealt)

    def dealt_by(self, user: Any) -> str:
        """Who dealt with how many: `Colleagues dealt with 5 more: Tomás 3, Ana 2`."""
        counts = Counter("you" if thing.by == user else str(thing.by) for thing in self.dealt)
        who = (
            "You and colleagues" if "you" in counts and len(counts) > 1 else "You" if "you" in counts else "Colleagues"
        )
        names = ", ".join(f"{name} {number(count)}" for name, count in counts.most_common())
        return f"{who} dealt with {number(len(self.dealt))}{' more' * bool(self.open)}: {names}"


class Night(NamedTuple):
    """What was read of the time since a moment."""

    since: datetime
    first: int  # the first event
    events: list[Event]  # of KINDS, oldest first
    more: set[str]  # kinds of which there are more


def read_night(since: datetime) -> Night:
    """Reads the events that the sections are made of."""
    first = first_event(since)
    return Night(since, first, *newest_of(KINDS, first, since))


# ── What each section may have: orders, since when, and whether there are more ───────────────────
Candidates = tuple[dict[int, tuple[datetime, Event | None]], bool]


def ended_badly(night: Night) -> Candidates:
    """What the supplier ended short or gave back, and what it refused."""
    ended = Order.objects.filter(ENDED_BADLY, ended_at__gte=night.since).order_by("-ended_at", "-pk")
    rows = list(ended.values_list("pk", "ended_at")[: ROWS + 1])
    found: dict[int, tuple[datetime, Event | None]] = {
        event.order_id: (event.at, event) for event in night.events if event.kind == "refused" and event.order_id
    }
    found |= {pk: (at, None) for pk, at in rows[:ROWS] if at}
    return found, len(rows) > ROWS or "refused" in night.more


def needs_look(night: Night) -> Candidates:
    """What only a person can judge: whether upstream has it, or whether its facts can be true."""
    return newest_each(night, LOOK_KINDS)


def became_late(night: Night) -> Candidates:
    """What is late by its own service's pace, and was not yet."""
    grace = current().late_grace
    became = Order.objects.filter(late_from__gte=night.since - grace, late_from__lte=late_if_from())
    rows = list(became.order_by("-late_from", "-pk").values_list("pk", "late_from")[: ROWS + 1])
    return {pk: (late_from + grace, None) for pk, late_from in rows[:ROWS] if late_from}, len(rows) > ROWS


def answered(night: Night) -> Candidates:
    """Refills and cancels to which an answer came, or none that is clear."""
    return newest_each(night, ANSWERS)


def newest_each(night: Night, kinds: Iterable[str]) -> Candidates:
    """The newest event of these kinds of each order."""
    events = [event for event in night.events if event.kind in kinds and event.order_id]
    return {event.order_id or 0: (event.at, event) for event in events}, not night.more.isdisjoint(kinds)


# ── Which of them still stand ────────────────────────────────────────────────────────────────────
def is_bad_end(thing: Thing) -> bool:
    """Whether the end is bad for us: as the team asked for it is no bad end, nor what goes on again."""
    order = thing.order
    cancels = [task for task in order.tasks.all() if task.kind == Task.Kind.CANCEL]
    if any(task.asked_at <= thing.at for task in cancels):
        return False
    if thing.event:  # refused
        return order.shown_status == Status.REJECTED
    return order.status in (Status.CANCELLED, Status.PARTIAL, Status.REFUNDED)


def still_needs_look(thing: Thing) -> bool:
    """Whether it still waits for a person to judge."""
    return thing.order.status == Status.REVIEW or bool(thing.order.missing_since or thing.order.doubts)


def is_still_late(thing: Thing) -> bool:
    """Whether it is late."""
    return thing.order.late_since is not None


def is_still_unclear(thing: Thing) -> bool:
    """Whether the newest refill or cancel is pending, and upstream's answer to it was lost."""
    pending = (task for task in thing.order.tasks.all() if task.kind in Task.AFTERSALE and task.over_at is None)
    return any(task.outcome == Task.Outcome.UNCLEAR for task in pending)


class Kind(NamedTuple):
    """How a section is made."""

    title: str
    tone: str
    nothing: str
    candidates: Callable[[Night], Candidates]
    stands: Callable[[Thing], bool]


SECTIONS = {
    "badly": Kind("Ended badly", "bad", "No order ended badly.", ended_badly, is_bad_end),
    "look": Kind("Needs a look", "bad", "Nothing new needs a look.", needs_look, still_needs_look),
    "late": Kind("Became late", "warn", "No order became late.", became_late, is_still_late),
    "answers": Kind("Refills and cancels answered", "warn", "No refill or cancel was answered.", answered,
                    is_still_unclear),
}  # fmt: skip


def sections_of(night: Night) -> list[Section]:
    """All sections about orders, worst first: in three queries besides those that find their orders."""
    candidates = {key: kind.candidates(night) for key, kind in SECTIONS.items()}
    wanted = {pk for found, _ in candidates.values() for pk in found}
    orders = {order.pk: order for order in Order.objects.for_table().defer("body", "said").filter(pk__in=wanted)}
    acts = acts_on(wanted, night.first)
    sections = []
    for key, (found, more) in candidates.items():
        kind = SECTIONS[key]
        section = Section(key, kind.title, kind.tone, kind.nothing, more=more)
        if key == "answers":
            section.answers = tally(event.kind for _, event in found.values() if event)
        for pk, (at, event) in sorted(found.items(), key=lambda item: item[1][0], reverse=True):
            if pk in orders:
                sort_in(section, Thing(orders[pk], at, event), kind, acts[pk])
        sections.append(section)
    return sections


def tally(kinds: Iterable[str]) -> dict[str, int]:
    """How many orders were answered in which way, by the newest answer of each."""
    counts = Counter(next(words for words, fitting in WAYS.items() if kind in fitting) for kind in kinds)
    return {words: counts[words] for words in WAYS if counts[words]}


def sort_in(section: Section, thing: Thing, kind: Kind, acts: list[Event]) -> None:
    """Puts a thing among the open ones, or among those that somebody dealt with; nowhere when it settled itself."""
    deal = next((act for act in acts if act.at >= thing.at or (thing.event and act.pk > thing.event.pk)), None)
    if deal:
        section.dealt.append(thing._replace(by=deal.by, act=deal))
    elif kind.stands(thing):
        section.open.append(thing)

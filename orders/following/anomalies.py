"""Facts that surprise: what of an order's latest report a person had better look at. One row a kind of doubt.

Upstream's words are taken as they are; a doubt only says that they are odd. An order keeps the kinds that nobody has
looked at yet, in one column, until somebody has; what stands now is read from the order itself.
"""

from collections.abc import Callable, Iterable
from datetime import timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from orders.models import Event, Order
from orders.rules.charges import ENDED_SHORT, tolerance
from orders.rules.service_types import service_type_of
from orders.rules.statuses import FINAL, LIFE, Status, label, stage
from panel.format.locale import for_the_record
from panel.format.money import is_dollars, money
from panel.format.numbers import decimal, number
from panel.notpanel.shapes import Report, status_word, unread

SECOND_REPORT_AFTER = timedelta(seconds=30)  # until the second look at an order that seems to go on after its end

# How far along a status is; what upstream says next is expected to be further.
STEP_OF_STATUS: dict[str, int] = {
    Status.PENDING: 1,
    Status.PROCESSING: 2,
    Status.IN_PROGRESS: 3,
    **dict.fromkeys(FINAL, 4),
}


class Facts(NamedTuple):
    """What a doubt is about, as upstream last said it."""

    status: str
    charge: Decimal | None
    currency: str
    remains: int | None
    said: dict[str, Any]


class AnomalyKind(NamedTuple):
    """One kind of doubt."""

    label: str  # for a row of the list
    facts: tuple[str, ...]  # it is only new when one of these facts moved
    stands: Callable[[Facts, Order], bool]
    says: Callable[[Facts, Order], str]
    was: str  # when it stands no more, and nobody has looked
    event: str = "doubted"  # the kind of event that tells of it; "" where another does


class Anomaly(NamedTuple):
    """One doubt, for a person."""

    kind: str
    sentence: str
    stands: bool  # now; else it did
    unseen: bool  # nobody has looked at it yet


def facts_of(order: Order) -> Facts:
    return Facts(order.status, order.charge, order.currency, order.remains, order.said or {})


# ── The kinds ────────────────────────────────────────────────────────────────────────────────────
def charge_is_odd(facts: Facts, order: Order) -> bool:
    """More than the price shown; or less, where nothing explains it. Only where the terms say what to expect."""
    if facts.charge is None or not is_dollars(facts.currency):
        return False
    more = facts.charge - order.expected_charge
    if abs(more) <= tolerance(order.expected_charge):
        return False
    explained = facts.charge >= 0 and bool(order.coupon or facts.status in ENDED_SHORT)
    return (more > 0 or not explained) and service_type_of(order.service).known


def of_charge(facts: Facts, order: Order) -> str:
    charge, expected = facts.charge or Decimal(0), order.expected_charge
    share = abs(charge - expected) / expected * 100 if expected else None
    way = "more" if charge > expected else "less"
    told = f" ({decimal(share, 0 if share >= 10 else 1)} % {way})" if share is not None else ""
    return f"Upstream charged {money(charge)}; the price shown was {money(expected)}{told}."


def remains_are_odd(facts: Facts, order: Order) -> bool:
    """Less than nothing, or more than was ordered; what is bought whole has no number that they could be of."""
    if facts.remains is None:
        return False
    return facts.remains < 0 or (facts.remains > order.total and bool({"quantity", "comments"} & order.body.keys()))


def of_unread(facts: Facts, _: Order) -> str:
    figures = [f"{name}, “{facts.said[name]}”" if facts.said[name] else f"{name}, empty" for name in unread(facts.said)]
    return f"Upstream’s answer holds a figure that makes no sense: its {' and its '.join(figures)}."


def of_currency(facts: Facts, order: Order) -> str:
    charged = money(facts.charge, facts.currency) if facts.charge is not None else f"in {facts.currency}"
    return f"Upstream charged {charged}; the price shown was {money(order.expected_charge)}. The two are not added up."


ANOMALIES: dict[str, AnomalyKind] = {
    "charge": AnomalyKind(
        "charge", ("charge", "currency", "status"), charge_is_odd, of_charge,
        "Upstream’s charge was unlike the price shown; its last answer is like it.",
    ),
    "currency": AnomalyKind(
        "currency", ("currency",), lambda facts, _: not is_dollars(facts.currency), of_currency,
        "Upstream charged in another currency; its last answer is in US dollars.",
    ),
    "remains": AnomalyKind(
        "remains", ("remains",), remains_are_odd,
        lambda facts, order: f"Upstream says that {signed(facts.remains)} remain, of {number(order.total)} ordered.",
        "Upstream’s remains made no sense; those of its last answer do.",
    ),
    "unread": AnomalyKind(
        "unreadable figure", ("said",), lambda facts, _: bool(unread(facts.said)), of_unread,
        "Upstream’s answer held a figure that could not be read; its last answer can be.",
    ),
    "word": AnomalyKind(
        "unknown status", ("status",), lambda facts, _: facts.status not in LIFE,
        lambda facts, _: f"Upstream says “{facts.status}”, a word that the desk does not know.",
        "Upstream said a word that the desk does not know; its last one is known.", event="",
    ),
    "back": AnomalyKind(
        "went back", ("status",), lambda facts, _: bool(held_in(facts)),
        lambda facts, _: (
            f"Upstream’s last answer says “{label(held_in(facts))}”, although it had said “{label(facts.status)}”. "
            "It is asked again soon; the status moves when a second look says the same."
        ),
        "Upstream’s status went backwards.", event="",
    ),
}  # fmt: skip


def signed(n: int | None) -> str:
    return f"−{number(-n)}" if n is not None and n < 0 else number(n or 0)


# ── New ones ─────────────────────────────────────────────────────────────────────────────────────
def add_new_anomalies(order: Order, before: Facts, report: Report) -> list[Event]:
    """Which doubts the report that the order has just taken in raises anew; the events that tell of them."""
    after, events, was_held = facts_of(order), [], held_in(before)
    before = before._replace(said={}) if was_held else before  # nothing of that answer was taken in
    moved = {name for name in Facts._fields if getattr(after, name) != getattr(before, name)}
    for kind, row in ANOMALIES.items():
        if moved.isdisjoint(row.facts) or not row.stands(after, order) or row.stands(before, order):
            continue
        add_anomaly(order, kind)
        if row.event:
            with for_the_record():
                events.append(report_event(order, row.event, report, why=row.says(after, order)))
    if went_back(before.status, order.status) and not was_held:  # else it is told already
        add_anomaly(order, "back")
    return events


def went_back(was: str, now: str) -> bool:
    """From one status of upstream's to an earlier one."""
    return STEP_OF_STATUS.get(now, 9) < STEP_OF_STATUS.get(was, 0)


def add_anomaly(order: Order, kind: str) -> None:
    order.doubts = " ".join(dict.fromkeys([*unseen_kinds(order), kind]))


def unseen_kinds(order: Order) -> list[str]:
    """Those that nobody has looked at."""
    return (order.doubts or "").split()


def report_event(order: Order, kind: str, report: Report, **facts: str) -> Event:
    return Event(order=order, kind=kind, at=report.asked_at, facts={**facts, "said": report.raw})


# ── An order that seems to go on after its end ───────────────────────────────────────────────────
def held_in(facts: Facts) -> str:
    """The word of upstream's last answer, where it says that an order goes on which has ended; else "".

    The status does not follow it before a second look agrees.
    """
    word = status_word(facts.said.get("status"))
    return word if word and facts.status in FINAL and stage(word).live else ""


def needs_second_report(order: Order, report: Report) -> bool:
    """Whether this report is the first that says so."""
    if order.status not in FINAL or not stage(report.status).live:
        return False
    return not held_in(facts_of(order)) or order.reported_at is None or report.asked_at <= order.reported_at


def hold_back(order: Order, report: Report) -> list[Event]:
    """Keeps what it said, shows it, and asks again soon; nothing else of it is taken in."""
    first = not held_in(facts_of(order))
    order.version += first or order.left_out > 0
    order.said, order.reported_at, order.left_out = report.raw, report.asked_at, 0
    order.next_look_at = report.asked_at + SECOND_REPORT_AFTER
    if not first:
        return []
    add_anomaly(order, "back")
    return [report_event(order, "revived", report, was=label(order.status), to=label(report.status))]


# ── For a person ─────────────────────────────────────────────────────────────────────────────────
def anomalies_of(order: Order) -> list[Anomaly]:
    """All that stand, and those that did and nobody has looked at."""
    facts, new = facts_of(order), unseen_kinds(order)
    found = []
    for kind, row in ANOMALIES.items():
        stands = row.stands(facts, order)
        if stands or kind in new:
            found.append(Anomaly(kind, row.says(facts, order) if stands else row.was, stands, kind in new))
    return found


def unseen_anomalies(order: Order) -> str:
    """What of it surprises and nobody has looked at, for a row: `charge, remains`."""
    return kind_labels(unseen_kinds(order))


def kind_labels(kinds: Iterable[str]) -> str:
    """`charge, remains`."""
    return ", ".join(ANOMALIES[kind].label for kind in kinds if kind in ANOMALIES)

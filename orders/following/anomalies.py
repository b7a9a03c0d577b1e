"""Anomalies: facts in an order's latest report that a person should check. One row of ANOMALIES is one kind.

Upstream's words are stored as they are; an anomaly only marks them. `Order.doubts` keeps the kinds that nobody has
seen yet; whether a kind still stands is read from the order's facts each time.
"""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from orders.models import Event, Order
from orders.rules.event_text import DUPLICATE, with_doubt
from orders.rules.margin import ENDED_SHORT, is_full, tolerance
from orders.rules.service_types import service_type_of
from orders.rules.statuses import FINAL, LIFE, Status, label, stage
from panel.format.locale import for_the_record
from panel.format.money import is_dollars, money, sees_money
from panel.format.numbers import decimal, number
from panel.format.times import day_and_clock
from panel.notpanel.shapes import Report, status_word, unread

NO_AMOUNTS = "The supplier charged otherwise than the price shown."  # for who may see no money
SECOND_REPORT_AFTER = timedelta(seconds=30)  # until an order that seems to go on after its end is polled again

# How far along each status is. Upstream's next status is expected to be further.
STEP_OF_STATUS: dict[str, int] = {
    Status.PENDING: 1,
    Status.PROCESSING: 2,
    Status.IN_PROGRESS: 3,
    **dict.fromkeys(FINAL, 4),
}


class Facts(NamedTuple):
    """The facts of an order that anomalies are judged by, as upstream last reported them."""

    status: str
    charge: Decimal | None
    currency: str
    remains: int | None
    said: dict[str, Any]


class AnomalyKind(NamedTuple):
    """One kind of anomaly: when an order has it, and the words for it."""

    label: str  # for a row of the list
    facts: tuple[str, ...]  # a report raises it only if one of these facts changed
    stands: Callable[[Facts, Order], bool]
    sentence: Callable[[Facts, Order], str]
    past_sentence: str  # while nobody has seen it, although it stands no more
    event: str = "doubted"  # the kind of event that records it; "" where another event does


class Anomaly(NamedTuple):
    """One anomaly of an order, as its page shows it."""

    kind: str
    sentence: str
    stands: bool  # by the latest report
    unseen: bool  # by any manager


def facts_of(order: Order) -> Facts:
    """The order's facts as they stand now."""
    return Facts(order.status, order.charge, order.currency, order.remains, order.said or {})


# ── The kinds ────────────────────────────────────────────────────────────────────────────────────
def charge_differs(facts: Facts, order: Order) -> bool:
    """Whether the charge is above the price shown, or below it without a coupon or a short end to explain it.

    False for a service of unknown type, whose price nobody can expect.
    """
    if facts.charge is None or not is_dollars(facts.currency):
        return False
    excess = facts.charge - order.expected_charge
    if abs(excess) <= tolerance(order.expected_charge):
        return False
    explained = facts.charge >= 0 and bool(order.coupon or facts.status in ENDED_SHORT)
    return (excess > 0 or not explained) and service_type_of(order.service).known


def charge_sentence(facts: Facts, order: Order) -> str:
    """Both amounts, and how many percent lie between them."""
    if not sees_money():
        return NO_AMOUNTS
    charge, expected = facts.charge or Decimal(0), order.expected_charge
    share = abs(charge - expected) / expected * 100 if expected else None
    direction = "more" if charge > expected else "less"
    compared = f" ({decimal(share, 0 if share >= 10 else 1)} % {direction})" if share is not None else ""
    return f"The supplier charged {money(charge)}; the price shown was {money(expected)}{compared}."


def remains_impossible(facts: Facts, order: Order) -> bool:
    """Whether remains are negative, or more than was ordered. A package has no quantity to compare with."""
    if facts.remains is None:
        return False
    return facts.remains < 0 or (facts.remains > order.total and counts_units(order))


def counts_units(order: Order) -> bool:
    """Whether the order is for a number of units, with which remains can be compared. A package is not."""
    return bool({"quantity", "comments"} & order.body.keys())


def remains_sentence(facts: Facts, order: Order) -> str:
    """The remains beside the number of units that were ordered."""
    remains = number(facts.remains or 0).replace("-", "−")
    return f"The supplier says that {remains} remain, of {number(order.total)} ordered."


def left_undelivered(facts: Facts, _: Order) -> bool:
    """Whether upstream calls the order completed although something remains."""
    return facts.status == Status.COMPLETED and (facts.remains or 0) > 0


def undelivered_sentence(facts: Facts, order: Order) -> str:
    """What remains of a completed order."""
    of = f", of {number(order.total)} ordered" if counts_units(order) else ""
    remains = f"{number(facts.remains or 0)} remain{'s' * (facts.remains == 1)}"
    return f"The supplier says “{label(facts.status)}”, and that {remains}{of}."


def kept_in_full(facts: Facts, order: Order) -> bool:
    """Whether upstream says that it gave the money back, and charged the full price all the same."""
    ended = facts.status in (Status.CANCELLED, Status.REFUNDED)
    known = is_dollars(facts.currency) and service_type_of(order.service).known
    return ended and known and facts.charge is not None and is_full(facts.charge, order.expected_charge)


def unread_sentence(facts: Facts, _: Order) -> str:
    """The figures that could not be read, each as upstream wrote it."""
    if not sees_money():
        return f"The supplier’s answer has a value that makes no sense: its {', and its '.join(unread(facts.said))}."
    figures = [f"{name}, “{facts.said[name]}”" if facts.said[name] else f"{name}, empty" for name in unread(facts.said)]
    return f"The supplier’s answer has a value that makes no sense: its {', and its '.join(figures)}."


def currency_sentence(facts: Facts, order: Order) -> str:
    """The charge in its own currency beside the price in dollars."""
    if not sees_money():
        return "The supplier charged in another currency than the price shown."
    charged = money(facts.charge, facts.currency) if facts.charge is not None else f"in {facts.currency}"
    return (
        f"The supplier charged {charged}; the price shown was {money(order.expected_charge)}. The two are not added up."
    )


def duplicate_sentence(_: Facts, order: Order) -> str:
    """All the ids that upstream gave for the order's request_id, and what to do."""
    ids = " and ".join([order.upstream_id or "none", *(order.other_ids or "").split()])
    return (
        f"The supplier gave this order’s request_id more than one id: {ids}. It may have been ordered twice. "
        "Look for all of them at the supplier, and cancel there what should not run; the desk follows the first."
    )


def silent_sentence(_: Facts, order: Order) -> str:
    """Since when calls that name the order fail, and what the desk does."""
    since = f" since {day_and_clock(order.failing_since)}" if order.failing_since else ""
    return f"Every call that names this order has failed{since}. The desk checks it in a call of its own, once an hour."


def held_status(facts: Facts) -> str:
    """The live status in upstream's last answer about an order that has ended; "" in every other case.

    The order keeps its final status until a second report agrees.
    """
    status = status_word(facts.said.get("status"))
    return status if status and facts.status in FINAL and stage(status).live else ""


ANOMALIES: dict[str, AnomalyKind] = {
    "charge": AnomalyKind(
        "charge", ("charge", "currency", "status"), charge_differs, charge_sentence,
        "The supplier’s charge differed from the price shown; its last answer agrees.",
    ),
    "currency": AnomalyKind(
        "currency", ("currency",), lambda facts, _: not is_dollars(facts.currency), currency_sentence,
        "The supplier charged in another currency; its last answer is in US dollars.",
    ),
    "remains": AnomalyKind(
        "remains", ("remains",), remains_impossible, remains_sentence,
        "The supplier’s “remains” made no sense; its last answer does.",
    ),
    "undelivered": AnomalyKind(
        "completed with something left", ("status", "remains"), left_undelivered, undelivered_sentence,
        "The supplier said “Completed” while something remained; its last answer is consistent.",
    ),
    "delivered": AnomalyKind(
        "partial with nothing left", ("status", "remains"),
        lambda facts, _: facts.status == Status.PARTIAL and facts.remains == 0,
        lambda facts, _: f"The supplier says “{label(facts.status)}”, and that nothing remains.",
        "The supplier said “Partial” while nothing remained; its last answer is consistent.",
    ),
    "kept": AnomalyKind(
        "full charge kept", ("status", "charge", "currency"), kept_in_full,
        lambda facts, _: (
            f"The supplier says “{label(facts.status)}”, and charged the full "
            f"{money(facts.charge or Decimal(0)) if sees_money() else 'price'}: nothing was given back."
        ),
        "The supplier refunded nothing of an order that it did not deliver; its last answer has a refund.",
    ),
    "unread": AnomalyKind(
        "unreadable figure", ("said",), lambda facts, _: bool(unread(facts.said)), unread_sentence,
        "The supplier’s answer had a value that could not be read; its last answer can be read.",
    ),
    "word": AnomalyKind(
        "unknown status", ("status",), lambda facts, _: facts.status not in LIFE,
        lambda facts, _: f"The supplier says “{facts.status}”, a status that the desk does not know.",
        "The supplier used a status that the desk does not know; its last one is known.", event="",
    ),
    "back": AnomalyKind(
        "went back", ("status",), lambda facts, _: bool(held_status(facts)),
        lambda facts, _: (
            f"The supplier’s last answer says “{label(held_status(facts))}”, "
            f"although it had said “{label(facts.status)}”. "
            "The desk checks again soon; the status changes when a second check says the same."
        ),
        "The supplier’s status went backwards.", event="",
    ),
    # These two are raised by calls, not by a report.
    DUPLICATE: AnomalyKind(
        "possible duplicate", (), lambda _, order: bool(order.other_ids), duplicate_sentence,
        "The supplier gave its request_id more than one id.",
    ),
    "silent": AnomalyKind(
        "calls fail", (), lambda _, order: order.silent,
        silent_sentence,
        "Every call about this order failed; the supplier has answered since.",
    ),
}  # fmt: skip


# ── What a report raises ─────────────────────────────────────────────────────────────────────────
def add_new_anomalies(order: Order, before: Facts, report: Report) -> list[Event]:
    """Adds to `order.doubts` the kinds that this report raises, and returns their events, unsaved.

    The report has been copied into the order already; `before` is what stood there until then.
    """
    after, events, was_held = facts_of(order), [], held_status(before)
    before = before._replace(said={}) if was_held else before  # nothing of the answer that was held back was applied
    changed = {name for name in Facts._fields if getattr(after, name) != getattr(before, name)}
    for name, kind in ANOMALIES.items():
        if changed.isdisjoint(kind.facts) or not kind.stands(after, order) or kind.stands(before, order):
            continue
        add_anomaly(order, name)
        if kind.event:
            with for_the_record():
                events.append(report_event(order, kind.event, report, why=kind.sentence(after, order)))
    if went_back(before.status, order.status) and not was_held:  # hold_back has recorded it otherwise
        add_anomaly(order, "back")
    return events


def went_back(before: str, after: str) -> bool:
    """Whether a status is an earlier step than the status before it. False if either is unknown."""
    return STEP_OF_STATUS.get(after, 9) < STEP_OF_STATUS.get(before, 0)


def add_anomaly(order: Order, kind: str) -> None:
    """Adds a kind to those of the order that nobody has seen. Repeating it changes nothing."""
    order.doubts = with_doubt(order.doubts, kind)


def unseen_kinds(order: Order) -> list[str]:
    """The kinds of the order's anomalies that nobody has seen."""
    return (order.doubts or "").split()


def report_event(order: Order, kind: str, report: Report, **facts: str) -> Event:
    """An event, unsaved, at the time of the report and with upstream's raw words."""
    return Event(order=order, kind=kind, at=report.asked_at, facts={**facts, "said": report.raw})


# ── An order that seems to go on after its end ───────────────────────────────────────────────────
def needs_second_report(order: Order, report: Report) -> bool:
    """Whether this report is the first to say that an ended order is live again."""
    if order.status not in FINAL or not stage(report.status).live:
        return False
    return not held_status(facts_of(order)) or order.checked_at is None or report.asked_at <= order.checked_at


def hold_back(order: Order, report: Report) -> list[Event]:
    """Keeps the report's raw words without applying them, plans a second poll, and returns the events, unsaved."""
    first = not held_status(facts_of(order))
    order.version += first or order.left_out > 0
    order.said, order.reported_at, order.left_out = report.raw, report.asked_at, 0
    order.checked_at = report.asked_at
    order.next_poll_at = report.asked_at + SECOND_REPORT_AFTER
    if not first:
        return []
    add_anomaly(order, "back")
    return [report_event(order, "revived", report, was=label(order.status), to=label(report.status))]


# ── On the screen ────────────────────────────────────────────────────────────────────────────────
def anomalies_of(order: Order) -> list[Anomaly]:
    """The order's anomalies: all that stand, and those that stood and that nobody has seen."""
    facts, unseen = facts_of(order), unseen_kinds(order)
    return [
        Anomaly(name, kind.sentence(facts, order) if stands else kind.past_sentence, stands, name in unseen)
        for name, kind in ANOMALIES.items()
        if (stands := kind.stands(facts, order)) or name in unseen
    ]


def unseen_anomalies(order: Order) -> str:
    """The labels of the order's unseen anomalies, for a row: `charge, remains`."""
    return kind_labels(order.doubts or "")


def kind_labels(kinds: str) -> str:
    """The labels of kinds, which come as `Order.doubts` holds them, with blanks between: `charge, remains`."""
    return ", ".join(ANOMALIES[kind].label for kind in kinds.split() if kind in ANOMALIES)

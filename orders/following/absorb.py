"""How upstream's words reach an order. Nothing else writes the status of an order that is followed."""

from datetime import datetime

from orders.following.anomalies import (
    add_new_anomalies,
    facts_of,
    held_in,
    hold_back,
    needs_second_report,
    report_event,
)
from orders.models import Event, Order, Reading
from orders.rules.poll_schedule import BY_AGE_ALONE, PollSchedule
from orders.rules.statuses import FINAL, LIFE, STARTED, label, stage
from panel.format.money import stored
from panel.notpanel.shapes import Report

# What `absorb` may change.
FACTS = ("status", "charge", "currency", "start_count", "remains", "said", "reported_at", "left_out",
         "missing_since", "doubts", "next_look_at", "started_at", "ended_at", "late_from", "version")  # fmt: skip


def absorb(order: Order, report: Report, tempo: PollSchedule = BY_AGE_ALONE) -> tuple[list[Event], Reading | None]:
    """Makes the order say what the report says. Only a report that was asked for earlier is passed over.

    Returns what happened, and a reading when the report tells anything new of the progress. The caller saves both,
    and the order's FACTS. `tempo` tells when it is asked after next.
    """
    before = progress_of(order)
    events = apply_report(order, report, tempo)
    if progress_of(order) == before:
        return events, None
    return events, Reading(order=order, at=report.asked_at, status=order.status, remains=order.remains)


def apply_report(order: Order, report: Report, tempo: PollSchedule) -> list[Event]:
    """Changes the order, and returns what happened."""
    if order.reported_at and report.asked_at < order.reported_at:
        return []
    back = [Event(order=order, kind="back", at=report.asked_at)] if order.missing_since else []
    order.missing_since = None
    if needs_second_report(order, report):
        return back + hold_back(order, report)
    was, before, known = order.status, shown_facts(order), facts_of(order)
    order.status, order.currency = report.status, report.currency[:10]
    if report.charge is not None:
        order.charge = stored(report.charge)
    order.start_count, order.remains = report.start_count, report.remains
    order.said, order.reported_at, order.left_out = report.raw, report.asked_at, 0
    order.next_look_at = tempo.next_poll(order, report.asked_at) if order.stage.live else None
    note_times(order, report.asked_at)
    if held_in(known) and order.status == was:
        back.append(report_event(order, "stood", report, to=order.label))
    back += add_new_anomalies(order, known, report)
    if held_in(known) or shown_facts(order) != before:
        order.version += 1
    if order.status == was:
        return back
    kind = "moved" if order.status in stage(was).then else "surprised"
    if order.status not in LIFE:
        kind = "puzzled"
    facts = {"was": label(was), "to": label(order.status), "said": report.raw}
    return [*back, Event(order=order, kind=kind, at=report.asked_at, facts=facts)]


def note_times(order: Order, at: datetime) -> None:
    """Keeps when a report first said that the order delivers, and that it ended."""
    if order.status in STARTED:
        order.started_at = order.started_at or at
    order.ended_at = (order.ended_at or at) if order.status in FINAL else None


def shown_facts(order: Order) -> tuple[object, ...]:
    """What an open page shows of it: when any of this changes, so does its version."""
    facts = (order.status, order.charge, order.currency, order.start_count, order.remains)
    return *facts, order.left_out, order.doubts


def progress_of(order: Order) -> tuple[object, ...]:
    """What a reading is kept of. The first report always differs from what was before."""
    return order.reported_at is None, order.status, order.remains

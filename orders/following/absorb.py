"""Applies upstream's reports to orders. Nothing else writes the status of an order that upstream has taken."""

from datetime import datetime

from django.utils import timezone

from orders.following import anomalies
from orders.models import Event, Order, Reading
from orders.rules.lateness import is_late
from orders.rules.poll_schedule import BY_AGE_ALONE, CLOCKS_APART, PollSchedule
from orders.rules.statuses import FINAL, LIFE, STARTED, label, stage
from panel.format.money import stored
from panel.notpanel.shapes import Report, unread

# The fields that `absorb` may change.
REPORTED_FIELDS = (
    "status", "charge", "currency", "start_count", "remains", "said", "reported_at", "left_out", "missing_since",
    "failing_since", "doubts", "started_at", "ended_at", "ended_late", "late_from", "version",
)  # fmt: skip


def absorb(
    order: Order, report: Report, schedule: PollSchedule = BY_AGE_ALONE, now: datetime | None = None
) -> tuple[list[Event], Reading | None]:
    """Changes the order to what the report says, and returns the events, and a reading if the progress changed.

    Saves nothing: the caller saves both, the order's REPORTED_FIELDS, and when it is polled next, which `schedule`
    decides. Ignores a report that was asked for earlier than the last report, unless that one lies in the future: then
    the desk's clock was set back since.
    """
    before = progress_of(order)
    if is_overtaken(order, report, now or timezone.now()):
        return [], None
    events = apply_report(order, report, schedule)
    if progress_of(order) == before:
        return events, None
    return events, Reading(order=order, at=report.asked_at, status=order.status, remains=order.remains)


def apply_report(order: Order, report: Report, schedule: PollSchedule) -> list[Event]:
    """Changes the order to what the report says, and returns the events, unsaved."""
    events = [Event(order=order, kind="back", at=report.asked_at)] if order.missing_since else []
    order.missing_since = None
    if anomalies.needs_second_report(order, report):
        return events + anomalies.hold_back(order, report)
    status_before, shown_before, facts_before = order.status, shown_facts(order), anomalies.facts_of(order)
    was_held = bool(anomalies.held_status(facts_before))
    order.status, order.currency = report.status, report.currency[:10]
    if report.charge is not None:
        order.charge = stored(report.charge)
    order.start_count, order.remains = report.start_count, report.remains
    order.said, order.reported_at, order.left_out = report.raw, report.asked_at, 0
    order.checked_at = report.asked_at
    order.next_poll_at = schedule.next_poll(order, report.asked_at) if order.stage.live else None
    if order.status in STARTED:
        order.started_at = order.started_at or report.asked_at
    if order.ended_at is None or order.status not in FINAL:
        order.ended_late = is_late(order.late_from) if order.status in FINAL else None
    order.ended_at = (order.ended_at or report.asked_at) if order.status in FINAL else None
    if was_held and order.status == status_before:
        events.append(anomalies.report_event(order, "stood", report, to=order.label))
    events += anomalies.add_new_anomalies(order, facts_before, report)
    if was_held or shown_facts(order) != shown_before:
        order.version += 1
    if order.status != status_before:
        kind = "moved" if order.status in stage(status_before).then else "surprised"
        if order.status not in LIFE:
            kind = "puzzled"
        words = {"was": label(status_before), "to": label(order.status)}
        events.append(anomalies.report_event(order, kind, report, **words))
    return events


def is_overtaken(order: Order, report: Report, now: datetime) -> bool:
    """Whether a report was asked for before the report that is known. One that lies in the future overtakes nothing."""
    known_at = order.checked_at
    return known_at is not None and report.asked_at < known_at <= now + CLOCKS_APART


def shown_facts(order: Order) -> tuple[object, ...]:
    """The facts that an open page shows of the order. Its version moves when any of them changes."""
    figures = (order.status, order.charge, order.currency, order.start_count, order.remains)
    return *figures, order.left_out, order.doubts


def tells_nothing_new(order: Order, report: Report | None) -> bool:
    """Whether the report of a live order repeats what the order's row says, so that only its next poll changes."""
    if report is None or order.reported_at is None or order.reported_at > report.asked_at:
        return False
    known = (order.status, order.charge, order.currency, order.start_count, order.remains)
    charge = order.charge if report.charge is None else stored(report.charge)
    told = (report.status, charge, report.currency[:10], report.start_count, report.remains)
    troubled = order.left_out or order.missing_since or order.failing_since or unread(report.raw)
    return known == told and order.stage.live and not troubled


def progress_of(order: Order) -> tuple[object, ...]:
    """The facts that a reading keeps. The first element makes the first report differ from what was before it."""
    return order.reported_at is None, order.status, order.remains

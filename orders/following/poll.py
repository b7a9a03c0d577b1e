"""Polls live orders, up to a hundred in a call, and applies what upstream reports. Runs in the worker.

An order that upstream leaves out of three answers in a row is polled by itself from then on, once an hour, because
only such an answer says that upstream does not know it. The order keeps its status and waits for a person.
"""

import logging
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from orders.aftersale.settle import settle_cancels
from orders.following.absorb import REPORTED_FIELDS, absorb, tells_nothing_new
from orders.following.claim import ASKED, claim
from orders.following.fold import fold, is_time_to_fold
from orders.following.split import STATUS, split
from orders.models import Event, Order, Poll, PollCall, Reading, Sending
from orders.models.poll import Urgency, queue_of
from orders.models.statistics import usual_times
from orders.rules.lateness import late_from
from orders.rules.poll_schedule import LONGEST_PAUSE, PollSchedule, next_poll_by_age
from orders.rules.retry import LEASE, is_about_orders
from orders.rules.statuses import FINAL
from orders.webhooks.health import reliable
from panel.notpanel.client import Client
from panel.notpanel.errors import NotPanelError, Refused, Unclear
from panel.notpanel.shapes import Reports
from panel.ops.database import update_rows
from panel.ops.failpoints import fp

log = logging.getLogger(__name__)

ALONE_EVERY_SECONDS = 6  # or a key that has lost sight of all its orders would spend all its calls on them
UNKNOWN_ORDER = "not found"  # in upstream's sentence about an id that is not the account's
POLL_FIELDS = ("next_poll_at", "reported_at", "queue", "urgency", "share")  # which an answer may change
# What decides whether a report tells anything new, and when to poll again: an order's row is wide.
COMPARED_FIELDS = (
    "upstream_id", "service", "status", "charge", "currency", "start_count", "remains", "left_out", "missing_since",
    "failing_since", "reported_at", "created_at", "taken_at",
)  # fmt: skip


def poll_once(client: Client, now: datetime | None = None) -> bool:
    """Polls urgent orders first, then those longest due, in one call. False if none was due."""
    call = claim(now or timezone.now())
    if call is None:
        return False
    try:
        fp("status.send")
        reports = client.reports(list(call.due))
        fp("status.answered")
    except NotPanelError as trouble:
        fp("status.failed")
        # A longer wait, as for a limit, holds for all calls and is kept elsewhere.
        log.warning("could not ask after %d orders: %s", len(call.due), trouble)
        polls = Poll.objects.filter(order__in=call.order_ids)
        with transaction.atomic():
            Order.objects.filter(pk__in=call.order_ids).lock()
            polls.lock()
            polls.put_off(call.ends_at)
            if is_about_orders(trouble):
                split(list(call.due), trouble, timezone.now())
            call.delete()
            fp("split.commit")
    else:
        apply_reports(list(call.due), reports, timezone.now(), call=call)
    return True


def poll_alone(client: Client, now: datetime | None = None) -> None:
    """Polls one order by itself: of those that upstream keeps leaving out, the one that is longest due."""
    now = now or timezone.now()
    with transaction.atomic():
        due = Poll.objects.due_alone(now).select_for_update(skip_locked=True, of=("self",))
        poll = due.select_related("order").only("order__upstream_id", "order__failing_since").first()
        if not poll or not poll.order.upstream_id:
            return
        Poll.objects.filter(pk=poll.pk).update(next_poll_at=now + LEASE, urgency=Urgency.NONE)
        fp("alone.commit")
    fp("alone.committed")
    order, reports = poll.order, Reports({}, {})
    upstream_id = str(order.upstream_id)
    try:
        fp("alone.send")
        reports.found[upstream_id] = client.report(upstream_id)
        fp("alone.answered")
    except Refused as refused:
        reports.odd[upstream_id] = refused.said or str(refused)
    except Unclear as trouble:
        if order.failing_since is None:
            raise
        log.warning("could not ask after order %d: %s", order.pk, trouble)  # as ever: the others go on
        Poll.objects.filter(pk=order.pk).update(next_poll_at=timezone.now() + LONGEST_PAUSE)
        return
    apply_reports([upstream_id], reports, timezone.now(), alone=True)


def apply_reports(
    asked: Collection[str], reports: Reports, now: datetime, *, alone: bool = False, call: PollCall | None = None
) -> None:
    """Saves upstream's answer about these orders, and settles the cancels of those that have ended.

    Orders of which it tells nothing new are neither locked nor written: only their polls are. `alone`: it was asked
    about this one order.
    """
    Sending.record_answer(STATUS, timezone.now())
    webhooks_reliable = reliable(now)
    with transaction.atomic():
        orders = {order.pk: order for order in Order.objects.filter(upstream_id__in=asked).only(*COMPARED_FIELDS)}
        news = lock_news(orders.values(), reports)
        orders |= news
        # Read once they are locked, or older times would undo what `measure_services` writes to them meanwhile.
        usual = usual_times({order.service_id for order in orders.values()})
        schedule = PollSchedule(usual, webhooks_reliable, call.due if call else {})
        polls = Poll.objects.filter(order__in=orders).lock()
        changed: list[Order] = []
        events: list[Event] = []
        readings: list[Reading] = []
        to_fold: list[int] = []
        for pk, order in orders.items():
            order.recall_poll(polls.get(pk))
            report = reports.found.get(order.upstream_id or "")
            if pk not in news and report:
                order.checked_at, order.next_poll_at = report.asked_at, schedule.next_poll(order, report.asked_at)
                continue
            before = order.version, order.reported_at, order.failing_since
            order.failing_since = None
            if report:
                happened, reading = absorb(order, report, schedule)
                events += happened
                if reading:
                    readings.append(reading)
                    to_fold += [pk] if is_time_to_fold(order, before[0]) else []
            else:
                events += count_left_out(order, reports.odd.get(order.upstream_id or "", ""), now, alone=alone)
            if is_to_save(order, *before):
                order.late_from = late_from(order, usual.get(order.service_id))
                changed.append(order)
        update_rows(changed, REPORTED_FIELDS)
        save_polls([order for pk, order in orders.items() if pk in polls or pk in news], polls)
        Reading.objects.bulk_create(readings)
        fold(to_fold)
        ended = [order for order in news.values() if order.upstream_id in reports.found and order.status in FINAL]
        Event.objects.bulk_create([*events, *settle_cancels(ended, now)])
        if call:
            call.delete()
        fp("take_in.commit")
    fp("take_in.committed")


def lock_news(orders: Iterable[Order], reports: Reports) -> dict[int, Order]:
    """Reads again, whole and locked, those of these orders of which the answer tells something new, by their keys."""
    keys = [order.pk for order in orders if not tells_nothing_new(order, reports.found.get(order.upstream_id or ""))]
    locked = Order.objects.filter(pk__in=keys).order_by("pk").select_for_update(of=("self",))
    return {order.pk: order for order in locked.select_related("service")}  # whose type decides what charge is expected


def is_to_save(order: Order, version: int, reported_at: datetime | None, failing_since: datetime | None) -> bool:
    """Whether an order's row changes, and not only its poll: what a page shows of it, or what was kept before it."""
    first_report = reported_at is None and order.reported_at is not None
    from_the_future = reported_at is not None and order.reported_at is not None and reported_at > order.reported_at
    poll_ends = order.next_poll_at is None  # and with it goes the time that it kept
    return order.version != version or first_report or from_the_future or failing_since is not None or poll_ends


def save_polls(orders: Iterable[Order], polls: Mapping[int, Poll]) -> None:
    """Saves when these orders are polled next, and ends the polls of those that are polled no more.

    Whoever has asked for an order while the call was under way wants to know more than its answer tells.
    """
    known: list[Poll] = []
    new: list[Poll] = []
    over: list[int] = []
    for order in orders:
        poll = polls.get(order.pk) or Poll(order=order)
        if poll.urgency in ASKED:
            order.next_poll_at = poll.next_poll_at
        else:
            poll.urgency = Urgency.NONE
        if order.next_poll_at is None:
            over.append(order.pk)
            continue
        poll.next_poll_at, poll.reported_at, poll.share = order.next_poll_at, order.checked_at, None
        poll.queue = queue_of(order.left_out)
        (known if order.pk in polls else new).append(poll)
    update_rows(known, POLL_FIELDS)
    Poll.objects.bulk_create(new, ignore_conflicts=True)
    if not polls.keys().isdisjoint(over):
        Poll.objects.filter(order__in=over).delete()


def count_left_out(order: Order, error: str, now: datetime, *, alone: bool) -> list[Event]:
    """Counts an answer that left the order out or could not be read, and returns the events, unsaved.

    `error` is upstream's sentence about the order, "" if it was left out. The status stays as it is.
    """
    if order.next_poll_at is None:
        return []  # it ended, or a person gave it up, while the poll was under way
    order.left_out += 1
    order.version += 1
    order.next_poll_at = now + LONGEST_PAUSE if alone else next_poll_by_age(order.created_at, now)
    if alone and UNKNOWN_ORDER in error.lower():
        events = [] if order.missing_since else [Event(order=order, kind="missing", at=now, facts={"said": error})]
        order.missing_since = order.missing_since or now
        return events
    kind, facts = ("unreadable", {"said": error}) if error else ("left_out", {})
    return [Event(order=order, kind=kind, at=now, facts=facts)] if order.left_out == 1 else []

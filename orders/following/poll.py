"""Polls live orders, up to a hundred in a call, and applies what upstream reports. Runs in the worker.

An order that upstream leaves out of three answers in a row is polled by itself from then on, once an hour, because
only such an answer says that upstream does not know it. The order keeps its status and waits for a person.
"""

import logging
from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from orders.aftersale.settle import settle_cancels
from orders.following.absorb import REPORTED_FIELDS, absorb
from orders.following.split import STATUS, split
from orders.models import Event, Order, OrderQuerySet, Reading, Sending
from orders.models.order import Urgency
from orders.models.statistics import usual_times
from orders.rules.lateness import late_from
from orders.rules.poll_schedule import (
    CLOCKS_APART,
    LONGEST_PAUSE,
    POLLED_ALONE_FROM,
    PollSchedule,
    next_poll_by_age,
)
from orders.rules.retry import LEASE, is_about_orders
from orders.rules.statuses import FINAL
from orders.webhooks.health import reliable
from panel.notpanel.budget import Purpose
from panel.notpanel.client import Client
from panel.notpanel.errors import NotPanelError, Refused, Unclear
from panel.notpanel.shapes import Reports
from panel.ops.failpoints import fp

log = logging.getLogger(__name__)

ALONE_EVERY_SECONDS = 6  # or a key that has lost sight of all its orders would spend all its calls on them
UNKNOWN_ORDER = "not found"  # in upstream's sentence about an id that is not the account's
ORDERS_PER_CALL = 100  # upstream's limit for one status call, which counts as one request
CLAIMED_FIELDS = ("pk", "upstream_id", "next_look_at")
CALL_TIME = timedelta(seconds=25)  # longer than a call takes: until then, claimed orders may be in one


def poll_wanted(now: datetime) -> Purpose | None:
    """The purpose of a poll now: ASK if a person waits for it, POLL if any order is due, None if none is."""
    hurry = Order.objects.due_first(now).filter(left_out__lt=POLLED_ALONE_FROM).values_list("hurry", flat=True).first()
    if hurry == Urgency.PERSON:
        return Purpose.ASK
    return Purpose.POLL if hurry or Order.objects.due(now).filter(left_out__lt=POLLED_ALONE_FROM).exists() else None


def poll_once(client: Client, now: datetime | None = None) -> bool:
    """Polls urgent orders first, then those longest due, in one call. False if none was due."""
    claimed = claim(now or timezone.now())
    if not claimed:
        return False
    try:
        fp("status.send")
        reports = client.reports(list(claimed))
        fp("status.answered")
    except NotPanelError as trouble:
        fp("status.failed")
        # The lease makes them due again. A longer wait, as for a limit, holds for all calls and is kept elsewhere.
        log.warning("could not ask after %d orders: %s", len(claimed), trouble)
        if is_about_orders(trouble):
            with transaction.atomic():
                split(list(claimed), trouble, timezone.now())
                fp("split.commit")
    else:
        apply_reports(list(claimed), reports, timezone.now(), due=claimed)
    return True


def claim(now: datetime) -> dict[str, datetime]:
    """Claims up to a hundred orders for this worker: upstream id → when the order was due.

    Empty if no order is due. A call that is made anyway is filled up with the orders that are due next.
    """
    with transaction.atomic():
        # SKIP LOCKED where there are row locks (two workers share the work rather than wait for each other, and cannot
        # deadlock over two batches); on SQLite the write transaction itself is the lock.
        unlocked = Order.objects.filter(left_out__lt=POLLED_ALONE_FROM).select_for_update(skip_locked=True)
        claimed = suspects_to_poll(unlocked, now) or orders_to_poll(unlocked.filter(share=None), now)
        Order.objects.filter(pk__in=[pk for pk, *_ in claimed]).update(next_look_at=now + LEASE, hurry=None)
        fp("look.commit")
    fp("look.committed")
    return {upstream_id: due_at or now for _, upstream_id, due_at in claimed if upstream_id}


def suspects_to_poll(orders: OrderQuerySet, now: datetime) -> list[tuple[int, str | None, datetime | None]]:
    """Orders whose next call may name only a few, or [] where none is due: id, upstream id, when it was due.

    They go first, for there are few such calls, and most of their orders have waited long enough.
    """
    rows = list(orders.suspects(now).values_list(*CLAIMED_FIELDS, "share")[:ORDERS_PER_CALL])
    return [tuple(row[:-1]) for row in rows if row[-1] == rows[0][-1]][: rows[0][-1]] if rows else []


def orders_to_poll(orders: OrderQuerySet, now: datetime) -> list[tuple[int, str | None, datetime | None]]:
    """Up to a call full of orders, urgent ones first, or [] where none is due: id, upstream id, when it was due."""
    claimed = list(orders.due_first(now).values_list(*CLAIMED_FIELDS)[:ORDERS_PER_CALL])
    in_calls = Q(next_look_at__gt=max(now, now + LEASE - CALL_TIME), next_look_at__lte=now + LEASE + CLOCKS_APART)
    next_due = orders.due(now + LONGEST_PAUSE).filter(~in_calls, hurry=None).values_list(*CLAIMED_FIELDS)
    soonest = list(next_due[: ORDERS_PER_CALL - len(claimed)])
    return claimed + soonest if claimed or (soonest and (soonest[0][2] or now) <= now) else []


def poll_alone(client: Client, now: datetime | None = None) -> None:
    """Polls one order by itself: of those that upstream keeps leaving out, the one that is longest due."""
    now = now or timezone.now()
    with transaction.atomic():
        order = (
            Order.objects.due_alone(now)
            .select_for_update(skip_locked=True)
            .only("upstream_id", "failing_since")
            .first()
        )
        if not order or not order.upstream_id:
            return
        Order.objects.filter(pk=order.pk).update(next_look_at=now + LEASE, hurry=None)
        fp("alone.commit")
    fp("alone.committed")
    reports = Reports({}, {})
    try:
        fp("alone.send")
        reports.found[order.upstream_id] = client.report(order.upstream_id)
        fp("alone.answered")
    except Refused as refused:
        reports.odd[order.upstream_id] = refused.said or str(refused)
    except Unclear as trouble:
        if order.failing_since is None:
            raise
        log.warning("could not ask after order %d: %s", order.pk, trouble)  # as ever: the others go on
        Order.objects.filter(pk=order.pk).update(next_look_at=timezone.now() + LONGEST_PAUSE)
        return
    apply_reports([order.upstream_id], reports, timezone.now(), alone=True)


def apply_reports(
    asked: Collection[str], reports: Reports, now: datetime, *, alone: bool = False, due: Mapping[str, datetime] = {}
) -> None:
    """Saves upstream's answer about these orders, and settles the cancels of those that have ended.

    Orders that a page shows differently are saved one by one; the others in one statement for all that are due next
    at the same time. `due`: upstream id → when the order was due; some are polled before that, to fill a call.
    """
    Sending.record_answer(STATUS, timezone.now())
    webhooks_reliable = reliable(now)
    events: list[Event] = []
    readings: list[Reading] = []
    unmoved: defaultdict[tuple[datetime, datetime | None], list[int]] = defaultdict(list)
    with transaction.atomic():
        locked = Order.objects.filter(upstream_id__in=asked).order_by("pk").select_for_update()
        orders = list(locked.prefetch_related("service"))  # its type decides what charge is expected
        schedule = PollSchedule(usual_times({order.service_id for order in orders}), webhooks_reliable, due)
        for order in orders:
            upstream_id, version = order.upstream_id or "", order.version
            order.failing_since = order.share = None
            if report := reports.found.get(upstream_id):
                happened, reading = absorb(order, report, schedule)
                events += happened
                readings += [reading] if reading else []
            else:
                events += count_left_out(order, reports.odd.get(upstream_id, ""), now, alone=alone)
            if order.hurry is not None:  # somebody asked for a poll while this one was under way
                order.next_look_at = now
            if order.version != version:
                order.late_from = late_from(order, schedule.usual.get(order.service_id))
                order.save(update_fields=REPORTED_FIELDS)
            elif order.reported_at:
                unmoved[order.reported_at, order.next_look_at].append(order.pk)
        for (reported_at, next_look_at), pks in unmoved.items():
            Order.objects.filter(pk__in=pks).update(
                reported_at=reported_at, next_look_at=next_look_at, failing_since=None, share=None
            )
        Reading.objects.bulk_create(readings)
        ended = [order for order in orders if order.upstream_id in reports.found and order.status in FINAL]
        Event.objects.bulk_create([*events, *settle_cancels(ended, now)])
        fp("take_in.commit")
    fp("take_in.committed")


def count_left_out(order: Order, error: str, now: datetime, *, alone: bool) -> list[Event]:
    """Counts an answer that left the order out or could not be read, and returns the events, unsaved.

    `error` is upstream's sentence about the order, "" if it was left out. The status stays as it is.
    """
    if order.next_look_at is None:
        return []  # it ended, or a person gave it up, while the poll was under way
    order.left_out += 1
    order.version += 1
    order.next_look_at = now + LONGEST_PAUSE if alone else next_poll_by_age(order.created_at, now)
    if alone and UNKNOWN_ORDER in error.lower():
        events = [] if order.missing_since else [Event(order=order, kind="missing", at=now, facts={"said": error})]
        order.missing_since = order.missing_since or now
        return events
    kind, facts = ("unreadable", {"said": error}) if error else ("left_out", {})
    return [Event(order=order, kind=kind, at=now, facts=facts)] if order.left_out == 1 else []

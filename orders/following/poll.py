"""Asks after live orders, a hundred in a call, and takes in what upstream says. Runs in the worker.

An order that upstream left out of its answer three times running is asked for by itself from then on, once an hour.
Only then does upstream say what it does not know; such an order keeps its status, and waits for a person.
"""

import logging
from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from orders.aftersale.settle import settle_cancels
from orders.following.absorb import FACTS, absorb
from orders.models import Event, Order, Reading
from orders.models.order import Urgency
from orders.models.statistics import usual_times
from orders.rules.lateness import late_from
from orders.rules.poll_schedule import LONGEST_PAUSE, POLLED_ALONE_FROM, PollSchedule, next_poll_by_age
from orders.rules.retry import LEASE
from orders.rules.statuses import FINAL
from orders.webhooks.health import reliable
from panel.notpanel.budget import Purpose
from panel.notpanel.client import Client
from panel.notpanel.errors import NotPanelError, Refused
from panel.notpanel.shapes import Reports
from panel.ops.failpoints import fp

log = logging.getLogger(__name__)

ALONE_EVERY_SECONDS = 6  # a key that sees none of its orders any more would else spend all its calls on them
UNKNOWN_ORDER = "not found"  # in upstream's words, for an id that is not the account's
ORDERS_PER_CALL = 100  # upstream's limit for one status call, which counts as one request
CALL_TIME = timedelta(seconds=25)  # longer than a call takes; so long after a claim, its orders may be in one
CLOCKS_APART = timedelta(seconds=5)  # between two workers, or between reading the clock and getting the database's lock


def poll_wanted(now: datetime) -> Purpose | None:
    """What a look would be for now: a person waits for it, or an order's time has come; None: nothing to ask."""
    first = Order.objects.due_first(now).filter(left_out__lt=POLLED_ALONE_FROM).values_list("hurry", flat=True).first()
    if first == Urgency.PERSON:
        return Purpose.ASK
    return Purpose.POLL if first or Order.objects.due(now).filter(left_out__lt=POLLED_ALONE_FROM).exists() else None


def poll_once(client: Client, now: datetime | None = None) -> bool:
    """Asks after the orders that are in a hurry, then after those longest due, in one call; says whether any were."""
    claimed = claim(now or timezone.now())
    if not claimed:
        return False
    try:
        fp("status.send")
        reports = client.reports(list(claimed))
        fp("status.answered")
    except NotPanelError as trouble:
        fp("status.failed")
        # The lease brings them back; who must wait longer (a limit, a suspension) is the whole desk's business.
        log.warning("could not ask after %d orders: %s", len(claimed), trouble)
    else:
        apply_reports(list(claimed), reports, timezone.now(), due=claimed)
    return True


def claim(now: datetime) -> dict[str, datetime]:
    """Up to a hundred orders for this worker and no other: upstream id → when it was due.

    None when none is due; but a call that is made is filled up with those that will be due soonest.
    """
    with transaction.atomic():
        # SKIP LOCKED where there are row locks (two workers share the work rather than wait for each other, and cannot
        # deadlock over two batches); on SQLite the write transaction itself is the lock.
        free = Order.objects.filter(left_out__lt=POLLED_ALONE_FROM).select_for_update(skip_locked=True)
        fields = ("pk", "upstream_id", "next_look_at")
        taken = list(free.due_first(now).values_list(*fields)[:ORDERS_PER_CALL])
        latest_lease = now + LEASE + CLOCKS_APART
        in_calls = Q(next_look_at__gt=max(now, now + LEASE - CALL_TIME), next_look_at__lte=latest_lease)
        others = free.due(now + LONGEST_PAUSE).filter(~in_calls, hurry=None).values_list(*fields)
        soonest = list(others[: ORDERS_PER_CALL - len(taken)])
        if taken or (soonest and soonest[0][2] <= now):
            taken += soonest
        Order.objects.filter(pk__in=[pk for pk, *_ in taken]).update(next_look_at=now + LEASE, hurry=None)
        fp("look.commit")
    fp("look.committed")
    return {upstream_id: due_at or now for _, upstream_id, due_at in taken if upstream_id}


def poll_alone(client: Client, now: datetime | None = None) -> None:
    """Asks after the one order that is longest due of those that upstream keeps leaving out."""
    now = now or timezone.now()
    with transaction.atomic():
        order = Order.objects.due_alone(now).select_for_update(skip_locked=True).only("upstream_id").first()
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
    except Refused as no:
        reports.odd[order.upstream_id] = no.said or str(no)
    apply_reports([order.upstream_id], reports, timezone.now(), alone=True)


def apply_reports(
    asked: Collection[str],
    reports: Reports,
    now: datetime,
    *,
    alone: bool = False,
    due: Mapping[str, datetime] | None = None,
) -> None:
    """Writes down an answer: orders that moved one by one, those that did not in one statement a rhythm.

    `due`: when those asked after were due, which some of them were not yet.
    """
    rung = reliable(now)
    events: list[Event] = []
    unmoved: defaultdict[tuple[datetime, datetime | None], list[int]] = defaultdict(list)
    ended: list[Order] = []
    readings: list[Reading] = []
    with transaction.atomic():
        known = Order.objects.filter(upstream_id__in=asked).order_by("pk").select_for_update()
        orders = list(known.prefetch_related("service"))  # whose terms judge a charge; else a query an order
        tempo = PollSchedule(usual_times({order.service_id for order in orders}), rung, due or {})
        for order in orders:
            report = reports.found.get(order.upstream_id or "")
            version = order.version
            if report is None:
                events += count_left_out(order, reports.odd.get(order.upstream_id or "", ""), now, alone=alone)
            else:
                happened, reading = absorb(order, report, tempo)
                events += happened
                readings += [reading] if reading else []
                if order.status in FINAL:
                    ended.append(order)
            if order.hurry is not None:  # somebody wanted to know while the call was under way
                order.next_look_at = now
            if order.version != version:
                order.late_from = late_from(order, tempo.usual.get(order.service_id))
                order.save(update_fields=FACTS)
            elif order.reported_at:
                unmoved[order.reported_at, order.next_look_at].append(order.pk)
        for (reported_at, look_at), pks in unmoved.items():
            Order.objects.filter(pk__in=pks).update(reported_at=reported_at, next_look_at=look_at)
        Reading.objects.bulk_create(readings)
        Event.objects.bulk_create([*events, *settle_cancels(ended, now)])
        fp("take_in.commit")
    fp("take_in.committed")


def count_left_out(order: Order, said: str, now: datetime, *, alone: bool) -> list[Event]:
    """Upstream's answer did not mention it, or in a way we cannot read: counted, shown, never taken for an end."""
    if order.next_look_at is None:
        return []  # it ended, or a person gave it up, while the question was under way
    order.left_out += 1
    order.version += 1
    order.next_look_at = now + LONGEST_PAUSE if alone else next_poll_by_age(order.created_at, now)
    if alone and UNKNOWN_ORDER in said.lower():
        events = [] if order.missing_since else [Event(order=order, kind="missing", at=now, facts={"said": said})]
        order.missing_since = order.missing_since or now
        return events
    kind, facts = ("unreadable", {"said": said}) if said else ("left_out", {})
    return [Event(order=order, kind=kind, at=now, facts=facts)] if order.left_out == 1 else []

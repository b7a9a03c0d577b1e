"""Notices a database that may be older than what upstream knows, as after a restored backup, and stops sending.

What was due in it may have been sent, withdrawn or settled since, and nothing here tells. So all of it counts as in
doubt until a person releases it: an order then goes with the same request_id, which upstream knows again.
"""

import logging
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.conf import settings
from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from orders.aftersale.withdraw import withdraw_all
from orders.models import Approval, Delivery, Event, Order, Poll, Reading, Sending, Task, TaskQuerySet
from orders.placing import send_switch
from orders.placing.review import put_in_review
from orders.rules.refusal import Refusal, require_allowed
from orders.rules.statuses import Status
from panel.format.locale import for_the_record
from panel.format.numbers import number
from panel.format.times import day_and_clock, latest, took
from panel.ops.database import batches, database_mark

log = logging.getLogger(__name__)
Kind, Outcome = Task.Kind, Task.Outcome

USUAL_PAUSES = 3  # so many times as long as cron usually pauses is still no gap
QUICK_MOVE = timedelta(minutes=5)  # a worker that ended so lately, and said so, ended for whatever moved the database
EVENTS_READ = 1_000  # newest first, to find the gap
DELIVERIES_READ = 500
NAMED_ORDERS = 3  # in a sentence
ROWS_A_WRITE = 500
JUST_AFTER = timedelta(microseconds=1)  # no claim began at this moment, so it marks what was put in doubt here

RELEASES = ("all", "some", "none")
WHY_LEFT = "it was due in a database that may be old, and was not chosen to be sent: it may have been sent already."
WHY_ASKED = "it waited for approval in a database that may be old: it may have been approved and sent already."
WHY_UNCLEAR = "It was due in a database that may be old, so it may have been sent already."


class LastWorker(NamedTuple):
    """What the books say of the worker before the one that begins now."""

    beat_at: datetime | None  # its last heartbeat; None when none ever ran
    ended_at: datetime | None = None  # when it said that it ends
    pause: timedelta = timedelta(0)  # how long cron usually pauses between two of them; 0 without cron


# ── Noticing ─────────────────────────────────────────────────────────────────────────────────────
def notice(now: datetime, last: LastWorker) -> bool:
    """Stops sending if these books may be old. Returns whether they still wait for a person's release."""
    sending, mark = send_switch.switch_row().get(), database_mark()
    if mark:
        send_switch.switch_row().exclude(store=mark).update(store=mark)
    if sending.old_since or last.beat_at is None:
        return sending.old_since is not None
    worker_at = max(filter(None, (last.beat_at, last_report_at())))
    longest = max(timedelta(hours=settings.OLD_BOOKS_AFTER_HOURS), USUAL_PAUSES * last.pause)
    gap_from = gap_begins(worker_at, event_times(), now, longest)
    since = gap_from or now
    moved = bool(mark and sending.store and mark != sending.store and Order.objects.exists())
    quick = bool(last.ended_at and now - last.ended_at < QUICK_MOVE)
    strangers = unknown_orders(worker_at)
    with for_the_record():
        signs = [
            sentence for sentence, seen in (
                (f"nothing was written to it from {day_and_clock(since)} on, for {took(now - since)}, while "
                 "something was due", gap_from and due_then(since).exists()),
                ("the database lies in another place than when a worker last used it", moved and not quick),
                (f"the supplier names orders that it does not have: {', '.join(strangers)}", strangers),
            ) if seen
        ]  # fmt: skip
        if signs:
            hold(since, worker_at + JUST_AFTER, "; ".join(signs), now)
    return bool(signs)


def gap_begins(
    worker_at: datetime, event_times: Iterable[datetime], now: datetime, longest: timedelta
) -> datetime | None:
    """The last sign of life before a gap of at least `longest` without a worker and without an event, or None.

    `event_times` come newest first. People may have gone on since the gap, as when pages are open before a worker is.
    """
    later = now
    for at in (*event_times, worker_at):
        at = max(min(at, later), worker_at)
        if later - at >= longest:
            return at
        if at == worker_at:
            break
        later = at
    return None


def event_times() -> list[datetime]:
    """When the newest events happened and the newest tasks were asked for, newest first."""
    events = Event.objects.order_by("-pk").values_list("at", flat=True)[:EVENTS_READ]
    # A task is asked for a moment after its event, and must not seem younger than the last of them.
    tasks = Task.objects.order_by("-pk").values_list("asked_at", flat=True)[:EVENTS_READ]
    return sorted([*events, *tasks], reverse=True)


def last_report_at() -> datetime | None:
    """When upstream last reported about an order: the last progress, or a report on a live order without any."""
    progress_at = Reading.objects.order_by("-pk").values_list("at", flat=True).first()
    return latest(progress_at, Poll.objects.aggregate(at=Max("reported_at"))["at"])


def unknown_orders(since: datetime) -> list[str]:
    """Upstream's ids that webhooks named since then and no order here has; none where that is usual or explained.

    An order in doubt explains one: upstream may have it. So does an account that is also used without the desk.
    """
    fresh = Delivery.objects.filter(due_at__isnull=False, received_at__gt=since).exclude(upstream_id="")
    named = list(dict.fromkeys(fresh.order_by("due_at").values_list("upstream_id", flat=True)[:DELIVERIES_READ]))
    known = set(Order.objects.filter(upstream_id__in=named).values_list("upstream_id", flat=True))
    strangers = [upstream_id for upstream_id in named if upstream_id not in known]
    # In the order of the index of open tasks: by kind, SQLite would walk through all that was ever placed.
    open_tasks = Task.objects.filter(settled_at=None).order_by("due_at", "id")
    in_doubt = open_tasks.filter(kind=Kind.PLACE, unclear_since__isnull=False)[:DELIVERIES_READ]
    in_review = Order.objects.filter(status=Status.REVIEW)[:DELIVERIES_READ]
    if len(strangers) <= len(in_doubt.values_list("pk")) + len(in_review.values_list("pk")):
        return []
    parked = Delivery.objects.filter(due_at__isnull=False, how=Delivery.How.PARKED, received_at__lte=since)
    usual = parked.exists() or Delivery.objects.filter(how=Delivery.How.UNKNOWN).exists()
    return [] if usual else strangers[:NAMED_ORDERS]


@transaction.atomic
def hold(since: datetime, doubt_since: datetime, seen: str, now: datetime) -> None:
    """Stops sending until a person releases what was due, and puts all of that in doubt from `doubt_since` on."""
    tasks = list(due_then(since).values_list("pk", "order_id"))
    why = f"The database may be old, as after a restored backup or on a copied machine: {seen}."
    why += f" {number(len(tasks))} due then. Nothing is sent until a manager has decided what may be sent."
    send_switch.stop_for_release(since, doubt_since, why, now)
    for rows in batches(tasks, ROWS_A_WRITE):
        Task.objects.filter(pk__in=[pk for pk, _ in rows], unclear_since=None).update(unclear_since=doubt_since)
        orders = {order for _, order in rows}
        Order.objects.filter(pk__in=orders).change()
        events = (
            Event(order_id=order, kind="old_books", at=now, facts={"at": day_and_clock(since)}) for order in orders
        )
        Event.objects.bulk_create(events)
    doubt_asked(since, doubt_since, now)
    log.error("the books may be old: %s; %d due", seen, len(tasks))


def doubt_asked(since: datetime, doubt_since: datetime, now: datetime) -> None:
    """Leaves to a person what waits for approval in old books: it may have been approved since, and sent."""
    waiting = Approval.objects.filter(decided_at=None, asked_at__lte=since)
    asked = dict(waiting.values_list("pk", "asked_by"))
    waiting.filter(pk__in=asked).update(outcome=Approval.Outcome.WITHDRAWN, decided_at=now, words=WHY_ASKED)
    tasks = [
        Task(order_id=pk, kind=Kind.PLACE, asked_by_id=by, due_at=now, unclear_since=doubt_since)
        for pk, by in asked.items()
    ]
    put_in_review(Task.objects.bulk_create(tasks), WHY_ASKED, at=now)


# ── Releasing ────────────────────────────────────────────────────────────────────────────────────
def due_then(since: datetime) -> TaskQuerySet:
    """What was due, or waited, in the books that end at this moment; longest due first."""
    return Task.objects.filter(settled_at=None, asked_at__lte=since).order_by("due_at", "id")


def fate_of(task: Task, now: datetime) -> str:
    """What a release would make of this task, in a sentence for the person who releases it."""
    if task.kind == Kind.CANCEL:
        return "Asked again. Asking twice does no harm."
    if task.kind == Kind.REFILL:
        return "A person decides on the page Refills: a refill has no request id, and a second one would be used up."
    if not task.trusted(now):
        return "Needs a look: the supplier may have forgotten its request id, so sending it again could order twice."
    return "Sent with the same request id. If the supplier has it already, it names the same order."


class Released(NamedTuple):
    """What a release made of what was due, in tasks."""

    sent: int  # that go now
    left: int  # to a person, or withdrawn


def release(which: str, ticked: Collection[int], *, rested: bool, by: Any) -> Released:
    """Lets all, some (the ticked tasks, by id) or none of what was due be sent, and lets orders go out again.

    What is not released is left to a person, and so is a refill, which has no request_id. `rested` is the person's word
    that nothing was sent from elsewhere since: then all is as it was before, and what is not released is withdrawn.
    """
    require_allowed(by, "decide")
    if which not in RELEASES:
        raise Refusal("Choose all, some or none.")
    if which == "some" and not ticked:
        raise Refusal("Nothing is ticked. Tick what should be sent, or choose to send none.")
    now = timezone.now()
    with transaction.atomic():
        sending = Sending.objects.select_for_update(of=("self",)).filter(old_since__isnull=False).first()
        if sending is None or sending.old_since is None:
            raise Refusal("Somebody else was faster: this is already decided.")
        tasks = list(due_then(sending.old_since))
        # Orders are locked before their tasks change, and in one order by everybody, so no two wait for each other.
        orders = Order.objects.filter(pk__in=[task.order_id for task in tasks])
        list(orders.order_by("pk").select_for_update(no_key=True).values_list("pk"))
        if rested:
            due_then(sending.old_since).filter(unclear_since=sending.doubt_since).update(unclear_since=None)
            tasks = list(due_then(sending.old_since))
        chosen = {task.pk for task in tasks if which == "all" or (which == "some" and task.pk in ticked)}
        goes = [task for task in tasks if task.pk in chosen and (task.kind != Kind.REFILL or not task.unclear_since)]
        stays = [task for task in tasks if task not in goes]
        leave_to_people(stays, by, now)
        orders.change()
        send_switch.end_release(by, now, sent=len(goes), left=len(stays))
    return Released(len(goes), len(stays))


def leave_to_people(tasks: Collection[Task], by: Any, now: datetime) -> None:
    """Orders that may exist upstream need a look, others are withdrawn; refills and cancels have no clear answer."""
    placements = [task for task in tasks if task.kind == Kind.PLACE]
    put_in_review([task for task in placements if task.unclear_since], WHY_LEFT, at=now)
    unsent = [task.order_id for task in placements if not task.unclear_since]
    withdraw_all(Order.objects.filter(pk__in=unsent), by=by, at=now)
    asked = [task for task in tasks if task.kind != Kind.PLACE]
    unclear = Task.objects.filter(pk__in=[task.pk for task in asked], settled_at=None)
    unclear.update(settled_at=now, due_at=None, outcome=Outcome.UNCLEAR, answer=WHY_UNCLEAR)
    events = (Event(order_id=task.order_id, kind=f"{task.kind}_left", by=by, at=now) for task in asked)
    Event.objects.bulk_create(events)

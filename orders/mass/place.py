"""Places a draft: all its orders in one transaction, each with a request_id of its own. The worker sends them.

The draft's id is the token of the list, so that a repeat, a double click or a second tab make one list.
"""

from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.desk_settings import undo_window
from catalog.models import Service
from orders.limits.check import limits_of
from orders.limits.day import desk_day
from orders.mass.check import Preview, services_of
from orders.mass.draft import GONE
from orders.mass.lines import NO, OUT, Line
from orders.mass.totals import NOTHING_SENT, require_within
from orders.models import Event, MassDraft, MassJob, MassLine, Order, Task
from orders.placing.place import body_of
from orders.rules.refusal import Refusal, require_allowed
from panel.format.locale import for_the_record
from panel.format.money import money
from panel.ops.database import batches
from panel.ops.failpoints import fp

ROWS_AT_ONCE = 500  # in one statement
MOVED = f"Something moved since you looked: a price, a hold, or the list itself. {NOTHING_SENT} Look at it again."
NONE_READY = f"No line of this list can go as it is. {NOTHING_SENT}"


def place_list(pk: Any, seen: str, *, by: Any, send_when_funded: bool = True) -> MassJob:
    """Writes down the orders of all ready lines of a draft, or none of them. The same draft returns the same list.

    `seen` is the mark of the preview that the person looked at: nothing is ordered at terms that nobody saw.
    """
    require_allowed(by, "place")
    jobs = MassJob.objects.filter(token=pk)
    try:
        with transaction.atomic():
            draft = MassDraft.objects.select_for_update().filter(pk=pk, owner=by).first()
            if earlier := jobs.first():
                return same_list(earlier, by)
            if draft is None:
                raise Refusal(GONE)
            preview = locked_preview(draft, by)
            if not preview.ready:
                raise Refusal(NONE_READY)
            if preview.mark != seen:
                raise Refusal(MOVED)
            job = write(preview, by, timezone.now(), send_when_funded=send_when_funded)
            draft.delete()
            fp("mass.commit")
        fp("mass.committed")
    except IntegrityError:  # the same draft, placed at the same moment
        if earlier := jobs.first():
            return same_list(earlier, by)
        raise
    return job


def same_list(job: MassJob, by: Any) -> MassJob:
    """This list, for the person who placed it."""
    if job.placed_by_id != by.pk:
        raise Refusal(GONE)
    return job


def locked_preview(draft: MassDraft, by: Any) -> Preview:
    """The draft, checked while its services are locked: their terms and the orders alike stay as they are checked.

    By id, like everybody who locks several services, so that no two wait for each other.
    """
    services = services_of(line["typed"].get("service", "") for line in draft.lines)
    for some in batches(sorted(service.pk for service in services.values()), ROWS_AT_ONCE):
        list(Service.objects.select_for_update(no_key=True).filter(pk__in=some).order_by("pk").values_list("pk"))
    return Preview(draft, by)


def write(preview: Preview, by: Any, at: datetime, *, send_when_funded: bool) -> MassJob:
    """Writes the list, its orders, their tasks and the trail, inside the caller's transaction."""
    lines, draft = preview.ready, preview.draft
    expected = sum((line.charge or Decimal(0) for line in lines), Decimal(0))
    job = MassJob.objects.create(
        token=draft.pk, placed_by=by, placed_at=at, source=draft.source, listed=len(preview.lines),
        ordered=len(lines), expected_charge=expected,
    )  # fmt: skip
    day, due_at = desk_day(at), at + undo_window(by)
    orders = [order_of(line, by, at, day, send_when_funded=send_when_funded) for line in lines]
    Order.objects.bulk_create(orders, batch_size=ROWS_AT_ONCE)
    fp("mass.half")
    require_within(limits_of(by), expected, by, at)
    Task.objects.bulk_create(
        [Task(order=order, kind=Task.Kind.PLACE, asked_by=by, asked_at=at, due_at=due_at) for order in orders],
        batch_size=ROWS_AT_ONCE,
    )
    with for_the_record():
        events = [event for line, order in zip(lines, orders, strict=True) for event in events_of(line, order, by, at)]
    events.append(Event(kind="list_placed", by=by, at=at, facts={"count": f"{len(orders):,}", "job": job.pk}))
    Event.objects.bulk_create(events, batch_size=ROWS_AT_ONCE)
    order_of_line = {line.number: order for line, order in zip(lines, orders, strict=True)}
    MassLine.objects.bulk_create(
        [
            MassLine(job=job, number=line.number, typed=line.typed, order=order_of_line.get(line.number),
                     why="" if line.number in order_of_line else why_left(line))
            for line in preview.lines
        ],
        batch_size=ROWS_AT_ONCE,
    )  # fmt: skip
    return job


def order_of(line: Line, by: Any, at: datetime, day: Any, *, send_when_funded: bool) -> Order:
    """The order of a ready line, not saved yet. Nothing of customer, reference or selling price goes upstream."""
    read, service = line.read, line.service
    assert service is not None and line.charge is not None  # noqa: S101  a ready line has both
    values = read.values
    body = body_of(
        service, read.target, line.quantity, runs=values["runs"], interval=values["interval"],
        coupon=values["coupon"] or "", fields=read.fields,
    )  # fmt: skip
    order = Order(
        service=service, link=read.target, quantity=service.least if line.quantity is None else line.quantity,
        runs=values["runs"], interval=values["interval"], coupon=values["coupon"] or "", body=body, placed_by=by,
        send_when_funded=send_when_funded, rate_seen=service.rate, expected_charge=line.charge, created_at=at,
        counts_on=day, customer=line.customer, customer_reference=line.reference,
        sold_for=line.sale.price if line.sale else None,
    )  # fmt: skip
    order.fill_search_fields()
    return order


def events_of(line: Line, order: Order, by: Any, at: datetime) -> list[Event]:
    """The lines of the trail about a new order, as `place` writes them."""
    service, asked = order.service, {question.kind for question in line.questions}
    quantity = f"{order.runs} × {order.quantity:,}" if order.runs else f"{order.quantity:,}"
    facts = {"quantity": quantity, "rate": money(service.rate), "expected": money(order.expected_charge)}
    events = [Event(order=order, kind="placed", by=by, at=at, facts=facts)]
    if "held" in asked:
        events.append(Event(order=order, kind="despite_hold", by=by, at=at))
    if "unread" in asked:
        events.append(Event(order=order, kind="despite_unread", by=by, at=at, facts={"why": service.unread_why}))
    if "dearer" in asked and service.price_move:
        prices = {"was": money(service.price_move.was), "now": money(service.rate)}
        events.append(Event(order=order, kind="despite_price", by=by, at=at, facts=prices))
    if "credit" in asked:
        events.append(Event(order=order, kind="despite_credit", by=by, at=at))
    if not order.send_when_funded:
        events.append(Event(order=order, kind="waits_for_press", by=by, at=at))
    return events


def why_left(line: Line) -> str:
    """Why a line became no order, as its list keeps it."""
    if line.state == OUT:
        return "Left out."
    if line.state == NO:
        return " ".join(line.errors.values())
    return " ".join(f"Not answered: {question.sentence}" for question in line.questions if not question.yes)

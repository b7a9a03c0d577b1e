"""Whom and what the visits of visits.py are about: a fitting row for each name in braces."""

import uuid
from datetime import timedelta
from typing import Any

from django.utils import timezone

from accounts.models import DoorEvent, TrailLine, User
from catalog.models import Change, Service, ShrinkAlarm
from orders.activity.search import Place
from orders.answers.situations import SITUATIONS
from orders.bulk.assignments import Picked
from orders.bulk.selection import Selection
from orders.mass.check import Preview
from orders.models import (
    KeptSearch,
    ListTemplate,
    MassDraft,
    MassJob,
    MassLine,
    Order,
    Plan,
    PlanPart,
    SavedView,
    SellingRule,
    Task,
)
from orders.rules.statuses import Status
from orders.table.paging import key_text
from panel.alarms.models import Alarm
from tests.benchmarks.history import NEWEST, RECENT
from tests.makers import PASSWORD


def a_list(owner: User, service: Service, *orders: Order) -> dict[str, str]:
    """A draft of this person's, and a list that was placed, of these orders, the last of which was refused."""
    Task.objects.filter(order=orders[-1], kind=Task.Kind.PLACE).update(outcome=Task.Outcome.REFUSED)
    typed = {"service": str(service.upstream_id), "link": "https://instagram.com/lumen.listed", "quantity": "1000"}
    draft = MassDraft.objects.create(owner=owner, source="a pasted list", changed_at=timezone.now(),
                                     lines=[{"n": 1, "typed": typed}])  # fmt: skip
    job = MassJob.objects.create(token=uuid.uuid4(), placed_by=owner, placed_at=timezone.now(), source="a pasted list",
                                 listed=2, ordered=2, expected_charge=1)  # fmt: skip
    MassLine.objects.bulk_create(
        MassLine(job=job, number=n, order=order, typed=typed) for n, order in enumerate(orders, start=1)
    )
    plan = Plan.objects.create(token=uuid.uuid4(), owner=owner, made_at=timezone.now(), source="a pasted list", seen={},
                               zone="UTC", listed=2, part_lines=1, every=1, unit="days")  # fmt: skip
    for number, outcome in ((1, "refused"), (2, "")):
        at = timezone.now() + timedelta(days=number)
        PlanPart.objects.create(plan=plan, number=number, due_at=at, next_at=None if outcome else at, listed=1,
                                left=len(outcome and "1"), outcome=outcome, lines=draft.lines)  # fmt: skip
    template = ListTemplate.objects.create(owner=owner, name="Weekly", key="weekly", listed=1, saved_at=timezone.now(),
                                           lines=[{"n": 1, "typed": typed, "blanks": ["link"]}])  # fmt: skip
    first = f"{timezone.now() + timedelta(days=1):%Y-%m-%dT%H:%M}"
    return {
        "draft": str(draft.pk), "list": str(job.pk), "list_mark": Preview(draft, owner).mark, "plan": str(plan.pk),
        "template": str(template.pk),
        "first": first,
    }  # fmt: skip


def own_approval(owner: User, orders: list[Order]) -> str:
    """The second of the orders that wait for a yes, now one that this person asked for."""
    _, order, *_ = (order for order in orders if order.status == Status.APPROVAL)
    Order.objects.filter(pk=order.pk).update(placed_by=owner)
    return str(order.pk)


def subjects(owner: User) -> dict[str, str]:
    """Each name's text, of the recent thousand, which is the same on a desk of any size."""
    recent = Order.objects.for_page().filter(pk__gt=NEWEST - RECENT).order_by("-pk")
    orders = list(recent)
    middle = next(order for order in orders if order.pk == NEWEST - RECENT // 2 - 1)
    service = Service.objects.get(upstream_id=1_000)

    def first(fits: Any) -> str:
        return str(next(order.pk for order in orders if fits(order)))

    def with_task(kind: str, outcome: str) -> str:
        return first(lambda order: any(t.kind == kind and t.outcome == outcome and not t.over_at
                                       for t in order.tasks_newest_first))  # fmt: skip

    def placing(order: Order) -> Task:
        task = order.placing_task
        assert task
        return task

    plain = [order for order in orders if not order.missing_since and order.doubts is None]
    picked = [order.pk for order in orders if not order.why_no_refill()][:50]
    line = TrailLine.objects.filter(order=middle).latest("pk")
    line_place = Place(line.at, line.pk)
    unsent = next(order for order in orders if order.status == Status.QUEUED and placing(order).attempts == 0)
    refused = next(order for order in orders if order.status == Status.REJECTED)
    return {
        **a_list(owner, service, unsent, refused), "own_approval": own_approval(owner, orders),
        **{status: str(next(o.pk for o in plain if o.status == status)) for status in Status},
        **{f"{status}_4th": str([o.pk for o in orders if o.status == status][3]) for status in Status},
        "owner_4th": str([order.pk for order in orders if order.placed_by_id == owner.pk][3]),
        "middle": str(middle.pk), "early": str(NEWEST - RECENT // 4), "upstream_id": str(middle.upstream_id),
        "request_id": str(middle.request_id), "link": middle.link, "word": middle.link.rstrip("/")[-9:],
        "dear": key_text((middle.cost, middle.pk)), "owner": str(owner.pk), "person": str(owner.pk + 5),
        "service": str(service.upstream_id), "service_pk": str(service.pk), "seen": service.as_seen,
        "token": str(uuid.UUID(int=7)), "search": KeptSearch.objects.order_by("-typed_at")[0].key,
        "view": str(SavedView.objects.of_orders().filter(owner=owner).order_by("pk")[0].pk),
        "report": str(SavedView.objects.of_reports().filter(owner=owner).order_by("pk")[0].pk),
        "job": "500", "worklist": "500", "cancelled_text": SITUATIONS["cancelled"].text,
        "pasted": "\n".join(map(str, picked)),
        "picked": Selection.of("refill", picked, "found in a pasted text").signed(),
        "task": str(middle.pk * 4), "event": str(line_place), "event_line": str(line_place.pk),
        "event_order": str(middle.pk),
        "noted": str(middle.pk // 8 * 8),
        "missing": first(lambda order: order.missing_since), "doubted": first(lambda order: order.doubts),
        "unassigned": first(lambda order: not order.assigned_to_id),
        "unsent": first(lambda order: order.status == Status.QUEUED and placing(order).attempts == 0),
        "unfunded": first(lambda order: order.status == Status.QUEUED and placing(order).needs is not None),
        "waiting": first(lambda order: order.waits_again), "refillable": first(lambda order: not order.why_no_refill()),
        "refill_unclear": with_task("refill", "unclear"), "refill_pending": with_task("refill", "done"),
        "cancellable": first(lambda o: o.status == Status.IN_PROGRESS and not o.why_no_cancel()),
        "cancel_unclear": with_task("cancel", "unclear"),
        "change": str(Change.objects.undecided().order_by("-pk")[3].pk),
        "decided": str(Change.objects.filter(decided_at__isnull=False).order_by("-pk")[1].pk),
        "shift_note": "49995", "handed": first(lambda order: order.assigned_to_id == owner.pk),
        "night": f"{timezone.now() - timedelta(hours=15):%Y-%m-%dT%H:%MZ}",
        "month": f"{timezone.now() - timedelta(days=30):%Y-%m-%dT%H:%MZ}",
        "assigned": Picked({0: picked}, "ticked on the orders page").signed(),
        "customer": "1", "few": "41", "reference": "INV-0",
        "price_rule": str(SellingRule.objects.order_by("-pk")[3].pk),
        "reading": "49990", "alarm": "1996", "door": str(DoorEvent.objects.order_by("-at")[100].pk), "session": "51",
        "unseen_alarm": str(Alarm.objects.exclude(sightings__user=owner)[0].pk),
        "shrink": str(ShrinkAlarm.objects.get().pk), "password": PASSWORD, "numbers": owner.numbers,
        "yesterday": str((timezone.now() - timedelta(days=1)).date()), "today": str(timezone.now().date()),
    }  # fmt: skip

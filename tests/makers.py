"""Makes what a test does not care about; each maker takes what it does care about."""

import uuid
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any

from django.utils import timezone

from accounts.access import Role
from accounts.models import User
from catalog.models import Service
from catalog.sync import apply_catalog, search_text
from orders.following.claim import claim, polls_due
from orders.models import Approval, Order, Poll, Task
from orders.models.poll import queue_of
from orders.placing.place import place
from orders.rules.statuses import LIVE, Status
from panel.notpanel.budget import Purpose
from panel.notpanel.client import Client
from panel.notpanel.shapes import Report, ServiceRow

PASSWORD = "quiet-harbour-lamp"
PAGE = 20  # services
_number = count(1)


def make_user(role: Role = Role.OPERATOR, **fields: Any) -> User:
    number = next(_number)
    return User.objects.create_user(
        **{"username": f"{role}{number}", "password": PASSWORD, "role": role, "name": f"Ana {number}", **fields}
    )


def make_row(**fields: Any) -> ServiceRow:
    """A service as the client reads it from upstream's list."""
    number = fields.get("upstream_id", next(_number) + 1000)
    said: dict[str, Any] = {
        "upstream_id": number, "name": f"Instagram Followers — R30, no. {number}", "type": "Default",
        "category": "Instagram › Followers", "rate": Decimal("0.90"), "minimum": 50, "maximum": 10_000,
        "refill": True, "cancel": True, "dripfeed": False,
    }  # fmt: skip
    return ServiceRow(**{**said, **fields})


def make_service(**fields: Any) -> Service:
    active = fields.pop("active", True)
    row, now = make_row(**fields), timezone.now()
    return Service.objects.create(
        upstream_id=row.upstream_id, name=row.name, type=row.type, category=row.category, rate=row.rate,
        minimum=row.minimum, maximum=row.maximum, refill=row.refill, cancel=row.cancel, dripfeed=row.dripfeed,
        active=active, first_seen_at=now, changed_at=now, haystack=search_text(row),
    )  # fmt: skip


def place_order(**fields: Any) -> Order:
    """An order by the verb that every door uses: queued, its task due."""
    asked = {"link": "https://instagram.com/lumen.studio", "quantity": 1000, "token": uuid.uuid4(), **fields}
    return place(**{**asked, "by": asked.get("by") or make_user(), "service": asked.get("service") or make_service()})


def make_order(status: str = Status.QUEUED, **fields: Any) -> Order:
    """An order somewhere in its life; once upstream has spoken it has an upstream id, and a next look while live."""
    order = place_order(**{name: fields.pop(name) for name in ("by", "service", "link", "quantity") if name in fields})
    said: dict[str, Any] = {"status": status}
    polled = {name: fields.pop(name) for name in ("next_poll_at", "urgency", "share") if name in fields}
    if status == Status.APPROVAL:
        order.tasks.all().delete()
        make_approval(order)
    elif status not in (Status.QUEUED, Status.REVIEW, Status.REJECTED):
        said |= {"upstream_id": f"ord_{order.pk:08}"}
        polled = {"next_poll_at": timezone.now() if status in LIVE else None, **polled}
    if status != Status.QUEUED:
        outcome = {Status.REVIEW: Task.Outcome.REVIEW, Status.REJECTED: Task.Outcome.REFUSED}.get(
            Status(status) if status in Status.values else Status.PENDING, Task.Outcome.DONE
        )
        order.tasks.update(settled_at=timezone.now(), due_at=None, attempts=1, outcome=outcome)
    Order.objects.filter(pk=order.pk).update(**{**said, **fields})
    if polled.get("next_poll_at"):
        Poll.objects.create(order=order, queue=queue_of(fields.get("left_out", 0)), **polled)
    order.refresh_from_db()
    return order


def make_approval(order: Order, **facts: Any) -> Approval:
    """What the person who placed the order asked a second person to approve."""
    now = timezone.now()
    return Approval.objects.create(
        order=order, asked_by=order.placed_by, asked_at=now, expires_at=now + timedelta(hours=2), why="sum",
        limit=Decimal("0.5"), rate=order.rate_seen, charge=order.expected_charge, **facts,
    )  # fmt: skip


def make_report(
    order: Order, status: str = Status.IN_PROGRESS, asked_at: datetime | None = None, **said: Any
) -> Report:
    return Report(**{
        "upstream_id": order.upstream_id or "", "status": status, "charge": Decimal("0.90"), "start_count": 12_480,
        "remains": 650, "currency": "USD", "asked_at": asked_at or timezone.now(), "raw": {"status": status}, **said,
    })  # fmt: skip


def claimed_ids(now: datetime) -> list[str]:
    """Claims the orders of the next status call: upstream's ids as the call names them, [] if none is due."""
    call = claim(now)
    return list(call.due) if call else []


def poll_wanted(now: datetime) -> Purpose | None:
    """What a status call would be for now; None if no poll is due."""
    return next((purpose for purpose, polls in polls_due(now) if polls.exists()), None)


def minutes(number: float) -> timedelta:
    return timedelta(minutes=number)


def sold_by(phone: Client, **wanted: Any) -> Service:
    """Mirrors a page of the catalog, and gives its first service. A thousand can be ordered of each."""
    wanted = {"type": "Default", **wanted}
    said = phone.services()
    fitting = [
        row for row in said.rows
        if row.minimum <= 1000 <= row.maximum and all(getattr(row, name) == value for name, value in wanted.items())
    ]  # fmt: skip
    assert fitting, f"the sandbox sells nothing like {wanted}"
    # All of it would take longer than most tests that want one service.
    apply_catalog(replace(said, rows=tuple(fitting[:PAGE])), timezone.now())
    return Service.objects.get(upstream_id=fitting[0].upstream_id)


def reloaded(order: Order) -> Order:
    """The order as the table reads it now."""
    return Order.objects.for_table().get(pk=order.pk)

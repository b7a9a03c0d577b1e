"""Placing an order: it is written down together with its task, and the worker sends it."""

import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction

from catalog.models import Service
from orders.models import Order, Task
from orders.rules.links import spellings
from orders.rules.refusal import Refusal, allowed
from orders.rules.service_types import service_type_of
from orders.rules.statuses import LIFE, LIVE, Status
from panel.format.locale import for_the_record
from panel.format.money import money
from panel.ops.failpoints import fp

# An order for the same service and link within this time is shown before another is placed.
SIMILAR_FOR = timedelta(days=1)
SIMILAR_AT_MOST = 3
UNDER_WAY = LIVE | {Status.QUEUED, Status.REVIEW}
ENDED = frozenset(LIFE) - UNDER_WAY  # a word of upstream's that we do not know is not over
NOTHING_BOUGHT = frozenset(status for status, stage in LIFE.items() if not (stage.upstream or stage.then))


def place(
    *, by: Any, service: Service, link: str, quantity: int | None, token: uuid.UUID,
    runs: int | None = None, interval: int | None = None, coupon: str = "", fields: Mapping[str, str] | None = None,
    send_when_funded: bool = True, despite_hold: bool = False,
) -> Order:  # fmt: skip
    """Writes an order and its task down together; the worker sends it. The same token gives the same order.

    `quantity` is None where none goes to upstream and it bills the minimum; `runs` is None or at least 2, with
    `interval` in minutes; `fields` are the type's own, such as `comments`, as they are sent. `despite_hold`: the
    person was shown that the service is on hold, and said yes to that.
    """
    allowed(by, "place")
    body = body_of(
        service, link=link, quantity=quantity, runs=runs, interval=interval, coupon=coupon, fields=fields or {}
    )
    # Looked for first, so that F5 leads to the order also when the service has gone meanwhile.
    if earlier := Order.objects.filter(form_token=token).first():
        return same_order(earlier, by, body, send_when_funded)
    held = service.why_held()
    if why := service.why_no_order() or ("" if despite_hold else held):
        raise Refusal(why)
    amount = service.minimum if quantity is None else quantity
    try:
        with transaction.atomic():
            order = Order.objects.create(
                service=service, link=link, quantity=amount, runs=runs, interval=interval, coupon=coupon,
                body=body, form_token=token, placed_by=by, send_when_funded=send_when_funded,
                rate_seen=service.rate, expected_charge=service.expected_charge(amount, runs or 1),
            )  # fmt: skip
            fp("order.half")
            undo = timedelta(seconds=settings.SEND_DELAY_SECONDS)
            order.tasks.create(kind=Task.Kind.PLACE, asked_by=by, due_at=order.created_at + undo)
            with for_the_record():
                facts = {
                    "quantity": f"{runs} × {amount:,}" if runs else f"{amount:,}",
                    "rate": money(service.rate), "expected": money(order.expected_charge),
                }  # fmt: skip
            order.record("placed", by=by, at=order.created_at, **facts)
            if held:
                order.record("despite_hold", by=by, at=order.created_at)
            if not send_when_funded:
                order.record("waits_for_press", by=by, at=order.created_at)
            fp("order.commit")
        fp("order.committed")
        return order
    except IntegrityError:  # the same form, sent at the same moment
        if earlier := Order.objects.filter(form_token=token).first():
            return same_order(earlier, by, body, send_when_funded)
        raise


def same_order(order: Order, by: Any, body: dict[str, str], send_when_funded: bool) -> Order:
    """The order that a form's token led to; a Refusal when it is not what that form asks for now."""
    if order.placed_by_id != by.pk:
        raise Refusal("This form was already sent by somebody else. Load the page again for a new one.")
    if (order.body, order.send_when_funded) != (body, send_when_funded):
        again = "Nothing more was ordered; load the page again for another order."
        raise Refusal(f"This form already became order {order.pk}. {again}")
    return order


def body_of(
    service: Service, *, link: str, quantity: int | None, runs: int | None, interval: int | None, coupon: str,
    fields: Mapping[str, str],
) -> dict[str, str]:  # fmt: skip
    """Exactly what goes with `add`: what the service's type takes, and nothing empty."""
    takes = service_type_of(service).fields
    asked = {"link": link, "quantity": quantity}
    said: dict[str, object] = {
        "service": service.upstream_id, **{name: value for name, value in asked.items() if name in takes},
        **fields, "runs": runs, "interval": interval, "coupon": coupon,
    }  # fmt: skip
    return {name: str(value) for name, value in said.items() if value not in (None, "")}


# ── Orders like it ───────────────────────────────────────────────────────────────────────────────
def similar_orders(service: Service, link: str, now: datetime) -> list[Order]:
    """Orders for the same service and link that are under way or younger than a day, newest first; a few.

    A rejected one is none: nothing was bought.
    """
    same = Order.objects.filter(service=service, link__in=spellings(link)).exclude(status__in=NOTHING_BOUGHT)
    same = same.select_related("placed_by", "service").prefetch_related("tasks")
    young, open_ = same.filter(created_at__gte=now - SIMILAR_FOR), same.exclude(status__in=ENDED)
    found = {order.pk: order for half in (young, open_) for order in half[:SIMILAR_AT_MOST]}
    return sorted(found.values(), key=lambda order: -order.pk)[:SIMILAR_AT_MOST]

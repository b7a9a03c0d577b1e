"""Places an order: writes it down together with the task to send it, which the worker takes up."""

import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction

from accounts.desk_settings import current, undo_window
from catalog.models import Service
from catalog.networks import target_of
from orders.approvals import decide as approvals
from orders.customers.change import cleaned_reference
from orders.customers.find import ABOVE_CREDIT, credit_of
from orders.limits.check import limits_of, over_with
from orders.limits.day import desk_day
from orders.models import Customer, Order, Task
from orders.models.order import IS_UNDER_WAY
from orders.rules.links import network_of
from orders.rules.refusal import Refusal, require_allowed
from orders.rules.service_types import service_type_of
from orders.rules.statuses import Status
from orders.selling.prices import sale_of
from panel.format.locale import for_the_record
from panel.format.money import money, stored
from panel.ops.failpoints import fp

SIMILAR_ORDER_AGE = timedelta(days=1)  # a younger order for the same service and target is shown before another one
SIMILAR_ORDERS_SHOWN = 3


def place(
    *, by: Any, service: Service, link: str, quantity: int | None, token: uuid.UUID,
    runs: int | None = None, interval: int | None = None, coupon: str = "", fields: Mapping[str, str] | None = None,
    send_when_funded: bool = True, despite_hold: bool = False, despite_unread: bool = False,
    despite_price: bool = False, ask: bool = False, reason: str = "",
    customer: Customer | None = None, customer_reference: str = "", despite_credit: bool = False,
) -> Order:  # fmt: skip
    """Writes an order and its task down together; the worker sends it. The same token returns the same order.

    An order that does not fit the person's limits is refused, or with `ask` waits for a second person's approval, who
    reads the `reason`.

    `quantity` is None where none goes to upstream and it bills the minimum. `runs` is None or at least 2, with
    `interval` in minutes. `fields` are the service type's own, such as `comments`, as they are sent. `despite_hold`:
    the person was shown that the service is on hold, and agreed to order it all the same; `despite_unread`: that its
    newest row cannot be read; `despite_price`: that its rate rose and nobody has decided about it.

    The desk alone knows the `customer` it is for, the `customer_reference` they call it by, and its selling price,
    which is frozen here. `despite_credit`: the person agreed that the customer then owes more than their limit.
    """
    require_allowed(by, "place")
    if customer or customer_reference:
        require_allowed(by, "customers")
    body = body_of(service, link, quantity, runs=runs, interval=interval, coupon=coupon, fields=fields or {})
    # Before the service is checked, so that F5 leads to the order even if the service has gone meanwhile.
    if earlier := Order.objects.filter(form_token=token).first():
        return same_order(earlier, by, body, send_when_funded)
    held, unread = service.why_held(), service.why_unread()
    dearer = service.why_dearer(current().price_jump_percent)
    doubts = ((held, despite_hold), (unread, despite_unread), (dearer, despite_price))
    if why := service.why_no_order() or next((why for why, agreed in doubts if why and not agreed), ""):
        raise Refusal(why)
    amount = service.least if quantity is None else quantity
    if amount < 1:
        raise Refusal("At least 1. An order of nothing is none.")
    try:
        with transaction.atomic():
            order = Order(
                service=service, link=link, quantity=amount, runs=runs, interval=interval, coupon=coupon,
                body=body, form_token=token, placed_by=by, send_when_funded=send_when_funded,
                rate_seen=service.rate, expected_charge=service.expected_charge(amount, runs or 1),
                customer=customer, customer_reference=cleaned_reference(customer_reference),
            )  # fmt: skip
            sale = sale_of(customer, service, stored(order.expected_charge))
            order.sold_for = sale.price if sale else None
            credit = credit_of(customer, order.sold_for)
            if credit and credit.is_above and not despite_credit:
                raise Refusal(ABOVE_CREDIT.format(customer=credit.customer))
            order.counts_on = desk_day(order.created_at)
            order.save(force_insert=True)
            fp("order.half")
            above = over_with(order, limits_of(by), at=order.created_at)
            if above and not (ask and above.may_ask):
                raise Refusal(above.sentence(by))
            if above is None:
                order.tasks.create(kind=Task.Kind.PLACE, asked_by=by, due_at=order.created_at + undo_window(by))
            with for_the_record():
                facts = {
                    "quantity": f"{runs} × {amount:,}" if runs else f"{amount:,}",
                    "rate": money(service.rate), "expected": money(order.expected_charge),
                }  # fmt: skip
            order.record("placed", by=by, at=order.created_at, **facts)
            if held:
                order.record("despite_hold", by=by, at=order.created_at)
            if unread:
                order.record("despite_unread", by=by, at=order.created_at, why=service.unread_why)
            if dearer and service.price_move:
                with for_the_record():
                    prices = {"was": money(service.price_move.was), "now": money(service.rate)}
                order.record("despite_price", by=by, at=order.created_at, **prices)
            if credit and credit.is_above:
                order.record("despite_credit", by=by, at=order.created_at)
            if not send_when_funded:
                order.record("waits_for_press", by=by, at=order.created_at)
            if above:
                approvals.ask(order, above, reason, at=order.created_at)
            fp("order.commit")
        fp("order.committed")
        return order
    except IntegrityError:  # the same form, sent at the same moment
        if earlier := Order.objects.filter(form_token=token).first():
            return same_order(earlier, by, body, send_when_funded)
        raise


def same_order(order: Order, by: Any, body: dict[str, str], send_when_funded: bool) -> Order:
    """This order, if it is what the form with its token asks for now; raises a Refusal otherwise."""
    if order.placed_by_id != by.pk:
        raise Refusal("This form was already sent by somebody else. Load the page again for a new one.")
    if (order.body, order.send_when_funded) != (body, send_when_funded):
        again = "Nothing more was ordered; load the page again for another order."
        raise Refusal(f"This form already became order {order.pk}. {again}")
    return order


def body_of(
    service: Service, link: str, quantity: int | None, *, runs: int | None, interval: int | None, coupon: str,
    fields: Mapping[str, str],
) -> dict[str, str]:  # fmt: skip
    """Exactly the fields that go with `add`: those of the service's type, and none that is empty."""
    takes = service_type_of(service).fields
    sent: dict[str, object] = {
        "service": service.upstream_id, "link": link if "link" in takes else None,
        "quantity": quantity if "quantity" in takes else None, **fields,
        "runs": runs, "interval": interval, "coupon": coupon,
    }  # fmt: skip
    return {name: str(value) for name, value in sent.items() if value not in (None, "")}


# ── Orders like it ───────────────────────────────────────────────────────────────────────────────
def similar_orders(service: Service, link: str, now: datetime) -> list[Order]:
    """At most three orders of the service to where this link leads, newest first, under way or younger than a day.

    Rejected orders do not count, for they bought nothing.
    """
    target = target_of(link, network_of(service.category, service.name))
    similar = Order.objects.filter(service=service, target=target).order_by("-created_at").values_list("pk", flat=True)
    # The ids first, each by an index of its own: joined with the service, a database may begin with all its orders.
    young = similar.filter(created_at__gte=now - SIMILAR_ORDER_AGE).exclude(status=Status.REJECTED)
    under_way = similar.filter(IS_UNDER_WAY)
    pks = {*young[:SIMILAR_ORDERS_SHOWN], *under_way[:SIMILAR_ORDERS_SHOWN]}
    newest = sorted(pks, reverse=True)[:SIMILAR_ORDERS_SHOWN]
    orders = Order.objects.filter(pk__in=newest).order_by("-pk")
    return list(orders.select_related("placed_by", "service").prefetch_related("tasks"))

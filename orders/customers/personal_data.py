"""All that is kept of one customer as one file, which they may ask for."""

import json
from collections.abc import Iterator
from typing import Any

from accounts.access import may
from accounts.models import TrailLine
from orders.customers.change import record_customer
from orders.models import Customer, Order, Payment
from orders.rules.margin import earned_of
from orders.rules.refusal import require_allowed
from orders.rules.statuses import label
from orders.statistics.customer_sums import sums_of
from panel.format.times import machine

ORDERS_PER_QUERY = 2_000


def personal_data(customer: Customer, *, by: Any) -> str:
    """What is kept, as JSON. What we pay for their orders is not theirs; what they pay is left out without `money`."""
    require_allowed(by, "customers")
    require_allowed(by, "export")
    money = may(by, "money")
    kept: dict[str, Any] = {
        "customer": customer.pk, "name": customer.name, "contact": customer.contact, "note": customer.note,
        "language": customer.language, "time zone": customer.time_zone,
        "in the register since": machine(customer.created_at),
        "orders": list(order_facts(customer, money=money)),
    }  # fmt: skip
    if money:
        sums = sums_of([customer.pk])[customer.pk]
        kept |= {
            "price list": str(customer.price_list or ""), "credit limit in USD": amount(customer.credit_limit),
            "they pay in all, in USD": amount(sums.earned), "they paid, in USD": amount(sums.paid),
            "payments": [
                {"at": machine(payment.at), "USD": amount(payment.amount)}
                for payment in Payment.objects.filter(customer=customer)
            ],
        }  # fmt: skip
    lines = TrailLine.objects.filter(thing="customer", thing_id=customer.pk).select_related("by").newest_first()
    kept["what the team did"] = [{"at": machine(line.at), "what": line.sentence.plain} for line in lines]
    record_customer("customer_exported", customer, by=by)
    return json.dumps(kept, ensure_ascii=False, indent=2)


def order_facts(customer: Customer, *, money: bool) -> Iterator[dict[str, Any]]:
    """Their orders, newest first, read in batches by the index of a customer's orders."""
    last = None
    theirs = Order.objects.filter(customer=customer).select_related("service").order_by("-pk")
    while batch := list((theirs.filter(pk__lt=last) if last else theirs)[:ORDERS_PER_QUERY]):
        for order in batch:
            paid = {"they pay, in USD": amount(earned_of(order))} if money else {}
            yield {
                "order": order.pk, "their reference": order.customer_reference, "service": order.service.name,
                "link": order.link, "quantity": order.total, "status": label(order.status),
                "placed at": machine(order.created_at), **paid,
            }  # fmt: skip
        last = batch[-1].pk


def amount(value: Any) -> str | None:
    """An amount as a program reads it: with a point and without needless zeros."""
    return None if value is None else f"{value.normalize():f}"

"""Orders whose frozen selling price is too low: charged above it, or not sent yet while their price rose."""

from collections import defaultdict
from collections.abc import Collection
from decimal import Decimal
from typing import NamedTuple

from django.db.models import QuerySet

from orders.models import Order
from orders.models.order import COSTS_MORE, SOLD_UNSENT
from orders.selling.prices import Sale
from panel.web.paging import one_more

MOST_LISTED = 50
MOST_UNSENT = 500  # sold orders that are not sent, read for a page of prices or of changes


class Low(NamedTuple):
    """An order and what it is sold for, beside what it costs us now."""

    order: Order
    sale: Sale


def charged_above(rows: int = MOST_LISTED) -> tuple[list[Low], bool]:
    """The newest orders that cost more than they were sold for, and whether there are more. By `order_below_cost`."""
    orders: QuerySet[Order] = Order.objects.filter(COSTS_MORE).select_related("service", "customer").order_by("-pk")
    listed, more = one_more(orders, rows)
    return [Low(order, Sale(order.sold_for or Decimal(0), order.cost)) for order in listed], more


def sold_below(services: Collection[int]) -> dict[int, list[Low]]:
    """Service → orders that are sold and not sent, and would earn too little at its rate now. One query.

    By `order_sold_unsent`. What waits to be sent is ordered at the rate that upstream takes then.
    """
    if not services:
        return {}
    unsent = Order.objects.filter(SOLD_UNSENT, service__in=services).select_related("service", "customer")
    found: defaultdict[int, list[Low]] = defaultdict(list)
    for order in unsent.order_by("-pk")[:MOST_UNSENT]:
        cost = order.service.expected_charge(order.quantity, order.runs or 1)
        sale = Sale(order.sold_for or Decimal(0), cost)
        if order.upstream_id is None and cost > order.expected_charge and sale.warning:
            found[order.service_id].append(Low(order, sale))
    return dict(found)


def unsent_below() -> list[Low]:
    """The same for all services."""
    services = Order.objects.filter(SOLD_UNSENT).order_by().values_list("service", flat=True).distinct()
    below = sold_below(list(services[:MOST_UNSENT]))
    return sorted((low for of_service in below.values() for low in of_service), key=lambda low: -low.order.pk)

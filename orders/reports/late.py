"""The page of late orders by service, each with a message to the supplier, and of how long services usually take."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from django.db import connection
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.access import needs
from accounts.desk_settings import current
from catalog.models import Service
from orders.models import Order, Pace
from orders.models.statistics import IS_MEASURED, SLOWNESS, usual_times
from orders.rules.lateness import UsualTimes, late_if_from
from panel.web.paging import one_more
from panel.web.params import read_number

ORDERS_SHOWN = 50  # late orders on a page, the longest late first
SERVICES_SHOWN = 100  # in the table of usual times
ROW_FIELDS = ("upstream_id", "status", "started_at", "late_from", "service__upstream_id", "service__name")


class LateService(NamedTuple):
    """A service's late orders, the longest late first."""

    service: Service
    orders: list[Order]
    usual: UsualTimes | None

    @property
    def since(self) -> datetime:
        """When the first of the orders became late."""
        return min(order.late_since for order in self.orders if order.late_since)

    @property
    def not_started(self) -> int:
        """How many of the orders upstream has not begun to deliver."""
        return sum(order.started_at is None for order in self.orders)

    @property
    def ids(self) -> str:
        """Upstream's ids of the orders, between commas, as the supplier takes them."""
        return ", ".join(order.upstream_id or "" for order in self.orders)

    @property
    def message(self) -> str:
        """A text for the supplier: one sentence, then the ids."""
        orders, are = (f"These {len(self.orders)} orders", "are") if len(self.orders) > 1 else ("This order", "is")
        return f"{orders} of service {self.service.upstream_id} {are} late: {self.ids}"


@require_safe
@needs("view")
def index(request: HttpRequest) -> HttpResponse:
    """Late orders by service, in pages by keyset; on the first also how long services take."""
    after = read_place(request.GET.get("after", ""))
    seen: QuerySet[Order] = Order.objects.seen_by(request.user)
    late = seen.filter(late_from__lte=late_if_from()).order_by("late_from", "pk")
    if after:
        at = connection.ops.adapt_datetimefield_value(after.late_from)
        # As a pair: written out with OR, databases do not see that it is one range of the index.
        late = late.extra(where=["(orders_order.late_from, orders_order.id) > (%s, %s)"], params=[at, after.order])
    orders, more = one_more(late.select_related("service").only(*ROW_FIELDS), ORDERS_SHOWN)
    context = {
        "groups": by_service(orders),
        "shown": len(orders),
        "more": place_text(orders[-1]) if more else "",
        "first": not after,
        "paces": [] if after else slowest_services(),
        "kind": "late",
        "grace": current().late_grace_hours,
    }
    return render(request, "orders/reports/late.html", context)


class Place(NamedTuple):
    """A late order's place in the list."""

    late_from: datetime
    order: int


def place_text(order: Order) -> str:
    """The order's place as it stands in an address."""
    return f"{order.late_from.astimezone(UTC):%Y%m%dT%H%M%S.%f}~{order.pk}" if order.late_from else ""


def read_place(text: str) -> Place | None:
    """The place in a text that place_text made, or None for any other text."""
    time, _, order = text.partition("~")
    try:
        late_from = datetime.strptime(time, "%Y%m%dT%H%M%S.%f").replace(tzinfo=UTC)
    except ValueError:
        return None
    return Place(late_from, read_number(order)) if read_number(order) else None


def slowest_services() -> list[tuple[Service, UsualTimes]]:
    """Services with their usual times, slowest compared with usual first."""
    paces = Pace.objects.filter(IS_MEASURED).select_related("service").order_by(SLOWNESS.desc(), "service_id")
    return [(pace.service, pace.usual) for pace in paces[:SERVICES_SHOWN]]


def by_service(orders: Sequence[Order]) -> list[LateService]:
    """Late orders grouped by their service: the service with the most first, then the longest late."""
    usual = usual_times({order.service_id for order in orders})
    grouped: defaultdict[Service, list[Order]] = defaultdict(list)
    for order in orders:
        grouped[order.service].append(order)
    groups = [LateService(service, late, usual.get(service.pk)) for service, late in grouped.items()]
    return sorted(groups, key=lambda group: (-len(group.orders), group.since))

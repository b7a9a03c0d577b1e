"""The page of late orders by service, each with a message to the supplier, and of how long services usually take."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from django.db.models import F, Value
from django.db.models.functions import Coalesce, NullIf
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.access import needs
from catalog.models import Service
from orders.models import Order, Pace
from orders.models.statistics import usual_times
from orders.rules.lateness import UsualTimes
from panel.web.paging import one_more

ORDERS_SHOWN = 500  # late orders, the longest late first
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
        return min(order.late_from for order in self.orders if order.late_from)

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
    """Late orders by service, then the usual times of services, slowest against their usual first."""
    late = Order.objects.seen_by(request.user).filter(late_from__lte=timezone.now()).order_by("late_from", "pk")
    orders, more = one_more(late.select_related("service").only(*ROW_FIELDS), ORDERS_SHOWN)
    # How long the newest orders took, in hundredths of what is usual; 0 where that is unknown.
    slowness = Coalesce(F("lately") * Value(100) / NullIf(F("finish_median"), Value(0)), Value(0))
    paces = Pace.objects.exclude(start_p95=None, finish_p95=None).select_related("service")
    context = {
        "groups": by_service(orders),
        "shown": len(orders),
        "more": more,
        "paces": [(pace.service, pace.usual) for pace in paces.order_by(-slowness, "service")[:SERVICES_SHOWN]],
        "kind": "late",
    }
    return render(request, "orders/reports/late.html", context)


def by_service(orders: Sequence[Order]) -> list[LateService]:
    """Late orders grouped by their service: the service with the most first, then the longest late."""
    usual = usual_times({order.service_id for order in orders})
    grouped: defaultdict[Service, list[Order]] = defaultdict(list)
    for order in orders:
        grouped[order.service].append(order)
    groups = [LateService(service, late, usual.get(service.pk)) for service, late in grouped.items()]
    return sorted(groups, key=lambda group: (-len(group.orders), group.since))

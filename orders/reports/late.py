"""Late orders by service, so that one message to the supplier speaks of all of one; and every service's pace."""

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

ORDERS_SHOWN = 500  # late orders, those first that are late longest
SERVICES_SHOWN = 100  # services
ORDER_FIELDS = ("upstream_id", "status", "started_at", "late_from", "service")
SERVICE_FIELDS = ("upstream_id", "name")


class LateService(NamedTuple):
    """One service's late orders, the longest late first."""

    service: Service
    orders: list[Order]
    usual: UsualTimes | None

    @property
    def since(self) -> datetime:
        """Since when the first of them is late."""
        return min(order.late_from for order in self.orders if order.late_from)

    @property
    def not_started(self) -> int:
        return sum(order.started_at is None for order in self.orders)

    @property
    def ids(self) -> str:
        """As the supplier takes them."""
        return ", ".join(order.upstream_id or "" for order in self.orders)

    @property
    def message(self) -> str:
        """For the supplier, in one sentence and the ids."""
        many = len(self.orders)
        these = f"These {many} orders of service {self.service.upstream_id} are late"
        if many == 1:
            these = f"This order of service {self.service.upstream_id} is late"
        return f"{these}: {self.ids}"


def by_service(orders: Sequence[Order]) -> list[LateService]:
    """Most late ones first."""
    paces = usual_times({order.service_id for order in orders})
    of: defaultdict[Service, list[Order]] = defaultdict(list)
    for order in orders:
        of[order.service].append(order)
    groups = [LateService(service, some, paces.get(service.pk)) for service, some in of.items()]
    return sorted(groups, key=lambda group: (-len(group.orders), group.since))


@require_safe
@needs("view")
def index(request: HttpRequest) -> HttpResponse:
    late = Order.objects.seen_by(request.user).filter(late_from__lte=timezone.now()).order_by("late_from", "pk")
    service = ("service__" + name for name in SERVICE_FIELDS)
    orders, more = one_more(late.select_related("service").only(*ORDER_FIELDS, *service), ORDERS_SHOWN)
    # The slowest against their usual first; of the rest the newest figures.
    slower = Coalesce(F("lately") * Value(100) / NullIf(F("finish_median"), Value(0)), Value(0))
    paces = Pace.objects.exclude(start_p95=None, finish_p95=None).select_related("service")
    context = {
        "groups": by_service(orders),
        "shown": len(orders),
        "more": more,
        "paces": [(pace.service, pace.usual) for pace in paces.order_by(-slower, "service")[:SERVICES_SHOWN]],
        "kind": "late",
    }
    return render(request, "orders/reports/late.html", context)

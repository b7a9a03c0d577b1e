"""What orders cost in the last 24 hours, measured once a minute for the runway."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from django.db.models import Min, Sum

from orders.models import Charged, Order, OrderQuerySet, Spending
from orders.rules.statuses import Status
from orders.statistics.charge_totals import QUARTER, dollars, slot_of
from panel.ops.database import ONLY_ROW

SPAN = timedelta(hours=24)
EVERY_SECONDS = 60


def measure(now: datetime) -> Spending:
    """Adds up the last 24 hours, from the beginning of a quarter. Runs in the worker; no call.

    What has a charge is added up already (charge_totals.py); only what has none yet is looked at by itself.
    """
    slot = slot_of(now - SPAN)
    begins = datetime.fromtimestamp(slot * QUARTER, UTC)
    charged = Charged.objects.filter(slot__gte=slot, slot__lte=slot_of(now)).order_by()
    sums = charged.values_list("charged", flat=True)
    uncharged = Order.objects.filter(charge=None, upstream_id__isnull=False, created_at__gte=begins).order_by()
    waits = Order.objects.filter(status=Status.QUEUED, upstream_id=None).order_by()
    first = Order.objects.order_by().aggregate(first=Min("created_at"))["first"] or now
    fields = {
        "at": now,
        "since": max(begins, first),
        "spent": dollars(sum(sums)) + expected_of(uncharged),
        "queued": expected_of(waits),
    }
    return Spending.objects.update_or_create(pk=ONLY_ROW, defaults=fields)[0]


def expected_of(orders: OrderQuerySet) -> Decimal:
    return orders.aggregate(sum=Sum("expected_charge"))["sum"] or Decimal(0)

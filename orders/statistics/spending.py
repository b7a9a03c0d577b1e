"""Measures what orders cost in the last 24 hours, once a minute, for the runway."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from django.db.models import Min, Sum

from accounts.models import BalanceReading
from orders.models import Charged, Order, OrderQuerySet, Spending
from orders.rules.statuses import Status
from orders.statistics.charge_totals import QUARTER, dollars, slot_of
from panel.ops.database import ONLY_ROW, unindexed

SPAN = timedelta(hours=24)
EVERY_SECONDS = 60
QUEUE_ROWS = 300  # counted anew for a balance that is newer; with more, what was measured last is near enough


def measure(now: datetime) -> Spending:
    """Saves and returns the spending of the last 24 hours, from the beginning of a quarter. Runs in the worker.

    Charges come from the totals of charge_totals.py; only orders without a charge yet are added up here.
    """
    slot = slot_of(now - SPAN)
    begins = datetime.fromtimestamp(slot * QUARTER, UTC)
    charged = Charged.objects.filter(slot__gte=slot, slot__lte=slot_of(now)).order_by()
    uncharged = Order.objects.filter(charge=None, upstream_id__isnull=False, created_at__gte=begins).order_by()
    queued = queued_orders()
    first = Order.objects.order_by().aggregate(first=Min("created_at"))["first"] or now
    spending = {
        "at": now,
        "since": max(begins, first),
        "spent": dollars(sum(charged.values_list("charged", flat=True))) + expected_cost(uncharged),
        "queued": expected_cost(queued),
    }
    return Spending.objects.update_or_create(pk=ONLY_ROW, defaults=spending)[0]


def spending_beside(reading: BalanceReading | None) -> Spending | None:
    """The latest measurement, unsaved where it is older than this balance: then with what is queued now.

    Else a top-up would be told beside a queue that it has let go, and orders that were paid would count twice.
    """
    spending = Spending.objects.first()
    if spending and reading and reading.asked_at > spending.at:
        costs = list(queued_orders().values_list("expected_charge", flat=True)[: QUEUE_ROWS + 1])
        spending.queued = sum(costs, Decimal(0)) if len(costs) <= QUEUE_ROWS else spending.queued
    return spending


def queued_orders() -> OrderQuerySet:
    """The orders that wait to be sent, in no order."""
    # As in panel/site/status_bar.py, so that the status's index is taken.
    known = unindexed("upstream_id")
    return Order.objects.alias(known=known).filter(status=Status.QUEUED, known__isnull=True).order_by()


def expected_cost(orders: OrderQuerySet) -> Decimal:
    """What these orders are expected to cost together, in US dollars."""
    return orders.aggregate(sum=Sum("expected_charge"))["sum"] or Decimal(0)

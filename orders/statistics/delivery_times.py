"""Measures how long each service takes, once orders of it have ended, and when its live orders count as late.

The worker calls `measure_services` every minute. Only services with newly ended orders are measured again.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.db import transaction
from django.db.models import Max

from catalog.models import Service
from orders.models import Order, Pace
from orders.models.order import IS_UNDER_WAY
from orders.models.statistics import usual_times
from orders.rules.lateness import UsualTimes, late_from
from orders.rules.retry import LEASE
from orders.rules.service_types import service_type_of
from orders.rules.statuses import LIVE, Status
from panel.ops.database import batches

EVERY_SECONDS = 60
ENDS_AT_ONCE = 1_000  # ended orders; on a busy desk as many as end in a quarter of an hour
LIVE_AT_ONCE = 500  # live orders that one transaction updates
WRITTEN_AFTER = LEASE  # an answer that was asked for longer ago has been saved by now, or never will be
LIVE_FIELDS = ("status", "quantity", "runs", "interval", "taken_at", "started_at", "reported_at", "late_from")
ENOUGH_ORDERS = 10  # with fewer nothing is called usual, and nothing late
MEASURED_ORDERS = 200  # a service's last ended orders
LATEST_ORDERS = 20  # the newest of them, which show whether the service is slower than usual now
MEDIAN, P95 = 50, 95  # percent


class EndedOrder(NamedTuple):
    """The columns that are read of an order that has ended."""

    status: str
    taken_at: datetime | None
    started_at: datetime | None
    ended_at: datetime
    quantity: int
    runs: int | None


def measure_services(now: datetime) -> int:
    """Measures the services whose orders have ended since the last time, and returns how many services that were."""
    services, ends_to = ended_since(now)
    paces = [measure_service(service, now, ends_to) for service in services]
    before = usual_times([service.pk for service in services])
    changed = [pace for pace in paces if late_limits(pace.usual) != late_limits(before.get(pace.pk))]
    for pace in changed:  # before the paces are saved, so that it is done again after a crash
        update_late_from(pace.pk, pace.usual)
    fields = [field.name for field in Pace._meta.concrete_fields if not field.primary_key]
    Pace.objects.bulk_create(paces, update_conflicts=True, unique_fields=["service"], update_fields=fields)
    for pace in changed:  # and once more, for an answer may have saved an order meanwhile, by the older times
        update_late_from(pace.pk, pace.usual)
    return len(paces)


def ended_since(now: datetime) -> tuple[list[Service], datetime]:
    """The services whose orders have ended since the last time, and up to which moment that was searched now."""
    since, until = Pace.objects.aggregate(to=Max("ends_to"))["to"], now - WRITTEN_AFTER
    ends = Order.objects.filter(ended_at__isnull=False, ended_at__lte=until).order_by("ended_at")
    if since:
        ends = ends.filter(ended_at__gt=since)
    # By time, not by number: orders that ended at one moment, as one answer may say of many, stay together.
    last_of_batch = ends.values_list("ended_at", flat=True)[ENDS_AT_ONCE - 1 : ENDS_AT_ONCE]
    until = last_of_batch.first() or until
    ids = set(ends.filter(ended_at__lte=until).values_list("service_id", flat=True))
    return list(Service.objects.in_bulk(ids).values()), until


def measure_service(service: Service, now: datetime, ends_to: datetime) -> Pace:
    """The service's pace by its last ended orders, unsaved. A subscription has none: it lasts while there are posts."""
    last = Order.objects.filter(service=service, ended_at__isnull=False).order_by("-ended_at")
    ended = [EndedOrder(*columns) for columns in last.values_list(*EndedOrder._fields)[:MEASURED_ORDERS]]
    if "posts" in service_type_of(service).fields:
        ended = []
    return Pace(service=service, computed_at=now, ends_to=ends_to, **figures_of(ended))


def late_limits(usual: UsualTimes | None) -> tuple[object, ...]:
    """The figures that decide when an order is late; empty if they are not known."""
    return (usual.start_p95, usual.finish_p95, usual.quantity) if usual and usual.known else ()


def update_late_from(service_id: int, usual: UsualTimes | None) -> None:
    """Saves for each live order of the service from when on it is late, in batches."""
    # By target too, which every order has, so that no index serves but that of orders under way: SQLite would walk all
    # that the service ever had, by another; or by their ids, if it were asked to sort.
    live = Order.objects.filter(IS_UNDER_WAY, service=service_id, target__gte="", status__in=LIVE).order_by()
    for pks in batches(sorted(live.values_list("pk", flat=True)), LIVE_AT_ONCE):
        with transaction.atomic():
            # Read anew under the lock: an order may have started or ended meanwhile.
            orders = Order.objects.filter(pk__in=pks).only(*LIVE_FIELDS).order_by("pk").select_for_update(no_key=True)
            changed = [order for order in orders if order.late_from != late_from(order, usual)]
            for order in changed:
                order.late_from = late_from(order, usual)
            Order.objects.bulk_update(changed, ["late_from"])


def figures_of(ended: Sequence[EndedOrder]) -> dict[str, Any]:
    """The fields of a Pace by these orders, newest first. Times are in seconds, from when upstream took the order.

    Starts count all orders that began; finishes only those completed in one run, because an order that ended partial,
    cancelled or refunded does not show how long a delivery takes.
    """
    starts = [span_seconds(order.taken_at, order.started_at) for order in ended if order.taken_at and order.started_at]
    done = [order for order in ended if order.taken_at and order.status == Status.COMPLETED and not order.runs]
    finishes = [span_seconds(order.taken_at, order.ended_at) for order in done if order.taken_at]
    return {
        "starts": len(starts), "finishes": len(finishes),
        "start_median": percentile(starts, MEDIAN), "start_p95": percentile(starts, P95),
        "finish_median": percentile(finishes, MEDIAN), "finish_p95": percentile(finishes, P95),
        "quantity": percentile([order.quantity for order in done], P95) or 0,
        # Only where there are as many older orders to compare the newest with.
        "lately": percentile(finishes[:LATEST_ORDERS], MEDIAN) if len(finishes) >= 2 * LATEST_ORDERS else None,
    }  # fmt: skip


def span_seconds(began: datetime, ended: datetime) -> int:
    """Whole seconds; 0 if the clocks of two machines disagree so much that the end lies before the beginning."""
    return max(0, round((ended - began).total_seconds()))


def percentile(values: Sequence[int], percent: int) -> int | None:
    """The smallest value that so many percent of the values do not exceed (nearest rank); None if they are too few."""
    return sorted(values)[-(-len(values) * percent // 100) - 1] if len(values) >= ENOUGH_ORDERS else None

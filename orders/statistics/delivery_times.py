"""Takes each service's pace anew when orders of it have ended, and moves its live orders' lateness. In the worker."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.conf import settings
from django.db import transaction
from django.db.models import Max

from catalog.models import Service
from orders.models import Order, Pace
from orders.models.statistics import usual_times
from orders.rules.lateness import UsualTimes, late_from
from orders.rules.service_types import service_type_of
from orders.rules.statuses import LIVE, Status

EVERY_SECONDS = 60
ENDS_AT_ONCE = 1_000  # orders that have ended; on a busy desk as many as end in a quarter of an hour
LIVE_AT_ONCE = 500  # live orders that one transaction moves
# An answer that was asked for earlier than this is written down by now, or never will be.
WRITTEN_AFTER = timedelta(seconds=settings.LEASE_SECONDS)
LIVE_FIELDS = ("status", "quantity", "runs", "interval", "taken_at", "started_at", "reported_at", "late_from")
FIGURES = ("starts", "finishes", "start_median", "start_p95", "finish_median", "finish_p95", "quantity", "lately")


def measure_services(now: datetime) -> int:
    """Of the services whose orders have ended since it was last done; says how many those were."""
    found, ends_to = ended_since(now)
    paces = [measure_service(service, now, ends_to) for service in found]
    before = usual_times([service.pk for service in found])
    for pace in paces:
        after = pace.usual
        if late_limits(after) != late_limits(before.get(pace.pk)):
            # First, so that after a crash it is done again.
            update_late_from(pace.pk, after)
    told = ("computed_at", "ends_to", *FIGURES)
    Pace.objects.bulk_create(paces, update_conflicts=True, unique_fields=["service"], update_fields=told)
    return len(paces)


def ended_since(now: datetime) -> tuple[list[Service], datetime]:
    """Services whose orders have ended behind where the last look came to, and where this one comes to."""
    since, until = Pace.objects.aggregate(to=Max("ends_to"))["to"], now - WRITTEN_AFTER
    ends = Order.objects.filter(ended_at__isnull=False, ended_at__lte=until).order_by("ended_at")
    if since:
        ends = ends.filter(ended_at__gt=since)
    # All that ended at one moment, as with one answer of upstream's, are on the same side of a portion's end.
    portion = ends.values_list("ended_at", flat=True)[ENDS_AT_ONCE - 1 : ENDS_AT_ONCE]
    until = portion.first() or until
    ids = set(ends.filter(ended_at__lte=until).values_list("service_id", flat=True))
    return list(Service.objects.in_bulk(ids).values()), until


def measure_service(service: Service, now: datetime, ends_to: datetime) -> Pace:
    """By its last ended orders; not written down yet."""
    last = Order.objects.filter(service=service, ended_at__isnull=False).order_by("-ended_at")
    ended = [Ended(*row) for row in last.values_list(*Ended._fields)[:MEASURED_ORDERS]]
    if "posts" in service_type_of(service).fields:
        ended = []  # a subscription lasts for as long as there are new posts
    return Pace(service=service, computed_at=now, ends_to=ends_to, **figures(ended))


def late_limits(usual: UsualTimes | None) -> tuple[object, ...]:
    """What an order's lateness hangs on."""
    return (usual.start_p95, usual.finish_p95, usual.quantity) if usual and usual.known else ()


def update_late_from(service_id: int, usual: UsualTimes | None) -> None:
    """Gives a service's live orders the moment from which they are late by the new pace, in portions."""
    # Sorted here: asked to sort, SQLite would rather walk through all that the service ever had, by their ids.
    live = Order.objects.filter(service=service_id, status__in=LIVE).order_by().values_list("pk", flat=True)
    ids = sorted(live)
    for first in range(0, len(ids), LIVE_AT_ONCE):
        with transaction.atomic():
            # As they stand now: some have started or ended meanwhile.
            some = Order.objects.filter(pk__in=ids[first : first + LIVE_AT_ONCE]).only(*LIVE_FIELDS).order_by("pk")
            moved = []
            for order in some.select_for_update(no_key=True):
                moment = late_from(order, usual)
                if moment != order.late_from:
                    order.late_from = moment
                    moved.append(order)
            Order.objects.bulk_update(moved, ["late_from"])


ENOUGH_ORDERS = 10  # orders; of fewer nobody can say what is usual, and nothing is called late
MEASURED_ORDERS = 200  # a service's last ended orders
LATEST_ORDERS = 20  # of them, which tell whether it is slower than usual now
MEDIAN, P95 = 50, 95  # of a hundred


class Ended(NamedTuple):
    """What is read of an order that has ended."""

    status: str
    taken_at: datetime | None
    started_at: datetime | None
    ended_at: datetime
    quantity: int
    runs: int | None


def figures(newest_first: Iterable[Ended]) -> dict[str, Any]:
    """What a Pace says of these orders. Its start is of all that began; its finish of those completed in one run.

    What ended partial, cancelled or refunded tells nothing of how long a delivery takes.
    """
    told = [order for order in newest_first if order.taken_at]
    starts = [seconds(order.taken_at, order.started_at) for order in told if order.taken_at and order.started_at]
    done = [order for order in told if order.status == Status.COMPLETED and not order.runs]
    finishes = [seconds(order.taken_at, order.ended_at) for order in done if order.taken_at]
    newest = finishes[:LATEST_ORDERS]
    return {
        "starts": len(starts), "finishes": len(finishes),
        "start_median": nth(starts, MEDIAN), "start_p95": nth(starts, P95),
        "finish_median": nth(finishes, MEDIAN), "finish_p95": nth(finishes, P95),
        "quantity": nth([order.quantity for order in done], P95) or 0,
        # Of few, the newest are nearly all of them.
        "lately": nth(newest, MEDIAN) if len(finishes) >= 2 * LATEST_ORDERS else None,
    }  # fmt: skip


def seconds(began: datetime, ended: datetime) -> int:
    """Whole ones; none where two machines' clocks disagree."""
    return max(0, round((ended - began).total_seconds()))


def nth(values: Sequence[int], percent: int) -> int | None:
    """The least of them that so many of a hundred do not exceed (nearest rank); None when there are too few."""
    return sorted(values)[-(-len(values) * percent // 100) - 1] if len(values) >= ENOUGH_ORDERS else None

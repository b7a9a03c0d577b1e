"""Takes each service's pace anew when orders of it have ended, and moves its live orders' lateness. In the worker."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Max

from catalog.models import Service
from orders.models import Order
from orders.rules.lateness import LOOKED_AT, Ended, Pace, Usual, figures, late_from, usual
from orders.rules.service_types import terms_of
from orders.rules.statuses import LIVE

EVERY_SECONDS = 60
ENDS_AT_ONCE = 1_000  # orders that have ended; on a busy desk as many as end in a quarter of an hour
LIVE_AT_ONCE = 500  # live orders that one transaction moves
# An answer that was asked for earlier than this is written down by now, or never will be.
WRITTEN_AFTER = timedelta(seconds=settings.LEASE_SECONDS)
READ = ("status", "quantity", "runs", "interval", "taken_at", "started_at", "reported_at", "late_from")
FIGURES = ("starts", "finishes", "start_median", "start_p95", "finish_median", "finish_p95", "quantity", "lately")


def take_pace(now: datetime) -> int:
    """Of the services whose orders have ended since it was last done; says how many those were."""
    found, ends_to = ended_since(now)
    paces = [measured(service, now, ends_to) for service in found]
    before = usual([service.pk for service in found])
    for pace in paces:
        after = Usual.of(pace)
        if judged(after) != judged(before.get(pace.pk)):
            # First, so that after a crash it is done again.
            move_live(pace.pk, after)
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


def measured(service: Service, now: datetime, ends_to: datetime) -> Pace:
    """By its last ended orders; not written down yet."""
    last = Order.objects.filter(service=service, ended_at__isnull=False).order_by("-ended_at")
    ended = [Ended(*row) for row in last.values_list(*Ended._fields)[:LOOKED_AT]]
    if "posts" in terms_of(service).asked:
        ended = []  # a subscription lasts for as long as there are new posts
    return Pace(service=service, computed_at=now, ends_to=ends_to, **figures(ended))


def judged(usual: Usual | None) -> tuple[object, ...]:
    """What an order's lateness hangs on."""
    return (usual.start_p95, usual.finish_p95, usual.quantity) if usual and usual.known else ()


def move_live(service_id: int, usual: Usual | None) -> None:
    """Gives a service's live orders the moment from which they are late by the new pace, in portions."""
    # Sorted here: asked to sort, SQLite would rather walk through all that the service ever had, by their ids.
    live = Order.objects.filter(service=service_id, status__in=LIVE).order_by().values_list("pk", flat=True)
    ids = sorted(live)
    for first in range(0, len(ids), LIVE_AT_ONCE):
        with transaction.atomic():
            # As they stand now: some have started or ended meanwhile.
            some = Order.objects.filter(pk__in=ids[first : first + LIVE_AT_ONCE]).only(*READ).order_by("pk")
            moved = []
            for order in some.select_for_update(no_key=True):
                moment = late_from(order, usual)
                if moment != order.late_from:
                    order.late_from = moment
                    moved.append(order)
            Order.objects.bulk_update(moved, ["late_from"])

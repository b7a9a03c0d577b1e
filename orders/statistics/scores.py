"""Keeps the score of each service, from the sums of sales. Lists and the order form read it from a row of its own."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

from django.db import transaction
from django.db.models import F, IntegerField, Sum
from django.db.models.functions import Cast

from catalog.models import Service
from orders.models import SaleSum, ServiceScore
from orders.rules.score import LEAST_ENDED_WEEK, SCORE_DAYS, WEEKS, cost_per_thousand, failures, score_of
from orders.statistics.charge_totals import slot_of
from orders.statistics.sales import DAY, FIGURES, LEVELS

EVERY_SECONDS = 900
DAILY = next(level for level in LEVELS if level.block == DAY and level.keys == ("service",))
WEEK = 7 * DAY  # in quarters of an hour
RECENT_WEEKS = SCORE_DAYS // 7


def measure(now: datetime) -> int:
    """Writes the scores anew, and removes those of services that have none now; returns how many there are."""
    by_service = weeks_by_service(now)
    known = set(Service.objects.filter(pk__in=by_service).order_by().values_list("pk", flat=True))
    scores = [score for pk, weeks in by_service.items() if pk in known and (score := score_row(pk, weeks, now))]
    fields = [field.name for field in ServiceScore._meta.concrete_fields if not field.primary_key]
    with transaction.atomic():
        ServiceScore.objects.exclude(pk__in=[score.pk for score in scores]).delete()
        ServiceScore.objects.bulk_create(scores, update_conflicts=True, unique_fields=["service"], update_fields=fields)
    return len(scores)


def weeks_by_service(now: datetime) -> dict[int, list[Any]]:
    """Our id of a service → its figures in each of the last WEEKS weeks that end with the current day, oldest first."""
    end = slot_of(now) // DAY * DAY + DAY
    first = end - WEEKS * WEEK
    rows = SaleSum.objects.filter(level=DAILY.number, slot__gte=first, slot__lt=end).order_by()
    week = Cast((F("slot") - first) / WEEK, IntegerField())
    sums = rows.annotate(week=week).values_list("service", "week").annotate(*(Sum(name) for name in FIGURES))
    found: defaultdict[int, list[Any]] = defaultdict(lambda: [added([])] * WEEKS)
    for service, number, *figures in sums:
        found[service][number] = added([SimpleNamespace(**dict(zip(FIGURES, map(int, figures), strict=True)))])
    return dict(found)


def added(weeks: Iterable[Any]) -> Any:
    """The figures of these weeks together."""
    listed = list(weeks)
    return SimpleNamespace(**{name: sum(getattr(week, name) for week in listed) for name in FIGURES})


def score_row(service: int, weeks: Sequence[Any], now: datetime) -> ServiceScore | None:
    """The row of a service with these weeks, or None if too few orders of it have ended lately."""
    lately = added(weeks[-RECENT_WEEKS:])
    value = score_of(lately)
    if value is None:
        return None
    before = score_of(added(weeks[-2 * RECENT_WEEKS : -RECENT_WEEKS]))
    wrong = {name: (share * 100).quantize(Decimal("0.1")) for name, share in failures(lately).items()}
    return ServiceScore(
        service_id=service, value=value, rank=100 - value, before=before,
        ended=lately.ended, delivered=100 - wrong["delivered"], late=wrong["late"], refills=wrong["refills"],
        refused=wrong["refused"], per_thousand=cost_per_thousand(lately.ended_charged, lately.delivered),
        weeks=[score_of(week, LEAST_ENDED_WEEK) for week in weeks], measured_at=now,
    )  # fmt: skip

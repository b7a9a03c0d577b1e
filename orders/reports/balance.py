"""The page of the balance: what upstream said it was and when, drawn as steps, and how long it lasts."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise, takewhile, zip_longest
from typing import NamedTuple

from django.db.models import Subquery
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.access import needs
from accounts.desk_settings import current
from accounts.models import BalanceReading
from orders.statistics.charge_totals import DIGITS, dollars
from panel.format.money import is_dollars
from panel.format.step_chart import HEIGHT, READ_AT_MOST, WIDTH, step_path, thinned
from panel.web.params import read_number

READINGS_A_PAGE = 50
CHART_SPAN = timedelta(days=30)
MOVED_SPAN = timedelta(hours=24)


class Step(NamedTuple):
    """A reading, and what changed since the reading before: None when there is none before, or in another currency."""

    reading: BalanceReading
    change: Decimal | None


class Chart(NamedTuple):
    """Steps in a box of WIDTH × HEIGHT: the higher, the more money there was; the further right, the later."""

    line: str  # an SVG path
    area: str
    low: int | None  # the y of the threshold low_balance; None when it lies outside the box
    began: datetime
    ended: datetime
    first: Decimal
    last: Decimal
    least: Decimal
    most: Decimal


@require_safe
@needs("money")
def balance(request: HttpRequest) -> HttpResponse:
    """The readings, newest first, in pages by keyset. The chart and how long the balance lasts stand on the first."""
    before, now = read_number(request.GET.get("before")), timezone.now()
    readings = BalanceReading.objects.filter(pk__lt=before) if before else BalanceReading.objects.all()
    # Read is one more than is shown: the change of the last reading is counted from it.
    newest_first = list(readings.order_by("-id")[: READINGS_A_PAGE + 1])
    steps = steps_of(newest_first)[:READINGS_A_PAGE]
    drawn = [] if before else drawn_readings(now)
    context = {
        "steps": steps,
        "older": steps[-1].reading.pk if len(newest_first) > READINGS_A_PAGE else 0,
        "first": not before,
        "chart": chart(drawn, now),
        "box": (WIDTH, HEIGHT),
        "moved": fallen_and_risen(drawn, now - MOVED_SPAN),
        "least": current().low_balance,
    }
    return render(request, "orders/reports/balance.html", context)


def steps_of(newest_first: list[BalanceReading]) -> list[Step]:
    """These readings, each with its change since the reading before; the last of them has none."""
    changes: list[Decimal | None] = [
        reading.amount - before.amount if reading.currency == before.currency else None
        for reading, before in pairwise(newest_first)
    ]
    return [Step(*pair) for pair in zip_longest(newest_first, changes)]


def drawn_readings(now: datetime) -> list[BalanceReading]:
    """The readings of the last 30 days, oldest first, as far back as they are in the newest reading's currency."""
    first = BalanceReading.objects.filter(asked_at__gt=now - CHART_SPAN).order_by("asked_at", "id").values("pk")[:1]
    recent = list(BalanceReading.objects.filter(pk__gte=Subquery(first)).order_by("-id")[:READ_AT_MOST])
    return list(takewhile(lambda reading: reading.currency == recent[0].currency, recent))[::-1]


def fallen_and_risen(readings: Iterable[BalanceReading], since: datetime) -> tuple[Decimal, Decimal]:
    """By how much the balance fell in steps since then, and by how much it rose; `readings` are oldest first."""
    changes = [after.amount - before.amount for before, after in pairwise(readings) if after.first_asked_at > since]
    return -sum((c for c in changes if c < 0), Decimal(0)), sum((c for c in changes if c > 0), Decimal(0))


def chart(readings: list[BalanceReading], now: datetime) -> Chart | None:
    """The chart of these readings (oldest first), or None for fewer than two.

    Each step begins when upstream first said that amount.
    """
    points = thinned([(reading.first_asked_at, int(reading.amount.scaleb(DIGITS))) for reading in readings])
    if len(points) < 2:
        return None
    began, ended = max(points[0][0], now - CHART_SPAN), readings[-1].asked_at
    amounts = [amount for _, amount in points]
    floor, top = min(0, *amounts), max(1, *amounts)

    def x(at: datetime) -> int:
        return round(max(timedelta(0), at - began) / max(ended - began, timedelta(seconds=1)) * WIDTH)

    def y(amount: int) -> int:
        return round(HEIGHT - (amount - floor) / (top - floor) * HEIGHT)

    line = step_path([(x(at), y(amount)) for at, amount in points], end=WIDTH)
    low = int(current().low_balance * 10**DIGITS)
    low_y = y(low) if is_dollars(readings[-1].currency) and floor < low < top else None
    figures = map(dollars, (amounts[0], amounts[-1], min(amounts), max(amounts)))
    return Chart(line, f"{line}V{HEIGHT}H0Z", low_y, began, ended, *figures)

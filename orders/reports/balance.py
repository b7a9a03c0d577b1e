"""The balance: what upstream said it was and when, drawn as steps, and how long it lasts, with the formula."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise, zip_longest
from typing import NamedTuple

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.access import needs
from accounts.models import BalanceReading
from orders.statistics.charge_totals import DIGITS, dollars
from panel.format.money import is_dollars
from panel.format.step_chart import HEIGHT, READ_AT_MOST, WIDTH, step_path, thinned
from panel.web.params import read_number

READINGS_A_PAGE = 50
DRAWN = timedelta(days=30)
OF_LATE = timedelta(hours=24)


class Step(NamedTuple):
    """One reading, and how it differs from the one before: None where there is none, or in another currency."""

    reading: BalanceReading
    change: Decimal | None


class Chart(NamedTuple):
    """Steps in a box of WIDTH × HEIGHT; up is more money, to the right is later."""

    line: str  # an SVG path
    area: str
    low: int | None  # where the threshold lies, if it lies within
    began: datetime
    ended: datetime
    first: Decimal
    last: Decimal
    least: Decimal
    most: Decimal


@require_safe
@needs("view")
def balance(request: HttpRequest) -> HttpResponse:
    """Readings newest first, by keyset; the drawing and the formula stand above the first page."""
    before, now = read_number(request.GET.get("before")), timezone.now()
    readings = BalanceReading.objects.filter(pk__lt=before) if before else BalanceReading.objects.all()
    found = list(readings.order_by("-id")[: READINGS_A_PAGE + 1])
    steps = steps_of(found)[:READINGS_A_PAGE]
    drawn = [] if before else drawn_readings(now)
    context = {
        "steps": steps,
        "older": found[READINGS_A_PAGE - 1].pk if len(found) > READINGS_A_PAGE else 0,
        "first": not before,
        "chart": chart(drawn, now),
        "box": (WIDTH, HEIGHT),
        "moved": fallen_and_risen(drawn, now - OF_LATE),
        "least": settings.LOW_BALANCE,
    }
    return render(request, "orders/reports/balance.html", context)


def steps_of(newest_first: list[BalanceReading]) -> list[Step]:
    """The last of them has nothing to differ from."""
    changes: list[Decimal | None] = [
        one.amount - before.amount if one.currency == before.currency else None
        for one, before in pairwise(newest_first)
    ]
    return [Step(*pair) for pair in zip_longest(newest_first, changes)]


def drawn_readings(now: datetime) -> list[BalanceReading]:
    """Of the last weeks, oldest first, as far back as the currency is the same."""
    recent = list(BalanceReading.objects.filter(asked_at__gt=now - DRAWN).order_by("-id")[:READ_AT_MOST])
    same = next((at for at, one in enumerate(recent) if one.currency != recent[0].currency), len(recent))
    return recent[:same][::-1]


def fallen_and_risen(readings: Iterable[BalanceReading], since: datetime) -> tuple[Decimal, Decimal]:
    """How much the balance fell in steps since then, and how much it rose."""
    steps = [(after.amount - before.amount, after) for before, after in pairwise(readings)]
    late = [change for change, after in steps if after.first_asked_at > since]
    return -sum((c for c in late if c < 0), Decimal(0)), sum((c for c in late if c > 0), Decimal(0))


def chart(readings: list[BalanceReading], now: datetime) -> Chart | None:
    """None while there is nothing to draw. A step stands from when upstream first said so."""
    points = thinned([(one.first_asked_at, int(one.amount.scaleb(DIGITS))) for one in readings])
    if len(points) < 2:
        return None
    began, ended = max(points[0][0], now - DRAWN), readings[-1].asked_at
    amounts = [amount for _, amount in points]
    floor, top = min(0, *amounts), max(1, *amounts)

    def x(at: datetime) -> int:
        return round(max(timedelta(0), at - began) / max(ended - began, timedelta(seconds=1)) * WIDTH)

    def y(amount: int) -> int:
        return round(HEIGHT - (amount - floor) / (top - floor) * HEIGHT)

    line = step_path([(x(at), y(amount)) for at, amount in points], end=WIDTH)
    low = int(settings.LOW_BALANCE * 10**DIGITS)
    in_dollars = is_dollars(readings[-1].currency)
    return Chart(
        line=line, area=f"{line}V{HEIGHT}H0Z", low=y(low) if in_dollars and floor < low < top else None, began=began,
        ended=ended, first=dollars(amounts[0]), last=dollars(amounts[-1]), least=dollars(min(amounts)),
        most=dollars(max(amounts)),
    )  # fmt: skip

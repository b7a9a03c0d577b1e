"""What orders were expected to cost and what upstream charged: a row a day, and a day's differences, largest first."""

from bisect import bisect_right
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from django.db.models import F, Q
from django.db.models.functions import Abs
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.access import needs
from orders.models import Charged, Order
from orders.rules.charges import tolerance
from orders.statistics.charge_totals import QUARTER, TOTALS, dollars, slot_of
from panel.format.money import DOLLARS
from panel.format.times import day, day_of, ends, starts, today

DAYS_A_PAGE = 60
DIFFERENCES_SHOWN = 100  # orders of a day, the largest differences first
COMPARED_AT_MOST = 10_000  # of a day's orders, the newest: no view walks through more


class Day(NamedTuple):
    """One day of whoever reads, by when its orders were placed. Money in US dollars."""

    day: date
    orders: int
    expected: Decimal
    charged: Decimal
    given_back: Decimal
    elsewhere: int  # orders in another currency, of which nothing is added up

    @property
    def difference(self) -> Decimal:
        return self.charged - self.expected

    @property
    def unexplained(self) -> Decimal:
        """What is left of the difference beside what was given back."""
        return self.difference + self.given_back

    @property
    def is_odd(self) -> bool:
        """More was charged than rounding explains."""
        return self.unexplained > tolerance(self.expected)


class Differences(NamedTuple):
    """Orders by their difference, the largest first; and since when they are looked at, where the day has too many."""

    orders: list[Order]
    since: datetime | None


@require_safe
@needs("view")
def charges(request: HttpRequest) -> HttpResponse:
    """The days, newest first; with `day` in the address, that day's orders by their difference."""
    if chosen := day_of(request.GET.get("day", "")):
        found = days(chosen, chosen)
        day_of_it = found[0] if found else empty_day(chosen)
        orders, since = differences(request.user, chosen)
        shown = {"day": day_of_it, "orders": orders, "since": since, "most": DIFFERENCES_SHOWN}
        return render(request, "orders/reports/charges_of_day.html", shown)
    last = day_of(request.GET.get("until", "")) or today()
    first = last - timedelta(days=DAYS_A_PAGE - 1)
    context = {"days": days(first, last), "first": first, "last": last, "older": newest_before(first),
               "newest": last >= today()}  # fmt: skip
    return render(request, "orders/reports/charges.html", context)


def days(first: date, last: date) -> list[Day]:
    """Those on which an order was placed that has a charge, newest first: one walk along the quarters of these days."""
    begins = [slot_of(starts(first + timedelta(days=n))) for n in range((last - first).days + 2)]
    sums = [[0] * len(TOTALS) for _ in begins]
    lines = Charged.objects.filter(slot__gte=begins[0], slot__lt=begins[-1]).order_by()
    for slot, *counts in lines.values_list("slot", *TOTALS):
        of_day = sums[bisect_right(begins, slot) - 1]
        of_day[:] = map(int.__add__, of_day, counts)
    found = [
        Day(first + timedelta(days=n), orders, dollars(expected), dollars(charged), dollars(back), elsewhere)
        for n, (orders, expected, charged, back, elsewhere) in enumerate(sums)
        if orders or elsewhere
    ]
    return found[::-1]


def empty_day(of: date) -> Day:
    return Day(of, 0, Decimal(0), Decimal(0), Decimal(0), 0)


def newest_before(first: date) -> date | None:
    """The newest day before that one on which anything was placed that has a charge."""
    slots = Charged.objects.filter(slot__lt=slot_of(starts(first))).order_by("-slot").values_list("slot", flat=True)
    slot = slots.first()
    return None if slot is None else day(datetime.fromtimestamp(slot * QUARTER, UTC))


def differences(user: Any, of: date) -> Differences:
    """A day's orders of which upstream charged anything else than was expected; at most so many are looked at."""
    day_of_it = Order.objects.seen_by(user).filter(created_at__gte=starts(of), created_at__lt=ends(of))
    beyond = day_of_it.order_by("-created_at").values_list("created_at", flat=True)[COMPARED_AT_MOST:][:1]
    since = next(iter(beyond), None)
    placed = day_of_it.filter(created_at__gt=since) if since else day_of_it
    unlike = placed.filter(~Q(charge=F("expected_charge")), charge__isnull=False, currency__in=DOLLARS)
    by_size = unlike.select_related("service").order_by(Abs(F("charge") - F("expected_charge")).desc(), "-id")
    return Differences(list(by_size.defer("body", "said", "haystack")[:DIFFERENCES_SHOWN]), since)

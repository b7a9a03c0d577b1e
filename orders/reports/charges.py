"""The pages of charges: what was expected and what upstream charged, by day, and the differences of one day."""

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
from orders.rules.margin import tolerance
from orders.statistics.charge_totals import QUARTER, TOTALS, dollars, slot_of
from panel.format.money import DOLLARS
from panel.format.times import day, day_of, ends, starts, today

DAYS_A_PAGE = 60
DIFFERENCES_SHOWN = 100  # orders of a day, the largest differences first
COMPARED_ORDERS = 10_000  # of a day, the newest: no view reads more


class Day(NamedTuple):
    """The charge totals of one day in the reader's time zone, by when its orders were placed. Money in US dollars."""

    day: date
    orders: int = 0
    expected: Decimal = Decimal(0)
    charged: Decimal = Decimal(0)
    given_back: Decimal = Decimal(0)
    elsewhere: int = 0  # orders in another currency, which are only counted

    @property
    def difference(self) -> Decimal:
        """What upstream charged beyond what was expected; negative when it charged less."""
        return self.charged - self.expected

    @property
    def unexplained(self) -> Decimal:
        """The part of the difference that is not money given back."""
        return self.difference + self.given_back

    @property
    def is_odd(self) -> bool:
        """Whether more was charged than rounding explains."""
        return self.unexplained > tolerance(self.expected)


@require_safe
@needs("money")
def charges(request: HttpRequest) -> HttpResponse:
    """The days, newest first; with `day` in the address, that day's orders by their difference."""
    if chosen := day_of(request.GET.get("day", "")):
        [totals] = days(chosen, chosen) or [Day(chosen)]
        orders, since = differences(request.user, chosen)
        of_day = {"day": totals, "orders": orders, "since": since, "most": DIFFERENCES_SHOWN}
        return render(request, "orders/reports/charges_of_day.html", of_day)
    last = day_of(request.GET.get("until", "")) or today()
    first = last - timedelta(days=DAYS_A_PAGE - 1)
    context = {"days": days(first, last), "first": first, "last": last, "older": newest_before(first),
               "newest": last >= today()}  # fmt: skip
    return render(request, "orders/reports/charges.html", context)


def days(first: date, last: date) -> list[Day]:
    """The days from `first` to `last` on which an order was placed that has a charge by now, newest first.

    Reads the charge totals once, a quarter of an hour at a time, and no order.
    """
    number = (last - first).days + 1
    # The slot in which each day begins, and the slot after the last day.
    slots = [slot_of(starts(first + timedelta(days=n))) for n in range(number + 1)]
    totals = [[0] * len(TOTALS) for _ in range(number)]
    lines = Charged.objects.filter(slot__gte=slots[0], slot__lt=slots[-1]).order_by()
    for slot, *counts in lines.values_list("slot", *TOTALS):
        of_day = totals[bisect_right(slots, slot) - 1]
        of_day[:] = map(int.__add__, of_day, counts)
    return [
        Day(first + timedelta(days=n), orders, dollars(expected), dollars(charged), dollars(given_back), elsewhere)
        for n, (orders, expected, charged, given_back, elsewhere) in reversed(list(enumerate(totals)))
        if orders or elsewhere
    ]


def newest_before(first: date) -> date | None:
    """The newest day before `first` on which an order was placed that has a charge."""
    slots = Charged.objects.filter(slot__lt=slot_of(starts(first))).order_by("-slot").values_list("slot", flat=True)
    slot = slots.first()
    return None if slot is None else day(datetime.fromtimestamp(slot * QUARTER, UTC))


def differences(user: Any, placed_on: date) -> tuple[list[Order], datetime | None]:
    """A day's orders that upstream charged otherwise than expected, the largest difference first.

    When the day has too many orders, only the newest are compared, and the second value is the moment after which
    they were placed; else it is None.
    """
    placed = Order.objects.seen_by(user).filter(created_at__gte=starts(placed_on), created_at__lt=ends(placed_on))
    since = placed.order_by("-created_at").values_list("created_at", flat=True)[COMPARED_ORDERS:].first()
    if since:
        placed = placed.filter(created_at__gt=since)
    unlike = placed.filter(~Q(charge=F("expected_charge")), charge__isnull=False, currency__in=DOLLARS)
    by_size = unlike.select_related("service").order_by(Abs(F("charge") - F("expected_charge")).desc(), "-id")
    return list(by_size.defer("body", "said", "haystack")[:DIFFERENCES_SHOWN]), since

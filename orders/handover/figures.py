"""How much happened since a moment: orders placed and completed, and the money that they cost. Bounded reads alone."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

from accounts.models import User
from orders.models import Charged, Order
from orders.rules.statuses import Status
from orders.statistics.charge_totals import QUARTER, dollars, slot_of
from panel.format.numbers import number

ORDERS = 500  # that are counted; of more it says so
HOUR = 3_600 // QUARTER  # slots


class Count(NamedTuple):
    """A number, or that there are more than so many."""

    number: int
    more: bool = False

    @property
    def words(self) -> str:
        """`212`, `more than 500`."""
        return f"more than {number(self.number)}" if self.more else number(self.number)

    @classmethod
    def of(cls, rows: Sequence[object]) -> "Count":
        """The count of rows, of which one more than ORDERS was read at most."""
        return cls(min(len(rows), ORDERS), len(rows) > ORDERS)


class Money(NamedTuple):
    """What orders that were placed since a quarter of an hour cost, in US dollars."""

    begins: datetime  # the beginning of the quarter
    spent: Decimal
    estimated: Decimal  # of it, what the supplier has not named the charge of yet
    more: bool  # more orders without a charge than were added up
    people: list[tuple[User, Decimal]]  # who spent most first; empty when there were too many orders to tell
    hours: list[tuple[datetime, Decimal]]  # the charges by the hour


def placed_since(since: datetime) -> Count:
    """How many orders were placed."""
    placed = Order.objects.filter(created_at__gte=since).order_by("created_at").values_list("pk")
    return Count.of(list(placed[: ORDERS + 1]))


def completed_since(since: datetime) -> Count:
    """How many orders were completed, among the newest that ended."""
    ended = Order.objects.filter(ended_at__gte=since).order_by("-ended_at").values_list("status", flat=True)
    statuses = list(ended[: ORDERS + 1])
    return Count(statuses[:ORDERS].count(Status.COMPLETED), len(statuses) > ORDERS)


def money_since(since: datetime, now: datetime) -> Money:
    """What was spent. Charges come from totals by the quarter of an hour; only what has no charge yet is added up."""
    first = slot_of(since)
    begins = datetime.fromtimestamp(first * QUARTER, UTC)
    totals = Counter[int]()
    lines = Charged.objects.filter(slot__gte=first, slot__lte=slot_of(now)).order_by()
    for slot, charged in lines.values_list("slot", "charged"):
        totals[slot] += charged
    uncharged = Order.objects.filter(charge=None, upstream_id__isnull=False, created_at__gte=begins)
    rows = list(uncharged.order_by("created_at").values_list("expected_charge", flat=True)[: ORDERS + 1])
    estimated = sum(rows[:ORDERS], Decimal(0))
    spent = dollars(sum(totals.values())) + estimated
    return Money(begins, spent, estimated, len(rows) > ORDERS, spenders(begins), by_hour(totals, first, slot_of(now)))


def spenders(begins: datetime) -> list[tuple[User, Decimal]]:
    """Who placed orders for how much; nobody when there are more orders than are read."""
    placed = Order.objects.filter(created_at__gte=begins).order_by("created_at")
    rows = list(placed.values_list("placed_by", "cost", "upstream_id")[: ORDERS + 1])
    if len(rows) > ORDERS:
        return []
    sums: dict[int, Decimal] = {}
    for person, cost, upstream_id in rows:
        if upstream_id:
            sums[person] = sums.get(person, Decimal(0)) + cost
    people = User.objects.in_bulk(sums)
    return sorted(((people[pk], cost) for pk, cost in sums.items()), key=lambda one: (-one[1], str(one[0])))


def by_hour(totals: Counter[int], first: int, last: int) -> list[tuple[datetime, Decimal]]:
    """The charges of each hour, or of longer spans where there would be more than forty bars."""
    width = HOUR * max(1, -(-(last - first + 1) // (HOUR * 40)))
    bars = range(first, last + 1, width)
    return [
        (datetime.fromtimestamp(slot * QUARTER, UTC), dollars(sum(totals[at] for at in range(slot, slot + width))))
        for slot in bars
    ]


def span_of(hours: Sequence[tuple[datetime, Decimal]]) -> timedelta:
    """How long each bar is."""
    return hours[1][0] - hours[0][0] if len(hours) > 1 else timedelta(hours=1)

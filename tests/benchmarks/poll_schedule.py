"""Asking after live orders, on a virtual clock: a day of 100,000, and what webhooks spare while they work or are dead.

The supplier is in memory; budget, rhythm, claims and the database are the desk's own. One part alone is measured by
`python -m tests.benchmarks.poll_schedule day`; the others are dead and webhooks.
"""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from math import ceil
from statistics import mean, quantiles
from unittest.mock import patch

from django.db.models import Min, Sum

from orders.models import Order, Poll
from orders.rules.poll_schedule import LONGEST_PAUSE
from orders.rules.statuses import FINAL, Status
from panel.notpanel import budget
from panel.notpanel.budget import Purpose
from panel.notpanel.sandbox.world import lives
from panel.notpanel.sandbox.world.limits import KEY_PER_MINUTE, Limits
from panel.notpanel.shapes import Report
from panel.upstream import call_budget
from panel.upstream.call_budget import Meter
from panel.upstream.models import Window
from tests.benchmarks import data, measure
from tests.benchmarks.virtual import NOON, Clock, Phone, crew

WORKERS = 2
POLLS = (Purpose.POLL, Purpose.ASK)


def main() -> int:
    figures = measure.Figures(f"rhythm: {WORKERS} workers on a virtual clock, {KEY_PER_MINUTE} calls a minute")
    parts = {"day": a_day, "dead": webhooks_dead, "webhooks": webhooks_healthy}
    for name in sys.argv[1:] or parts:
        parts[name](figures)
    return figures.end()


def report(upstream_id: str, status: str, remains: int, at: datetime) -> Report:
    return Report(upstream_id, status, Decimal("0.90"), 100, remains, "USD", at, {"status": status})


def phones_of(clock: Clock, life: Callable[[str, datetime], Report]) -> list[Phone]:
    limits = Limits(clock=clock.unix)
    return [Phone(clock, limits, life, Meter()) for _ in range(WORKERS)]


def write_live(count: int, ages: Sequence[tuple[int, timedelta]]) -> None:
    """So many live orders that are due now; of a thousand so many are so old."""
    for first in range(1, count, data.BATCH * 10):
        data.write_orders(first, min(data.BATCH * 10, count - first + 1), (Status.IN_PROGRESS,))
    done = 0
    for part, age in ages:
        some = Order.objects.filter(pk__gt=done * count // 1000, pk__lte=(done + part) * count // 1000)
        some.update(created_at=NOON - age)
        done += part
    Poll.objects.update(next_poll_at=NOON, reported_at=NOON)


# ── A day ────────────────────────────────────────────────────────────────────────────────────────
ALL_DAY, HOURS = 100_000, 24
AGES = ((2, timedelta(minutes=5)), (5, timedelta(hours=1)), (10, timedelta(hours=12)), (983, timedelta(days=12)))
ROUND_EVERY = 2.0  # seconds of the virtual clock between the rounds of a worker that has nothing to do
ROUND_SECONDS = 3.0  # a round and the calls that both workers may be in


def a_day(figures: measure.Figures) -> None:
    """Whenever a worker begins a round and an order is overdue, it calls, if the budget has a call left."""
    with measure.desk():
        data.open_desk()
        write_live(ALL_DAY, AGES)
        clock = Clock()
        # Every order moves at its first poll and once at midnight; a poll that finds nothing new is the usual one.
        phones = phones_of(clock, lambda of, at: report(of, Status.IN_PROGRESS, 900 - at.hour // 12, at))
        passed_over, longest, expected = 0, 0.0, 0
        pressed: dict[int, bool] = {}  # windows by number: whether something was overdue whenever a round began

        def made() -> int:
            return sum(phone.calls["status"] for phone in phones)

        def overdue_seconds() -> float:
            """Of the order that is due first; negative when it is yet to come."""
            first = Poll.objects.due(clock.now + LONGEST_PAUSE).aggregate(at=Min("next_poll_at"))["at"]
            return (clock.now - first).total_seconds() if first else -ROUND_EVERY

        def idle_seconds() -> float:
            """Of the rounds that a worker begins every two seconds, those before anything is due are passed over."""
            return ROUND_EVERY * max(1, -overdue_seconds() // ROUND_EVERY)

        def judge() -> None:
            """Before each worker's round; and whether the round before it called, where it could and should have."""
            nonlocal passed_over, longest, expected
            passed_over += expected > made()
            _, window = call_budget.current(clock.now)
            overdue = overdue_seconds()
            longest, late = max(longest, overdue), overdue > ROUND_SECONDS
            pressed[window.number] = pressed.get(window.number, True) and late
            expected = made() + 1 if late and budget.room(window, Purpose.POLL, clock.now) > 0 else 0

        crew(clock, phones, NOON + timedelta(hours=HOURS), roles=POLLS, idle_seconds=idle_seconds, each=judge)
        figures.say(f"{ALL_DAY:,} live orders, {HOURS} h: {made():,} calls of {HOURS * 60 * KEY_PER_MINUTE:,}")
        full = Window.objects.filter(number__in=[number for number, late in pressed.items() if late])
        sums = full.aggregate(used=Sum("look"), could=Sum("key_limit"))
        figures.say(f"{full.count()} minutes with orders overdue throughout, by {longest:.0f} s at most")
        figures.exactly("rounds that found an order overdue and a call left, and made none", passed_over, 0)
        figures.at_least(
            "of the budget used in minutes with orders overdue throughout", sums["used"] / sums["could"], 0.95
        )
        figures.exactly("calls denied by upstream", sum(phone.denied for phone in phones), 0)


# ── Webhooks are dead ────────────────────────────────────────────────────────────────────────────
FOLLOWED = 10_000
WARM, WATCHED = timedelta(minutes=3), timedelta(minutes=20)
SAMPLED = timedelta(seconds=10)


def webhooks_dead(figures: measure.Figures) -> None:
    """More live orders than the key can follow at their rhythm: each is as fresh as a plain sweep would make it."""
    with measure.desk():
        data.open_desk()
        write_live(FOLLOWED, ((1000, timedelta(minutes=1)),))
        clock, sampled = Clock(), NOON + WARM
        phones = phones_of(clock, lambda of, at: report(of, Status.IN_PROGRESS, 900, at))
        ages: list[float] = []

        def sample() -> None:
            nonlocal sampled
            if clock.now >= sampled:
                sampled = clock.now + SAMPLED
                asked = Order.objects.values_list("reported_at", flat=True)
                ages.extend((clock.now - at).total_seconds() for at in asked if at)

        crew(clock, phones, NOON + WARM + WATCHED, roles=POLLS, each=sample)
        theory = 60 * ceil(FOLLOWED / 100) / KEY_PER_MINUTE
        p99 = quantiles(ages, n=100)[98]
        figures.say(f"{FOLLOWED:,} live orders: a sweep takes {theory:.0f} s; p99 of {len(ages):,} ages {p99:.1f} s")
        figures.at_most("webhooks dead: p99 of staleness against the sweep", p99 / theory, 1.5)
        figures.exactly("calls denied by upstream", sum(phone.denied for phone in phones), 0)


# ── Webhooks work ────────────────────────────────────────────────────────────────────────────────
PLACED = 2_000  # orders, within a minute; the first poll of each is not what webhooks spare
PLACED_WITHIN = timedelta(minutes=1)
DELIVERED_AFTER = timedelta(seconds=1)


def webhooks_healthy(figures: measure.Figures) -> None:
    """The same lives twice: polled alone, and with a delivery at each end."""
    calls, lag = {}, {}
    for delivered in (False, True):
        calls[delivered], lag[delivered] = a_life_long(delivered=delivered)
        figures.say(
            f"{'deliveries and polls' if delivered else 'polls alone'}: {calls[delivered]:,} calls; "
            f"an end is known after {mean(lag[delivered]):.1f} s, p95 {quantiles(lag[delivered], n=20)[18]:.1f} s, "
            f"at the latest {max(lag[delivered]):.0f} s"
        )
    figures.at_most("calls with webhooks against polls alone", calls[True] / calls[False], 0.1)
    figures.at_most("mean time until an end is known, against polls alone", mean(lag[True]) / mean(lag[False]), 1.0)
    p95 = [quantiles(lag[delivered], n=20)[18] for delivered in (True, False)]
    figures.at_most("p95 of it", p95[0] / p95[1], 1.0)


def a_life_long(*, delivered: bool) -> tuple[int, list[float]]:
    """Calls until every order has come to its end, and how long after its end each was known to have."""
    with measure.desk(), relied_upon(delivered):
        data.open_desk()
        data.write_orders(1, PLACED, (Status.PENDING,))
        planned: dict[str, lives.Life] = {}
        orders = list(Order.objects.order_by("pk"))
        for number, order in enumerate(orders):
            order.created_at = NOON + PLACED_WITHIN * number / PLACED
            at = order.created_at.timestamp()
            planned[str(order.upstream_id)] = lives.plan(
                str(number), at=at, quantity=order.quantity, outcome="completed"
            )
        Order.objects.bulk_update(orders, ["created_at"], batch_size=500)
        Poll.objects.update(next_poll_at=NOON + PLACED_WITHIN)
        clock = Clock()

        def life(upstream_id: str, at: datetime) -> Report:
            plan = planned[upstream_id]
            status, delivered = lives.state(plan, at.timestamp())
            # In tenths: most polls find what the one before found, as with orders that take days.
            return report(upstream_id, status, plan.total - delivered * 10 // plan.total * plan.total // 10, at)

        to_deliver = sorted((plan.end_at, upstream_id) for upstream_id, plan in planned.items())[::-1]

        def deliver() -> None:
            named = []
            while delivered and to_deliver and to_deliver[-1][0] + DELIVERED_AFTER.total_seconds() <= clock.unix():
                named.append(to_deliver.pop()[1])
            if named:
                Order.objects.filter(upstream_id__in=named).poll_soon(clock.now)

        phones = phones_of(clock, life)
        live = Order.objects.exclude(status__in=FINAL)
        crew(
            clock, phones, NOON + timedelta(days=1), roles=POLLS, idle_seconds=lambda: 1.0, each=deliver,
            done=lambda: not live.exists(),
        )  # fmt: skip
        ended = Order.objects.exclude(reported_at=None).values_list("upstream_id", "reported_at")
        lag = [
            (at - datetime.fromtimestamp(planned[str(upstream_id)].end_at, UTC)).total_seconds()
            for upstream_id, at in ended
            if at
        ]
        assert len(lag) == PLACED
        return sum(phone.calls["status"] for phone in phones), lag


@contextmanager
def relied_upon(reliable: bool) -> Iterator[None]:
    """Whether webhooks are judged healthy; what judges them is tried elsewhere."""
    with patch("orders.following.poll.reliable", lambda _now: reliable):
        yield


if __name__ == "__main__":
    raise SystemExit(main())

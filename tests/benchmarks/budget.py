"""The shared budget under a full sweep: eight worker processes, a supplier with three limits, people who place orders.

Processes, database and the line to the sandbox are real. Where calls are counted, the clock that all of them read runs
five times as fast as the wall's; not where waits are measured, for the machine is no faster with it. One part alone is
measured by `python -m tests.benchmarks.budget counted`; the other is waits.
"""

import multiprocessing
import random
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection
from statistics import mean, quantiles
from unittest.mock import patch

from django.conf import settings
from django.db import connections, transaction
from django.db.models import F, Sum

from accounts.models import User
from catalog.models import Service
from orders.models import Attempt, Order, Poll
from orders.rules.statuses import Status
from panel.notpanel.budget import Purpose
from panel.notpanel.client import Client
from panel.notpanel.sandbox.world.limits import Limits
from panel.upstream import client as book
from panel.upstream.call_budget import Meter
from panel.upstream.models import Window
from panel.worker.loop import IDLE_SECONDS, work_round
from tests.benchmarks import data, measure
from tests.makers import make_service, place_order
from tests.upstream import SERVICE, Upstream

PROCESSES = 8
# Minutes of the desk's clock, and how many seconds of it pass in one of the wall's; with a sweep or without in turns.
COUNTED, COUNTED_SPEED = 60, 5
WAITED, WAITED_SPEED, TURN = 8, 1, 2
KEY, TIER, IP = 100, 130, 300  # calls a minute
FOLLOWED = 2_000  # orders that want to be asked after every ten seconds: 120 calls a minute
PERSON_EVERY = 2.0  # seconds between orders that people place, on average


class Clock:
    """A clock that all processes share, for it is computed from the wall's."""

    def __init__(self, began: float, speed: int) -> None:
        self.began, self.speed = began, speed

    def unix(self) -> float:
        return self.began + (time.time() - self.began) * self.speed

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.unix(), UTC)

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds / self.speed)


def work(told: Connection, clock: Clock) -> None:
    """One worker process: waits to be told the address, then works until it is told to stop."""
    settings.DATABASES["default"]["CONN_MAX_AGE"] = None
    url, key = told.recv()
    client = Client(url, key, on_call=book.record_call, meter=Meter(), clock=clock.unix)
    with patch("django.utils.timezone.now", clock.now):
        while not told.poll():
            if not work_round(client, tuple(Purpose)):
                clock.sleep(IDLE_SECONDS)


def main() -> int:
    figures = measure.Figures(f"budget: {PROCESSES} processes, limits of {KEY} a key, {TIER} a tier, {IP} an address")
    settings.SEND_DELAY_SECONDS = 0
    parts = {"counted": calls_counted, "waits": waits_compared}
    for name in sys.argv[1:] or parts:
        parts[name](figures)
    return figures.end()


@contextmanager
def new_desk() -> Iterator[None]:
    with measure.desk():
        data.open_desk()
        make_service(upstream_id=SERVICE, minimum=50, maximum=500_000)
        yield


def calls_counted(figures: measure.Figures) -> None:
    """An hour under more work than the key allows: nothing is denied, and next to nothing left unused."""
    clock = Clock(time.time(), COUNTED_SPEED)
    with new_desk(), at_work(figures, clock) as upstream:
        first = clock.now() + timedelta(minutes=2)  # the first minute is begun in its middle
        placed = people(clock, timedelta(minutes=COUNTED))
        last, denied = clock.now(), upstream.books()["refused"]
        whole = Window.objects.filter(ends_at__gt=first, ends_at__lt=last)
        sums = whole.aggregate(used=Sum(F("place") + F("ask") + F("look") + F("upkeep")), could=Sum("key_limit"))
        figures.say(f"{whole.count()} whole minutes: {sums['used']:,} calls of {sums['could']:,}; {len(placed)} orders")
        figures.at_least("of the budget used under backlog", sums["used"] / sums["could"], 0.95)
        figures.exactly("denied by the supplier", {action: n for action, n in denied.items() if n}, {})


def waits_compared(figures: measure.Figures) -> None:
    """A person's order is called for as soon under a full sweep as without one: both in turns, on the same desk."""
    clock = Clock(time.time(), WAITED_SPEED)
    placed: dict[bool, dict[int, datetime]] = {False: {}, True: {}}
    with new_desk(), at_work(figures, clock):
        followed = list(Order.objects.values_list("pk", flat=True))
        for turn in range(WAITED // TURN):
            swept = turn % 2 == 1
            for _ in range(1 if swept else 2):  # the second time those that were in a call meanwhile
                follow(followed, clock.now() if swept else None)
                clock.sleep(5)
            placed[swept] |= people(clock, timedelta(minutes=TURN))
        began_at = dict(Attempt.objects.values_list("task__order", "began_at"))
    unsent = [order for each in placed.values() for order in each if order not in began_at]
    figures.exactly("orders placed by people and not sent", unsent, [])
    waits = {swept: [(began_at[order] - at).total_seconds() for order, at in placed[swept].items()] for swept in placed}
    p95 = {swept: quantiles(waits[swept], n=20)[18] for swept in waits}
    for swept, each in waits.items():
        figures.say(
            f"{len(each)} orders {'under a full' if swept else 'without a'} sweep: called for {mean(each):.2f} s "
            f"after they were placed on average, p95 {p95[swept]:.2f} s, at the latest {max(each):.2f} s"
        )
    figures.at_most("p95 wait of a person under a full sweep against none", p95[True] / p95[False], 1.2)


@contextmanager
def at_work(figures: measure.Figures, clock: Clock) -> Iterator[Upstream]:
    """A supplier with three limits, orders to follow, and the worker processes, which are told to stop at the end."""
    connections.close_all()
    fork = multiprocessing.get_context("fork")  # before the sandbox has threads
    pipes = [fork.Pipe() for _ in range(PROCESSES)]
    workers = [fork.Process(target=work, args=(theirs, clock)) for _, theirs in pipes]
    for worker in workers:
        worker.start()
    with Upstream(balance="1000000") as upstream:
        write_followed(upstream, clock)
        upstream.supplier.limits = Limits(IP, KEY, TIER, clock=clock.unix)
        for ours, _ in pipes:
            ours.send((upstream.url, upstream.key))
        try:
            yield upstream
        finally:
            for ours, _ in pipes:
                ours.send("stop")
            for worker in workers:
                worker.join(60)
        figures.exactly("workers that broke", [worker.exitcode for worker in workers if worker.exitcode], [])


def write_followed(upstream: Upstream, clock: Clock) -> None:
    """Live orders that the desk and the sandbox both know, and that stay young."""
    data.write_orders(1, FOLLOWED, (Status.PENDING,))
    for order in Order.objects.all():
        known = upstream.place(
            link=f"https://instagram.com/p/{order.pk}", request_id=str(order.request_id), quantity=100
        )
        Order.objects.filter(pk=order.pk).update(upstream_id=known)
    Order.objects.update(created_at=clock.now() + timedelta(days=1))
    Poll.objects.update(next_poll_at=clock.now())


def follow(pks: list[int], next_poll_at: datetime | None) -> None:
    with transaction.atomic():
        # In the order in which workers lock them, or the two could wait for each other.
        polls = Poll.objects.filter(order__in=pks)
        polls.lock()
        polls.delete()
        if next_poll_at:
            Poll.objects.bulk_create([Poll(order_id=pk, next_poll_at=next_poll_at) for pk in pks])


def people(clock: Clock, during: timedelta) -> dict[int, datetime]:
    """Orders placed by and by, each with its moment."""
    chance, until, placed = random.Random(measure.SEED), clock.now() + during, {}
    by, service = User.objects.order_by("pk")[1], Service.objects.get(upstream_id=SERVICE)
    while clock.now() < until:
        clock.sleep(chance.expovariate(1 / PERSON_EVERY))
        at = clock.now()
        placed[
            place_order(by=by, service=service, quantity=100, link=f"https://instagram.com/x/{at.timestamp()}").pk
        ] = at
    clock.sleep(10)
    return placed


if __name__ == "__main__":
    raise SystemExit(main())

"""The shared budget under a full sweep: eight worker processes, a supplier with three limits, people who place orders.

Processes, database and the line to the sandbox are real; the clock that all of them read runs ten times as fast.
"""

import multiprocessing
import random
import time
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection
from statistics import quantiles
from unittest.mock import patch

from django.conf import settings
from django.db import connections
from django.db.models import F, Sum

from accounts.models import User
from catalog.models import Service
from orders.models import Order
from orders.states import Status
from orders.tasks import Attempt
from panel import upstream as book
from panel.models import Window
from panel.notpanel.budget import Purpose
from panel.notpanel.client import Client
from panel.notpanel.sandbox.limits import Limits
from panel.spending import Meter
from panel.worker import IDLE_SECONDS, work_round
from tests.benchmarks import data, measure
from tests.makers import make_service, place_order
from tests.upstream import NO_LIMIT, SERVICE, Upstream

PROCESSES = 8
SPEED = 10  # seconds of the desk's clock in a second
MINUTES, QUIET_MINUTES = 60, 20  # of the desk's clock: under the sweep, and without one
KEY, TIER, IP = 100, 130, 300  # calls a minute
FOLLOWED = 2_000  # orders that want to be asked after every ten seconds: 120 calls a minute
PERSON_EVERY = 7.5  # seconds between orders that people place, on average


class Clock:
    """A clock that all processes share, for it is computed from the wall's."""

    def __init__(self, began: float) -> None:
        self.began = began

    def unix(self) -> float:
        return self.began + (time.time() - self.began) * SPEED

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.unix(), UTC)


def work(told: Connection, began: float) -> None:
    """One worker process: waits to be told the address, then works until it is told to stop."""
    settings.DATABASES["default"]["CONN_MAX_AGE"] = None
    url, key = told.recv()
    clock = Clock(began)
    client = Client(url, key, heard=book.heard, meter=Meter(), clock=clock.unix)
    with patch("django.utils.timezone.now", clock.now):
        while not told.poll():
            if not work_round(client, tuple(Purpose)):
                time.sleep(IDLE_SECONDS / SPEED)
    told.send(client.meter.calls if client.meter else 0)


def main() -> int:
    figures = measure.Figures(
        f"budget: {PROCESSES} processes on a clock {SPEED} times as fast, {MINUTES} minutes of it"
    )
    settings.SEND_DELAY_SECONDS = 0
    waits = {}
    for swept in (False, True):
        with measure.desk():
            data.open_desk()
            make_service(upstream_id=SERVICE, minimum=50, maximum=500_000)
            waits[swept] = a_run(figures, swept=swept)
    p95 = {swept: quantiles(waits[swept], n=20)[18] for swept in waits}
    figures.say(f"p95 from an order placed to its call: {p95[False]:.2f} s without a sweep, {p95[True]:.2f} s under it")
    figures.at_most("p95 wait of a person under a full sweep against none", p95[True] / p95[False], 1.2)
    return figures.end()


def a_run(figures: measure.Figures, *, swept: bool) -> list[float]:
    """How long each order that a person placed waited for its call, in seconds of the desk's clock."""
    connections.close_all()
    began = time.time()
    clock, pipes, workers = Clock(began), [], []
    fork = multiprocessing.get_context("fork")  # before the sandbox has threads
    for _ in range(PROCESSES):
        ours, theirs = fork.Pipe()
        workers.append(fork.Process(target=work, args=(theirs, began)))
        workers[-1].start()
        pipes.append(ours)
    with Upstream(balance="1000000", limits=Limits(NO_LIMIT, NO_LIMIT, NO_LIMIT, clock=clock.unix)) as upstream:
        if swept:
            follow(upstream, clock)
        upstream.supplier.limits = Limits(IP, KEY, TIER, clock=clock.unix)
        for pipe in pipes:
            pipe.send((upstream.url, upstream.key))
        first = clock.now() + timedelta(minutes=1)  # the first minute is begun in its middle
        placed = people(clock, timedelta(minutes=MINUTES if swept else QUIET_MINUTES))
        last = clock.now()
        for pipe in pipes:
            pipe.send("stop")
        for worker in workers:
            worker.join(60)
        failed = [worker.exitcode for worker in workers if worker.exitcode]
        figures.exactly(f"{'sweep' if swept else 'quiet'}: workers that broke", failed, [])
        if swept:
            whole = Window.objects.filter(ends_at__gt=first + timedelta(minutes=1), ends_at__lt=last)
            sums = whole.aggregate(used=Sum(F("place") + F("ask") + F("look") + F("upkeep")), could=Sum("key_limit"))
            figures.say(
                f"{whole.count()} whole minutes: {sums['used']:,} calls of {sums['could']:,}; {len(placed)} orders"
            )
            figures.at_least("of the budget used under backlog", sums["used"] / sums["could"], 0.95)
            denied = upstream.books()["refused"]
            figures.exactly("denied by upstream", {action: n for action, n in denied.items() if n}, {})
    began_at = dict(Attempt.objects.filter(task__order__in=placed).values_list("task__order", "began_at"))
    figures.exactly("orders placed by people and not sent", len(placed) - len(began_at), 0)
    return [(began_at[order] - at).total_seconds() for order, at in placed.items()]


def follow(upstream: Upstream, clock: Clock) -> None:
    """Live orders that the desk and the sandbox both know, and that stay young."""
    data.write_orders(1, FOLLOWED, (Status.PENDING,))
    for order in Order.objects.all():
        known = upstream.place(
            link=f"https://instagram.com/p/{order.pk}", request_id=str(order.request_id), quantity=100
        )
        Order.objects.filter(pk=order.pk).update(upstream_id=known)
    Order.objects.update(created_at=clock.now() + timedelta(days=1), next_look_at=clock.now())


def people(clock: Clock, during: timedelta) -> dict[int, datetime]:
    """Orders placed by and by, each with its moment."""
    chance, until, placed = random.Random(measure.SEED), clock.now() + during, {}
    by, service = User.objects.order_by("pk")[1], Service.objects.get(upstream_id=SERVICE)
    while clock.now() < until:
        time.sleep(chance.expovariate(1 / PERSON_EVERY) / SPEED)
        at = clock.now()
        placed[
            place_order(by=by, service=service, quantity=100, link=f"https://instagram.com/x/{at.timestamp()}").pk
        ] = at
    time.sleep(20 / SPEED)
    return placed


if __name__ == "__main__":
    raise SystemExit(main())

"""After an hour of outage with 5,000 orders queued: how long they take to go out, and whether each goes once.

The clock is a virtual one; the sandbox, the line to it and the database are real.
"""

from collections import Counter
from datetime import timedelta

from orders.models import Order, Task
from panel.notpanel.client import Client
from panel.notpanel.sandbox.world.limits import KEY_PER_MINUTE, WINDOW_SECONDS, Limits
from panel.upstream import client as book
from panel.upstream.call_budget import Meter
from panel.upstream.models import Window
from panel.worker.recurring import create_rows
from tests.benchmarks import measure
from tests.benchmarks.virtual import CALL_SECONDS, NOON, Clock, crew
from tests.makers import make_service, make_user, place_order
from tests.upstream import SERVICE, Upstream

QUEUED = 5_000
OUTAGE = timedelta(hours=1)
WORKERS = 4


def main() -> int:
    figures = measure.Figures(f"outage: {QUEUED:,} orders queued while upstream is away for an hour; {WORKERS} workers")
    clock = Clock()
    limits = Limits(clock=clock.unix)
    with measure.desk(), Upstream(balance="1000000", limits=limits) as upstream:
        queue()
        with clock.shown():
            create_rows(clock.now)
        upstream.will("html_502", times=None)

        def heard(action: str, trouble: object) -> None:
            clock.pass_by(CALL_SECONDS)
            book.record_call(action, trouble)  # type: ignore[arg-type]

        phones = [
            Client(upstream.url, upstream.key, on_call=heard, meter=Meter(), clock=clock.unix) for _ in range(WORKERS)
        ]
        crew(clock, phones, NOON + OUTAGE, idle_seconds=lambda: 2.0)
        figures.say(f"during the outage: {upstream.calls():,} calls, none of them answered")
        upstream.behaves()
        began = clock.now
        before = Window.objects.latest("number").number
        crew(clock, phones, NOON + timedelta(days=1), done=lambda: not Task.objects.filter(settled_at=None).exists())
        took = (clock.now - began).total_seconds()
        placed = Counter(row["request_id"] for row in upstream.orders())
        spent = {
            p: sum(Window.objects.filter(number__gt=before).values_list(p, flat=True))
            for p in ("place", "look", "upkeep")
        }
        figures.say(f"drained in {took / 60:.1f} minutes; calls: {spent}")
        # The desk stops itself after an outage and learns within a minute that it is over.
        theory = QUEUED / KEY_PER_MINUTE * WINDOW_SECONDS
        figures.at_most("time to drain, against one call an order at the key's limit", took / theory, 1.05)
        figures.exactly("orders upstream", len(placed), QUEUED)
        figures.exactly("orders placed twice", sum(count > 1 for count in placed.values()), 0)
        figures.exactly("orders without upstream's id", Order.objects.filter(upstream_id=None).count(), 0)
        figures.exactly("calls denied by upstream", sum(Window.objects.values_list("denied", flat=True)), 0)
    return figures.end()


def queue() -> None:
    """Placed by the form's own verb, before the clock is set to noon."""
    by, service = make_user(), make_service(upstream_id=SERVICE, minimum=50, maximum=500_000)
    for number in range(QUEUED):
        place_order(by=by, service=service, quantity=100, link=f"https://instagram.com/p/{number}")
    Order.objects.update(created_at=NOON)
    Task.objects.update(asked_at=NOON, due_at=NOON)


if __name__ == "__main__":
    raise SystemExit(main())

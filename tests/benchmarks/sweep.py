"""Asking after live orders: how many calls upstream gets, however many orders there are and pages are open."""

from collections import Counter
from datetime import datetime, timedelta
from math import ceil

from django.utils import timezone

from accounts.models import User
from orders.following.claim import ORDERS_PER_CALL
from orders.following.poll import poll_once
from orders.models import Order, Poll
from orders.rules.statuses import Status
from panel.notpanel.client import Client
from tests.benchmarks import data, measure
from tests.benchmarks.page import OpenPage
from tests.upstream import Upstream

MOST = 10_000
SIZES = (1, ORDERS_PER_CALL, ORDERS_PER_CALL + 1, MOST)
PAGES = 50
FOLLOWED = 150  # orders that the open pages' desk follows: two calls a round
MINUTE = 60  # seconds of the desk's clock
POLL_EVERY = 2  # seconds, the fastest that live.js polls
MOVING = 5  # orders of which upstream has something new to say each time


def main() -> int:
    figures = measure.Figures("sweep: upstream calls, counted at the sandbox and by the client")
    with measure.desk(pages=True), Upstream(balance="1000000") as upstream:
        owner = data.open_desk()
        took = measure.seconds(lambda: write_followed(upstream))
        figures.say(f"placed {MOST:,} orders at the sandbox in {took:.0f} s")
        for size in SIZES:
            sweep(upstream, size, figures)
        calls = {pages: a_minute(upstream, owner, pages) for pages in (0, 1, PAGES)}
        figures.say(f"a minute of polls every {POLL_EVERY} s, calls by open pages: {calls}")
        figures.exactly(f"calls with {PAGES} open pages against 1", calls[PAGES], calls[1])
        figures.exactly("calls with 1 open page against none", calls[1], calls[0])
    return figures.end()


def write_followed(upstream: Upstream) -> None:
    """Live orders that the desk and the sandbox both know."""
    phone = Client(upstream.url, upstream.key)
    service = next(row for row in phone.services().rows if row.type == "Default")
    body = {"service": str(service.upstream_id), "link": "https://example.com/p/1", "quantity": str(service.minimum)}
    data.write_orders(1, MOST, (Status.IN_PROGRESS,))
    orders = list(Order.objects.order_by("pk"))
    for order in orders:
        order.upstream_id = phone.place(body, request_id=str(order.request_id))
    Order.objects.bulk_update(orders, ["upstream_id"], batch_size=500)


def sweep(upstream: Upstream, size: int, figures: measure.Figures) -> None:
    """One sweep over so many due orders; they are two days old, so none comes due again meanwhile."""
    begin(size, created_at=timezone.now() - timedelta(days=2))
    heard: Counter[str] = Counter()
    phone = Client(
        upstream.url, upstream.key, on_call=lambda action, trouble: heard.update([f"{action} {trouble or ''}"])
    )
    before = upstream.calls()
    took = measure.seconds(lambda: poll_until_done(phone))
    found = {
        "sandbox": upstream.calls() - before,
        "client": heard["status "],
        "unasked": Poll.objects.due(timezone.now()).count(),
    }
    figures.say(f"{size:,} orders: {took:.2f} s")
    calls = ceil(size / ORDERS_PER_CALL)
    figures.exactly(f"{size:,} live orders", found, {"sandbox": calls, "client": calls, "unasked": 0})


def a_minute(upstream: Upstream, owner: User, pages: int) -> int:
    """Calls that arrive at the sandbox in a minute with so many open pages, each polling as fast as it may."""
    start = timezone.now().replace(second=0, microsecond=0)  # on a beat, for each minute to hold as many of them
    begin(FOLLOWED, created_at=start)
    moving = list(Order.objects.order_by("-pk").filter(poll__isnull=False)[:MOVING])
    clock = start
    phone = Client(upstream.url, upstream.key, clock=lambda: clock.timestamp())
    opened = [OpenPage(owner) for _ in range(pages)]
    before, changed = upstream.calls(), 0
    for second in range(0, MINUTE, POLL_EVERY):
        clock = start + timedelta(seconds=second)
        for order in moving:
            upstream.set_status(str(order.upstream_id), Status.IN_PROGRESS, remains=second)
        while poll_once(phone, clock):
            pass
        changed += sum(page.poll().status_code == 200 for page in opened)
    assert bool(changed) == bool(pages), "pages that saw nothing move prove nothing"
    return upstream.calls() - before


def begin(size: int, created_at: datetime) -> None:
    """So many orders are due now, the newest ones; upstream is not asked after the others."""
    Poll.objects.all().delete()
    Order.objects.update(reported_at=None)
    Order.objects.filter(pk__gt=MOST - size).update(created_at=created_at)
    Poll.objects.bulk_create(
        [Poll(order_id=pk, next_poll_at=created_at) for pk in range(MOST - size + 1, MOST + 1)], batch_size=data.BATCH
    )


def poll_until_done(phone: Client) -> None:
    while poll_once(phone):
        pass


if __name__ == "__main__":
    raise SystemExit(main())

"""A desk as real ones are, of any number of orders: `python -m tests.benchmarks.desks 1000000` fills DATABASE_URL's."""

import random
import sys
from collections.abc import Iterator
from datetime import datetime
from unittest.mock import patch

import django
from django.apps import apps
from django.core.management.color import no_style
from django.db import connection
from django.utils import timezone

from accounts.models import ChainHead, ChainWatch, TrailLine, User
from accounts.trail import chain
from accounts.trail.watch import verify_piece
from orders.models import Order
from orders.rules.statuses import Status
from tests.benchmarks import data, measure, selling, surroundings
from tests.benchmarks.copies import copy_template, unwatched
from tests.benchmarks.history import BEFORE, EVENTS, NEWEST, OLD_STATUSES, RECENT, RECENT_STATUSES, TEMPLATE, Writer

ORDERS_A_DAY = 1_440
LEAST_LINES_A_LINK, MOST_LINKS = 120, 500


def write_desk(size: int, now: datetime | None = None) -> User:
    """Fills an empty, migrated database with so many orders, and all that belongs to them; gives the owner."""
    now, older = now or moment(), size - RECENT
    days = older // ORDERS_A_DAY
    owner = surroundings.write_team()
    surroundings.write_catalog(now, days)
    surroundings.write_jobs(now, days, older)
    write_orders(size, now)
    number_on()  # what is written from here on must not take the number of a line of the oldest orders
    selling.write_customers(owner)
    selling.write_sales(now)
    surroundings.write_presence(now)
    surroundings.write_limits(now, days)
    surroundings.write_handover(now, days)
    surroundings.write_alarms(now, days)
    surroundings.write_door(now, days)
    surroundings.write_machinery(now, days)
    number_on()
    seal_lines(now)
    data.tidy_up()
    assert Order.objects.count() == size
    return owner


def seal_lines(now: datetime) -> None:
    """Makes the chain of all lines, in as many links as many a list shows, and verifies a piece of it.

    No link has more lines than the desk itself would put into one: of what is longer, it verifies only the beginning.
    """
    head = ChainHead.objects.get()
    head.unsealed_until = (NEWEST - RECENT + 1) * EVENTS
    chain.write_head(head)
    lines_a_link = max(LEAST_LINES_A_LINK, TrailLine.objects.count() // MOST_LINKS)
    with patch.object(chain, "LINES_A_LINK", min(lines_a_link, chain.LINES_A_LINK)):
        while chain.seal_new(now):
            pass
    verify_piece(now)
    assert ChainWatch.objects.get().breaks == [], "the trail is not whole"


def write_orders(size: int, now: datetime) -> None:
    """So many orders, one a minute up to now; the newest has the id NEWEST."""
    assert not TrailLine.objects.filter(pk__gte=BEFORE * EVENTS).exists(), "lines stand where the oldest order's belong"
    for first, last, mix, seed in spans(size):
        writer = Writer(now, recent=mix is RECENT_STATUSES, seed=seed)
        for pk, status in zip(range(first, last + 1), mixed(mix, last + 1 - first, seed), strict=True):
            if pk > NEWEST - size:
                writer.order(pk, status)
        writer.insert()
    older = size - RECENT - TEMPLATE
    if older > 0:
        with unwatched():
            for block in range(-(-older // TEMPLATE), 0, -1):
                copy_template(block * TEMPLATE, NEWEST - size)


def spans(size: int) -> Iterator[tuple[int, int, dict[Status, int], int]]:
    """First and last id, statuses and seed of what is made in memory."""
    if size > RECENT:
        yield NEWEST - RECENT - TEMPLATE + 1, NEWEST - RECENT, OLD_STATUSES, measure.SEED + 1
    yield NEWEST - RECENT + 1, NEWEST, RECENT_STATUSES, measure.SEED


def mixed(mix: dict[Status, int], count: int, seed: int) -> list[Status]:
    """So many statuses in these proportions, shuffled."""
    whole = [status for status, share in mix.items() for _ in range(share * count // sum(mix.values()))]
    random.Random(seed).shuffle(whole)
    return whole


def number_on() -> None:
    """Whoever adds a row gets a number that is free; SQLite sees to that by itself."""
    models = [model for model in apps.get_models() if model._meta.managed]
    with connection.cursor() as cursor:
        for sql in connection.ops.sequence_reset_sql(no_style(), models):
            cursor.execute(sql)


def moment() -> datetime:
    """Now, in whole seconds: so both databases write it alike."""
    return timezone.now().replace(microsecond=0)


if __name__ == "__main__":
    django.setup()
    took = measure.seconds(lambda: write_desk(int(sys.argv[1].replace("_", ""))))
    print(f"filled in {took:.0f} s")

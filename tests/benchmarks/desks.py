"""A desk as real ones are, of any number of orders: `python -m tests.benchmarks.desks 1000000` fills DATABASE_URL's."""

import sys
from datetime import datetime

from accounts.models import User
from orders.models import Order
from tests.benchmarks import data, history, measure, surroundings
from tests.benchmarks.history import moment

ORDERS_A_DAY = 1_440


def write_desk(size: int, now: datetime | None = None) -> User:
    """Fills an empty, migrated database with so many orders, and all that belongs to them; gives the owner."""
    now, older = now or moment(), size - history.RECENT
    days = older // ORDERS_A_DAY
    owner = surroundings.write_team()
    surroundings.write_catalog(now, days)
    surroundings.write_jobs(now, days, older)
    history.write_orders(size, now)
    surroundings.write_presence(now)
    surroundings.write_alarms(now, days)
    surroundings.write_machinery(now, days)
    history.number_on()
    data.tidy_up()
    assert Order.objects.count() == size
    return owner


if __name__ == "__main__":
    import django

    django.setup()
    took = measure.seconds(lambda: write_desk(int(sys.argv[1].replace("_", ""))))
    print(f"filled in {took:.0f} s")

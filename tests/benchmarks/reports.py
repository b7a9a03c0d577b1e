"""A year's report at ten thousand and at a million orders a year: `python -m tests.benchmarks.reports`.

The sums are written as so many orders, spread over two years, would have left them: one by one they would take hours.
Beside them stand lines that no worker has folded yet. Also tells how long the old orders' sums take, and their bytes.
"""

from statistics import quantiles
from time import perf_counter, process_time

from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts.models import User
from catalog.models import Service
from orders.models import Customer, SaleLine, SaleSum
from orders.reports.period import SPLITS
from orders.statistics import sales
from orders.statistics.charge_totals import slot_of
from tests.benchmarks import data, measure
from tests.benchmarks.page import browser_of

SIZES = (10_000, 1_000_000)  # orders a year
YEARS, CUSTOMERS, UNFOLDED = 2, 40, 1_000
SLOTS_A_YEAR = 365 * sales.DAY
ROUNDS = 40
MOST_MILLISECONDS, MOST_GROWTH = 150, 2.5
QUERY = "period=year&with=before&split={}"


def main() -> int:
    figures = measure.Figures(
        f"reports of a year, compared with the year before, at {SIZES[0]:,} and {SIZES[1]:,} orders"
    )
    worst = []
    for size in SIZES:
        with measure.desk(pages=True):
            owner = data.open_desk()
            began = perf_counter()
            write_sums(size)
            figures.say(f"{size:,} orders a year: {SaleSum.objects.count():,} sums in {perf_counter() - began:.0f} s, "
                        f"{bytes_of_sums() / size / YEARS:.0f} bytes an order")  # fmt: skip
            times = {split: p95_of(browser_of(owner), QUERY.format(split)) for split in SPLITS}
            times["service, in Kathmandu"] = p95_of(browser_of(in_kathmandu(owner)), QUERY.format("service"))
            for split, milliseconds in times.items():
                figures.say(f"by {split}: p95 {milliseconds:.0f} ms")
            worst.append(max(times.values()))
    figures.at_most(f"p95 of a year's report at {SIZES[-1]:,} orders, ms", worst[-1], MOST_MILLISECONDS)
    figures.at_most(f"beside {SIZES[0]:,} orders, times", worst[-1] / worst[0], MOST_GROWTH)
    return figures.end()


def p95_of(browser: Client, query: str) -> float:
    """How long the page takes, in milliseconds: of 100 requests 95 take less."""
    # On SQLite everything is done in this process, and its own time holds nothing of what else the machine does.
    times, clock = [], process_time if measure.on_sqlite() else perf_counter
    browser.get("/reports/")
    connection.close()  # the next one is set up as a web server's: it was opened before anything of pages was loaded
    for _ in range(ROUNDS):
        began = clock()
        assert browser.get(f"/reports/?{query}").status_code == 200
        times.append((clock() - began) * 1_000)
    return quantiles(times[5:], n=20)[-1]


def in_kathmandu(owner: User) -> User:
    """The same reader where no day begins with a whole hour of UTC's."""
    User.objects.filter(pk=owner.pk).update(time_zone="Asia/Kathmandu")
    owner.refresh_from_db()
    return owner


def write_sums(size: int) -> None:
    """The sums of so many orders a year over YEARS, all of them folded but the last UNFOLDED."""
    by = User.objects.order_by("pk")[0]
    customers = Customer.objects.bulk_create(Customer(name=f"No. {n}", created_by=by) for n in range(CUSTOMERS))
    services = Service.objects.order_by("pk").values_list("pk", flat=True)[0]
    first = slot_of(timezone.now()) - YEARS * SLOTS_A_YEAR
    spread = {
        "slot": f"{first} + i * 7919 % {YEARS * SLOTS_A_YEAR}",
        "service": f"{services} + (i * 31 + i / 7) % {data.SERVICES}",
        "person": f"{by.pk} + i % {data.PEOPLE}", "customer": f"{customers[0].pk} + i * 13 % {CUSTOMERS}",
    }  # fmt: skip
    figures = dict.fromkeys(sales.FIGURES, "i % 5 / 4") | {
        "orders": "1", "ended": "1", "units": "1000", "ended_units": "1000", "delivered": "990",
        "charged": "900000 + i % 777", "ended_charged": "900000", "expected": "900000",
        "sold": "1300000 + i % 333", "margin": "400000",
    }  # fmt: skip
    columns = ", ".join(f"{sql} AS {name}" for name, sql in (spread | figures).items())
    orders = "WITH RECURSIVE n (i) AS (SELECT {} UNION ALL SELECT i + 1 FROM n WHERE i < {}) SELECT {} FROM n"
    number = "CAST(1 AS bigint)"
    with connection.cursor() as cursor:
        source = orders.format(number, size * YEARS, columns)
        cursor.execute(sales.add_up(source, [sales.DETAIL]))
        for level in sales.LEVELS:
            if level != sales.DETAIL:
                cursor.execute(
                    sales.add_up(f"SELECT * FROM orders_salesum WHERE level = {sales.DETAIL.number}", [level])
                )
        if connection.vendor == "postgresql":
            cursor.execute("VACUUM ANALYZE orders_salesum")
    names = [*spread, *sales.FIGURES]
    newest = SaleSum.objects.filter(level=sales.DETAIL.number).order_by("-slot").values(*names)[:UNFOLDED]
    SaleLine.objects.bulk_create(SaleLine(**values) for values in newest)


def bytes_of_sums() -> int:
    """What the sums weigh in the database, with their index."""
    weigh = {
        "sqlite": "SELECT SUM(pgsize) FROM dbstat WHERE name LIKE '%salesum%'",
        "postgresql": "SELECT pg_total_relation_size('orders_salesum')",
    }
    with connection.cursor() as cursor:
        cursor.execute(weigh[connection.vendor])
        return int(cursor.fetchone()[0] or 0)


if __name__ == "__main__":
    raise SystemExit(main())

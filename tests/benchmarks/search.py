"""Finding among a thousand, a hundred thousand and a million orders: each tab, filter, sort and search."""

import importlib
from functools import partial
from statistics import median, quantiles
from time import perf_counter, process_time
from urllib.parse import urlencode

from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from catalog.models import Service
from orders.models import Order, Task
from orders.rules.statuses import Status
from orders.table import filters
from orders.table.filters import OPEN_FILTERS
from orders.table.paging import SORTS
from tests.benchmarks import data, measure
from tests.benchmarks.orders_page import NEWEST, get
from tests.benchmarks.page import browser_of

SIZES = (data.RECENT, 100_000, 1_000_000)
ROUNDS, ADMIN_ROUNDS = 12, 60
MOST_GROWTH = 1.2
LEAST_GAIN = 10  # of the search's index over LIKE
MOST_OF_ADMIN = {"sqlite": 0.25, "postgresql": 0.1}  # p95 of both

Costs = dict[str, float]


def main() -> int:
    figures = measure.Figures(f"finding: at {', '.join(f'{size:,}' for size in SIZES)} orders")
    with measure.desk(pages=True):
        owner = data.open_desk()
        Service.objects.filter(pk__lt=Service.objects.order_by("pk")[20].pk).update(category="TikTok › Likes")
        browser = browser_of(owner)
        data.write_orders(NEWEST - data.RECENT + 1, data.RECENT)
        ask_for_refills(owner)
        lists, costs, size = lists_of(owner), [], data.RECENT
        for more in SIZES:
            data.write_older(NEWEST - size + 1, (more - size) // data.RECENT)
            size = more
            assert Order.objects.count() == size
            costs.append(cost_of(browser, lists))
            tell_times(browser, lists, size, figures)
        compare(costs, figures)
        search_beside_like(figures)
        beside_admin(browser, figures)
    return figures.end()


def ask_for_refills(owner: User) -> None:
    """Some of the newest wait for a refill or a cancel: more of each than anything counts."""
    now = timezone.now()
    some = Order.objects.filter(status=Status.COMPLETED).order_by("-pk").values_list("pk", flat=True)[:240]
    kinds = (Task.Kind.REFILL, Task.Kind.CANCEL)
    Task.objects.bulk_create(
        Task(order_id=pk, kind=kinds[n % 2], asked_by=owner, asked_at=now, settled_at=now, outcome=Task.Outcome.DONE)
        for n, pk in enumerate(some)
    )


def lists_of(owner: User) -> dict[str, str]:
    """A name for each list, and its address."""
    service, today = Service.objects.order_by("-pk")[0], timezone.now().date()
    link = Order.objects.order_by("-pk")[70].link
    queries: dict[str, dict[str, object]] = {"all": {}}
    queries |= {f"tab {status.label}": {"status": status} for status in Status}
    queries |= {f"open {name}": {"open": name} for name in OPEN_FILTERS}
    queries |= {f"sorted {sort.words}": {"sort": name} for name, sort in SORTS.items() if name}
    queries |= {
        "service": {"service": service.upstream_id}, "category": {"category": service.category},
        "network": {"network": "instagram"}, "placed by": {"by": owner.pk}, "link on": {"host": "instagram.com"},
        "from": {"from": today}, "until": {"to": today}, "charge from": {"least": "0.5"},
        "charge up to": {"most": "5"}, "id": {"q": NEWEST - 70}, "upstream id": {"q": f"ord_{NEWEST - 3:08}"},
        "whole link": {"q": link}, "search, rare": {"q": link[-12:-2]}, "search, common": {"q": "instagram followers"},
        "tab and person": {"status": "completed", "by": owner.pk},
        "tab and sort": {"status": "partial", "sort": "dearest"},
    }  # fmt: skip
    index = reverse("orders:index")
    return {name: f"{index}?{urlencode(query)}" if query else index for name, query in queries.items()}


def cost_of(browser: Client, lists: dict[str, str]) -> Costs:
    """VM steps on SQLite, blocks on PostgreSQL."""
    found: Costs = {}
    for name, url in lists.items():
        work = partial(get, browser, url)
        work()
        on_sqlite = measure.on_sqlite()
        found[name] = measure.vm_steps(work) if on_sqlite else measure.shared_hit_blocks(measure.queries_of(work))
    return found


def tell_times(browser: Client, lists: dict[str, str], size: int, figures: measure.Figures) -> None:
    for name, url in lists.items():
        times = sorted(measure.seconds(partial(get, browser, url)) * 1000 for _ in range(ROUNDS))
        figures.say(f"{size:>9,} {name}: p50 {median(times):.1f} ms, p95 {quantiles(times, n=20)[-1]:.1f} ms")


def compare(costs: list[Costs], figures: measure.Figures) -> None:
    """What one index leads to costs the same at every size; where two ways meet, the price has an end."""
    unit, (few, some, many) = "VM steps" if measure.on_sqlite() else "blocks", costs
    for name in few:
        figures.say(f"{name}: {few[name]:,}, {some[name]:,}, {many[name]:,} {unit}")
        # Of a thousand orders one has the link, of more a page full.
        base, size = (some, SIZES[1]) if " and " in name or name == "whole link" else (few, SIZES[0])
        if not name.startswith("search"):
            figures.at_most(f"{name}: {unit}, {SIZES[-1]:,} against {size:,}", many[name] / base[name], MOST_GROWTH)


def search_beside_like(figures: measure.Figures) -> None:
    """A part of one link, by the index and by LIKE, the same fifty ids."""
    word = Order.objects.order_by("-pk")[70].link[-12:-2]
    keys = filters.index_rows_of([word])
    assert keys
    ours = keys.rows.order_by(f"-{keys.field}").values_list(keys.field, flat=True)[:50]
    # Joined with nothing, so that PostgreSQL does not use the index here too.
    like = Order.objects.extra(where=["haystack || '' LIKE %s"], params=[f"%{word}%"])
    theirs = like.order_by("-pk").values_list("pk", flat=True)[:50]
    assert list(ours.all()) == list(theirs.all())
    race = measure.race(lambda: list(ours.all()), lambda: list(theirs.all()), 5, warm=1)
    figures.say(f"search against LIKE: {race}")
    figures.at_least("search: times cheaper than LIKE", 1 / race.at_most, LEAST_GAIN)


def beside_admin(browser: Client, figures: measure.Figures) -> None:
    """p95 against p95, in turns, by the clock that measure.py holds to be fair."""
    importlib.import_module("panel.wsgi")  # as gunicorn does: what is loaded by then is left to itself by the collector
    clock = process_time if measure.on_sqlite() else perf_counter
    times: dict[str, list[float]] = {reverse("orders:index"): [], reverse("admin:orders_order_changelist"): []}
    for turn in range(ADMIN_ROUNDS):
        for url in sorted(times, reverse=bool(turn % 2)):
            began = clock()
            get(browser, url)
            times[url].append(clock() - began)
    (ours, theirs) = (quantiles(found, n=20)[-1] * 1000 for found in times.values())
    figures.say(f"p95: {ours:.1f} against {theirs:.1f} ms, {ADMIN_ROUNDS} rounds")
    bound = MOST_OF_ADMIN["sqlite" if measure.on_sqlite() else "postgresql"]
    figures.at_most("orders page, p95 of admin's changelist", ours / theirs, bound)


if __name__ == "__main__":
    raise SystemExit(main())

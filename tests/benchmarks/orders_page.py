"""The orders page with 50 rows: what it costs with a million orders behind it, and beside Django's own admin.

Beside it also the least that a list can be: 100 rows as JSON from a driver, without a framework, a person or a page.
"""

import json
from functools import partial

from django.db import connection
from django.test import Client, override_settings
from django.urls import reverse

from accounts.models import User
from orders.models import Order
from orders.rules.statuses import Status
from orders.table.listing import ROWS_A_PAGE
from tests.benchmarks import data, measure, plain_admin
from tests.benchmarks.page import OpenPage, browser_of

FEW, MANY = data.RECENT, 1_000_000
NEWEST = MANY  # the newest thousand end here, at both sizes: the same rows, with nothing or years behind them
ROUNDS = 40
MOST_GROWTH = 1.05
MOST_QUERIES = 6
MOST_OF_ADMIN = 0.10
JSON_ROWS = 100
JSON_SQL = (
    "SELECT o.id, o.upstream_id, o.link, o.quantity, o.status, CAST(o.charge AS TEXT), o.start_count, o.remains,"
    " CAST(o.created_at AS TEXT), s.upstream_id, s.name, u.name FROM orders_order o"
    " JOIN catalog_service s ON s.id = o.service_id JOIN accounts_user u ON u.id = o.placed_by_id"
    f" ORDER BY o.id DESC LIMIT {JSON_ROWS}"
)

Costs = dict[str, float]


def main() -> int:
    figures = measure.Figures(f"orders page: {ROWS_A_PAGE} rows at {MANY:,} orders")
    with measure.desk(pages=True):
        owner = data.open_desk()
        browser = browser_of(owner)
        one_row_and_fifty(browser, figures)
        few = costs(owner, browser, last_page=NEWEST - FEW + 1 + ROWS_A_PAGE)
        filled = measure.seconds(lambda: data.write_older(NEWEST - FEW + 1, (MANY - FEW) // data.RECENT))
        assert Order.objects.count() == MANY
        figures.say(f"wrote {MANY - FEW:,} older orders in {filled:.0f} s")
        many = costs(owner, browser, last_page=1 + ROWS_A_PAGE)
        compare(few, many, figures)
        beside_admin(browser, figures)
        beside_json(owner, browser, figures)
    return figures.end()


def one_row_and_fifty(browser: Client, figures: measure.Figures) -> None:
    """Queries must not grow with the rows."""
    counts = []
    for first, count in ((NEWEST, 1), (NEWEST - FEW + 1, FEW - 1)):
        data.write_orders(first, count)
        get(browser, reverse("orders:index"))  # the first one in a process also fills caches
        counts.append(len(measure.queries_of(lambda: get(browser, reverse("orders:index")))))
    figures.at_most(f"queries with {ROWS_A_PAGE} rows", counts[1], MOST_QUERIES)
    figures.exactly("queries with 1 row", counts[0], counts[1])


def costs(owner: User, browser: Client, *, last_page: int) -> Costs:
    """What each kind of page, and a poll of the first one, takes: VM steps on SQLite, blocks read on PostgreSQL."""
    index = reverse("orders:index")
    pages = {"first page": index, "last page": f"{index}?before={last_page}"}
    pages |= {f"tab {status.label}": f"{index}?status={status}" for status in Status}
    pages |= {"pending refills": f"{index}?open=refill", "surprising facts": f"{index}?open=doubt"}
    pages |= {name: reverse(name) for name in ("charges", "balance")}
    found = {name: cost(partial(get, browser, url)) for name, url in pages.items()}
    return found | {"poll, nothing new": cost(OpenPage(owner).poll)}


def cost(work: measure.Work) -> float:
    work()
    return measure.vm_steps(work) if measure.on_sqlite() else measure.shared_hit_blocks(measure.queries_of(work))


def compare(few: Costs, many: Costs, figures: measure.Figures) -> None:
    """SQLite's steps are judged. PostgreSQL's blocks are told: a deeper index is a block more for each search in it."""
    unit = "VM steps" if measure.on_sqlite() else "blocks"
    for name in few:
        figures.say(f"{name}: {many[name]:,} {unit} at {MANY:,} against {few[name]:,} at {FEW:,}")
    if measure.on_sqlite():
        for name in few:
            figures.at_most(f"{name}: VM steps, {MANY:,} against {FEW:,}", many[name] / few[name], MOST_GROWTH)


def beside_admin(browser: Client, figures: measure.Figures) -> None:
    """The same orders, the same person, the same 50 rows, in turns with Django's own changelist, which nobody tunes."""
    ours, admins = partial(get, browser, reverse("orders:index")), partial(get, browser, plain_admin.CHANGELIST)
    with override_settings(ROOT_URLCONF=plain_admin.__name__):
        race = measure.race(ours, admins, ROUNDS)
    figures.say(f"page against admin's changelist, p50: {race}")
    figures.at_most("page p50 of admin's changelist", race.at_most, MOST_OF_ADMIN)


def beside_json(owner: User, browser: Client, figures: measure.Figures) -> None:
    """100 rows of our page in turns with 100 rows of JSON.

    Told and not judged: what checks who asks, knows what may be done and writes for a reader costs more than a driver
    and `json.dumps`.
    """
    User.objects.filter(pk=owner.pk).update(page_length=JSON_ROWS)
    race = measure.race(partial(get, browser, reverse("orders:index")), plain_json, ROUNDS)
    User.objects.filter(pk=owner.pk).update(page_length=ROWS_A_PAGE)
    figures.say(f"page of {JSON_ROWS} rows against as many of JSON, p50: {race}")


def plain_json() -> bytes:
    with connection.cursor() as cursor:
        cursor.execute(JSON_SQL)
        return json.dumps({"orders": cursor.fetchall()}).encode()


def get(browser: Client, url: str) -> None:
    """The whole way through the desk, from the middleware to the last byte of the page."""
    response = browser.get(url)
    assert response.status_code == 200, f"{url}: {response.status_code}"
    assert response.content


if __name__ == "__main__":
    raise SystemExit(main())

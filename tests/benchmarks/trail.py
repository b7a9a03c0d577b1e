"""The trail at ten lines an order: activity and its filters, a round of sealing, a round of the watch, verification.

`python -m tests.benchmarks.trail 100000 [SEALED]` compares so many orders with a thousand, on DATABASE_URL's database.
SEALED lines are in the chain, the newest; without it, all of them.
"""

import sys
from collections.abc import Iterator
from datetime import timedelta
from statistics import median
from typing import NamedTuple

from django.contrib.auth.models import AnonymousUser
from django.db import connection
from django.utils import timezone

from accounts.models import ChainHead, TrailLine, User
from accounts.trail.chain import LINES_A_LINK, seal_new, write_head
from accounts.trail.record import change_line, write_lines
from accounts.trail.verify import Ends, links_from, verify_links
from accounts.trail.watch import verify_piece
from orders.models import Order
from tests.benchmarks import data, measure
from tests.benchmarks.orders_page import NEWEST
from tests.benchmarks.page import browser_of
from tests.tampering import past_the_desk

FEW, LINES_AN_ORDER = 1_000, 10
ROUNDS = 7
LOT, LOTS = 100, 500  # steps are counted one by one where there are not more than so many such lots
MOST_GROWTH = 1.2
# Where hardly a line fits, all lines of a window are looked through: a small desk has fewer than that.
WINDOWED, MOST_STEPS = ("/activity/?kind=settings of a person", "/activity/?kind=notes of a person"), 250_000
LATEST = timedelta(minutes=5)  # so long ago was the newest of the lines that are written here
# How the lines that no order brings with it are spread: kind, group, and whether a person did it.
SPREAD = (
    ("moved", "orders", False), ("seen", "orders", True), ("noted", "notes", True), ("refill_done", "aftersale", False),
    ("refill_asked", "aftersale", True), ("sync_asked", "catalog", True), ("service_moved", "catalog", False),
    ("signed_in", "sign_in", False), ("moved", "orders", False), ("moved", "orders", False),
)  # fmt: skip
SQL = {
    "sqlite": "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < {count}) "
              "INSERT INTO accounts_trailline {columns} SELECT {values}, "
              "strftime('%Y-%m-%d %H:%M:%f', '{latest}', '-' || (i * {seconds}) || ' seconds') FROM n",
    "postgresql": "INSERT INTO accounts_trailline {columns} SELECT {values}, "
                  "TIMESTAMPTZ '{latest}' - make_interval(secs => i * {seconds}) "
                  "FROM generate_series(0, {count} - 1) AS n(i)",
}  # fmt: skip


class Cost(NamedTuple):
    """What one thing takes: VM steps or blocks, statements, and milliseconds in the middle of ROUNDS."""

    units: int
    queries: int
    milliseconds: float


def main(orders: int, sealed: int) -> int:
    figures = measure.Figures(f"trail: {orders:,} orders and {orders * LINES_AN_ORDER:,} lines against {FEW:,}")
    few, many = measured(FEW, FEW * LINES_AN_ORDER, figures), measured(orders, sealed, figures)
    for name in few:
        a, b = few[name], many[name]
        growth = b.units / max(1, a.units)
        figures.say(
            f"{a.units:>9,} {b.units:>10,} {growth:>6.2f}  {a.queries:>3} {b.queries:>3}  {a.milliseconds:>8.2f} "
            f"{b.milliseconds:>8.2f} ms  {name}"
        )
        if not measure.on_sqlite():
            continue
        if name in WINDOWED:
            figures.at_most(f"steps of {name}", b.units, MOST_STEPS)
        else:
            figures.at_most(f"{name}, of a thousand's", growth, MOST_GROWTH)
    return figures.end()


def measured(orders: int, sealed: int, figures: measure.Figures) -> dict[str, Cost]:
    with measure.desk(pages=True):
        took = measure.seconds(lambda: write(orders, sealed))
        lines, head = TrailLine.objects.count(), ChainHead.objects.get()
        figures.say(
            f"wrote {Order.objects.count():,} orders and {lines:,} lines, {head.lines:,} in the chain: {took:.0f} s"
        )
        owner = User.objects.order_by("pk")[0]
        costs = {name: cost_of(work) for name, work in works(owner)}
        tell_verification(figures)
        return costs


# ── The desk ─────────────────────────────────────────────────────────────────────────────────────
def write(orders: int, sealed: int) -> None:
    data.open_desk()
    data.write_orders(NEWEST - data.RECENT + 1, data.RECENT)
    if orders > data.RECENT:
        data.write_older(NEWEST - data.RECENT + 1, orders // data.RECENT - 1)
    with past_the_desk() as cursor:
        cursor.execute("UPDATE accounts_trailline SET seal = NULL WHERE seal IS NOT NULL")
        cursor.execute("SELECT count(*), max(id) FROM accounts_trailline")
        there, last = cursor.fetchone()
        top_up(cursor, orders * LINES_AN_ORDER - there, last + 1, orders)
    begin_chain(sealed)
    now = timezone.now()
    while seal_new(now):
        pass
    verify_piece(now)
    data.tidy_up()


def top_up(cursor: object, count: int, first: int, orders: int) -> None:
    """So many more lines, the newest with the highest ids, spread over a minute an order."""
    if count <= 0:
        return
    people = ", ".join(str(pk) for pk in User.objects.order_by("pk").values_list("pk", flat=True))
    people_count = people.count(",") + 1
    person = f"(SELECT id FROM accounts_user ORDER BY id LIMIT 1) + (i % {people_count})"
    place, turn = f"({first} + {count} - 1 - i)", f"i % {len(SPREAD)}"

    def by_turn(cells: Iterator[str]) -> str:
        return f"CASE {turn} {' '.join(f'WHEN {n} THEN {cell}' for n, cell in enumerate(cells))} END"

    values = ", ".join((
        place,
        by_turn(f"'{kind}'" for kind, _, _ in SPREAD),
        by_turn(f"'{group}'" for _, group, _ in SPREAD),
        by_turn(person if human else "NULL" for _, _, human in SPREAD),
        by_turn(f"{NEWEST} - i % {min(orders, 1000)}" if group in ("orders", "notes", "aftersale") else "NULL"
                for _, group, _ in SPREAD),
        "''", "''", "'{}'", "'{}'", """'{"was": "Pending", "to": "Completed", "text": "Paid.", "services": "1"}'""",
        "''", "''",
    ))  # fmt: skip
    latest = f"{timezone.now() - LATEST:%Y-%m-%d %H:%M:%S}"
    columns = '(id, kind, "group", by_id, order_id, thing, label, before, after, facts, address, device, at)'
    sql = SQL[connection.vendor].format(
        count=count, columns=columns, values=values, latest=latest, seconds=f"{60 * orders / count:.6f}"
    )
    cursor.execute(sql)  # type: ignore[attr-defined]
    if not measure.on_sqlite():
        measure.execute(f"SELECT setval(pg_get_serial_sequence('accounts_trailline', 'id'), {first + count})")


def begin_chain(sealed: int) -> None:
    """Lets the chain begin with the newest lines, which are of before the trail, as after an upgrade."""
    head = ChainHead.objects.get()
    newest = TrailLine.objects.order_by("-pk")
    head.unsealed_until = newest.values_list("pk", flat=True)[0]
    before = newest.values_list("pk", flat=True)[sealed : sealed + 1]
    head.last_id = before[0] if before else 0
    write_head(head)


# ── What is measured ─────────────────────────────────────────────────────────────────────────────
def works(owner: User) -> Iterator[tuple[str, measure.Work]]:
    browser, person = browser_of(owner), owner.pk
    # Two days, as a thousand orders are not older: so a page of them is full on either desk.
    today = timezone.now().date()
    day = today - timedelta(days=1)
    queries = (
        "", "who=all", "who=machine", f"person={person}", "kind=notes", "kind=orders&who=all",
        "kind=notes&kind=catalog&kind=aftersale", "kind=notes&kind=catalog&kind=aftersale&who=machine",
        f"kind=notes&person={person}", f"kind=settings&person={person}", f"about=order+{NEWEST - 7}",
        f"from={day}&until={today}", f"kind=notes&kind=sending&from={day}",
    )  # fmt: skip
    for query in queries:
        name = query.replace(f"&person={person}", " of a person").replace(f"person={person}", "a person")
        yield f"/activity/?{name}", lambda query=query: browser.get(f"/activity/?{query}").content  # type: ignore[misc]
    yield "a round of the watch", lambda: verify_piece(timezone.now())
    yield "a round of sealing, one line", lambda: seal_after(1)
    yield f"a round of sealing, {LINES_A_LINK:,} lines", lambda: seal_after(LINES_A_LINK)


def seal_after(count: int) -> None:
    now = timezone.now()
    write_lines(change_line("sync_asked", by=AnonymousUser(), at=now) for _ in range(count))
    seal_new(now)


def cost_of(work: measure.Work) -> Cost:
    """Counted in a transaction that is rolled back; timed as it is."""
    work()
    counts = measure.counted(work, every=LOT)
    if counts.units < LOTS * LOT:
        counts = measure.counted(work)
    return Cost(counts.units, counts.queries, median(measure.seconds(work) for _ in range(ROUNDS)) * 1000)


def tell_verification(figures: measure.Figures) -> None:
    """How many lines a second are verified: of the links, with all their lines."""
    head = ChainHead.objects.get()
    first = next(links_from(0, 1))
    found: list[object] = []
    took = measure.seconds(
        lambda: found.extend(verify_links(links_from(0, head.number), Ends(0, first.first_id - 1), head.unsealed_until))
    )
    assert not found, found[:3]
    figures.say(f"verified {head.lines:,} lines in {took:.0f} s: {head.lines / took:,.0f} a second")


if __name__ == "__main__":
    size = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    raise SystemExit(main(size, int(sys.argv[2]) if len(sys.argv) > 2 else size * LINES_AN_ORDER))

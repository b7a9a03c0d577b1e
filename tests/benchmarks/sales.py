"""A recount of the orders equals the sums of sales after 100,000 random events: `python -m tests.benchmarks.sales`.

Any event may follow any other: partials, refunds, refills, other charges, prices, customers and times. Every sum of
every level is compared, to the millionth of a dollar. Also tells what an event costs, and what the sums weigh.
"""

import random
import sys
import time
import uuid
from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from django.db import transaction

from accounts.models import User
from catalog.models import Service
from orders.models import Customer, Order, SaleLine, SaleSum, Task
from orders.rules.statuses import FINAL
from orders.statistics import sales
from orders.statistics.charge_totals import slot_of
from tests.benchmarks import data, measure

EVENTS, ORDERS = 100_000, 2_000
STATUSES = ("queued", "pending", "in_progress", "completed", "partial", "cancelled", "refunded", "rejected", "approval",
            "paused")  # fmt: skip
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
Key = tuple[int, ...]  # slot, service, person, customer


def make_orders(count: int, services: Iterable[int], people: Iterable[int], chance: random.Random) -> list[int]:
    """Orders of these services by these people within a day, each with the task that places it."""
    services, people = list(services), list(people)
    orders = Order.objects.bulk_create(
        Order(
            service_id=chance.choice(services), placed_by_id=chance.choice(people), link="https://example.org/x",
            quantity=chance.choice((1, 3, 7, 1_000, 999_983)), runs=chance.choice((None, None, 3)), rate_seen=1,
            expected_charge=Decimal(chance.randrange(5_000_000)) / 1_000_000, form_token=uuid.uuid4(), body={},
            created_at=NOON + timedelta(seconds=chance.randrange(86_400)),
        )
        for _ in range(count)
    )  # fmt: skip
    Task.objects.bulk_create(
        Task(order=order, kind="place", asked_by_id=order.placed_by_id, settled_at=NOON) for order in orders
    )
    return [order.pk for order in orders]


def one_event(pk: int, customers: list[int], chance: random.Random) -> None:
    """Something that may happen to an order, whatever happened before."""
    order, draw = Order.objects.filter(pk=pk), chance.random()
    if draw < 0.6:
        whole = order.values_list("quantity", "runs").get()
        total = whole[0] * (whole[1] or 1)
        order.update(
            status=chance.choice(STATUSES), currency=chance.choice(("USD", "USD", "", "EUR")),
            charge=chance.choice((None, Decimal(chance.randrange(-9, 5_000_000)) / 1_000_000)),
            remains=chance.choice((None, 0, total, total + 1, -1, chance.randrange(total + 1))),
            ended_late=chance.choice((None, True, False)),
        )  # fmt: skip
    elif draw < 0.75:
        order.update(sold_for=chance.choice((None, Decimal(chance.randrange(9_000_000)) / 1_000_000)))
    elif draw < 0.8:
        order.update(customer=chance.choice((None, *customers)))
    elif draw < 0.83:
        order.update(created_at=NOON + timedelta(seconds=chance.randrange(86_400)))
    elif draw < 0.9:
        Task.objects.create(order_id=pk, kind="refill", settled_at=NOON, over_at=NOON, over_how="refused")
    elif draw < 0.96:
        over_how = chance.choice(("presumed", "marked", "withdrawn", "refused", "followed"))
        Task.objects.filter(order=pk, kind="refill").update(over_how=over_how)
    else:
        Task.objects.filter(order=pk, kind="place").update(outcome=chance.choice(("done", "refused", "closed")))


# ── Counted twice ────────────────────────────────────────────────────────────────────────────────
def counted_again() -> dict[Key, Key]:
    """Slot, service, person and customer → figures, counted in Python from the orders and tasks themselves."""
    sums: defaultdict[Key, list[int]] = defaultdict(lambda: [0] * len(sales.FIGURES))
    for order in Order.objects.prefetch_related("tasks"):
        key = slot_of(order.created_at), order.service_id, order.placed_by_id, order.customer_id or 0
        figures = figures_of(order)
        sums[key] = [figure + figures[name] for figure, name in zip(sums[key], sales.FIGURES, strict=True)]
    return {key: tuple(figures) for key, figures in sums.items() if any(figures)}


def figures_of(order: Order) -> dict[str, int]:
    """What one order and its tasks count for. Written without a look at the SQL."""
    tasks, ended = list(order.tasks.all()), order.status in FINAL
    delivered = order.delivered if order.delivered is not None else order.total if order.status == "completed" else 0
    dollars = order.charge is not None and order.currency in ("", "USD")
    charge = order.charge or Decimal(0)
    earned = earned_of(order)
    cost = Decimal(0) if order.status == "rejected" else order.expected_charge if order.charge is None else charge
    has_margin = order.sold_for is not None and (order.charge is None or dollars or order.status == "rejected")
    refills = [task for task in tasks if task.kind == "refill" and task.over_how != "withdrawn"]
    return {
        "orders": 1, "units": order.total, "ended": ended, "ended_units": order.total * ended,
        "refused": sum(task.kind == "place" and task.outcome == "refused" for task in tasks),
        "delivered": delivered * ended, "cancelled": order.status in ("cancelled", "refunded"),
        "late": bool(order.ended_late) and ended, "refills": len(refills),
        "refilled": sum(task.over_how in ("presumed", "marked", "followed") for task in refills),
        "elsewhere": order.charge is not None and not dollars,
        "expected": 0 if order.status in ("approval", "rejected") else millionths(order.expected_charge),
        "charged": millionths(charge) * dollars, "ended_charged": millionths(charge) * (dollars and ended),
        "given_back": -millionths(order.charge_difference or Decimal(0)) * order.given_back,
        "sold": millionths(earned), "margin": millionths(earned - cost) * has_margin,
    }  # fmt: skip


def earned_of(order: Order) -> Decimal:
    """What the customer pays in the end."""
    if order.sold_for is None or order.status in ("cancelled", "refunded", "rejected"):
        return Decimal(0)
    if order.status == "partial" and order.delivered is not None:
        return (order.sold_for * order.delivered / order.total).quantize(Decimal("0.000001"), ROUND_HALF_UP)
    return order.sold_for


def millionths(amount: Decimal) -> int:
    """The amount in millionths of a dollar."""
    return int(amount.scaleb(6))


def kept(level: sales.Level = sales.DETAIL, *, lines: bool = True) -> dict[Key, Key]:
    """The sums of a level, with what the lines add to them."""
    sums: defaultdict[Key, list[int]] = defaultdict(lambda: [0] * len(sales.FIGURES))
    for rows in (SaleSum.objects.filter(level=level.number), SaleLine.objects.all() if lines else ()):
        for row in rows:
            key = key_in(level, (row.slot, row.service, row.person, row.customer))
            figures = (getattr(row, name) for name in sales.FIGURES)
            sums[key] = [total + figure for total, figure in zip(sums[key], figures, strict=True)]
    return {key: tuple(figures) for key, figures in sums.items() if any(figures)}


def key_in(level: sales.Level, key: Key) -> Key:
    """The key of a level's sum to which a detail belongs."""
    slot, *others = key
    names = zip(sales.KEYS, others, strict=True)
    return slot // level.block * level.block, *(value if name in level.keys else 0 for name, value in names)


def regrouped(details: dict[Key, Key], level: sales.Level) -> dict[Key, Key]:
    """The same sums as a level groups them."""
    sums: defaultdict[Key, Key] = defaultdict(lambda: (0,) * len(sales.FIGURES))
    for key, figures in details.items():
        sums[key_in(level, key)] = tuple(map(sum, zip(sums[key_in(level, key)], figures, strict=True)))
    return {key: figures for key, figures in sums.items() if any(figures)}


def wrong_levels() -> list[int]:
    """The levels whose sums differ from a recount."""
    details = counted_again()
    return [level.number for level in sales.LEVELS if kept(level) != regrouped(details, level)]


def play(events: int, orders: int, chance: random.Random, services: list[int], people: list[int]) -> list[str]:
    """So many random events, with a fold now and then. Says what was wrong on the way, a sentence each."""
    by = User.objects.get(pk=people[0])
    customers = [Customer.objects.create(name=f"No. {n}", created_by=by).pk for n in range(3)]
    pks = make_orders(orders, services, people, chance)
    began, wrong = time.perf_counter(), []
    for done in range(0, events, 2_000):
        with transaction.atomic():
            for _ in range(min(2_000, events - done)):
                one_event(chance.choice(pks), customers, chance)
        if chance.random() < 0.5:
            sales.fold_some(chance.randrange(1, 5_000))
        if done % 20_000 == 0 and (levels := wrong_levels()):
            wrong.append(f"after {done:,} events the sums of levels {levels} differ")
    print(f"{(time.perf_counter() - began) / events * 1_000:.2f} ms an event, folds and recounts included")
    sales.fold()
    if levels := wrong_levels():
        wrong.append(f"in the end the sums of levels {levels} differ")
    return wrong


def main(argv: list[str]) -> int:
    """1 when a sum was wrong."""
    events: Any = int(argv[0]) if argv else EVENTS
    with measure.desk():
        data.open_desk()
        services = list(Service.objects.order_by("pk").values_list("pk", flat=True)[:5])
        people = list(User.objects.order_by("pk").values_list("pk", flat=True)[:3])
        wrong = play(events, ORDERS, random.Random(measure.SEED), services, people)
    print("\n".join(wrong) or f"ok: a recount equals the sums of every level after {events:,} random events")
    return bool(wrong)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))

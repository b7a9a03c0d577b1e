"""The lines of counts and totals stay few though no worker runs, and their sums right at every moment."""

import threading
import uuid
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.models import Count, Sum

from orders.models import Charged, Order, Tally
from orders.rules.statuses import Status
from orders.statistics import charge_totals, status_counts
from orders.statistics.charge_totals import TOTALS
from orders.statistics.triggers import install
from panel.site.status_bar import StatusBar
from tests.benchmarks.measure import vm_steps
from tests.makers import make_service, make_user
from tests.people import as_user

MOVES = (Status.PENDING, Status.IN_PROGRESS, Status.COMPLETED)


def write_orders(count: int) -> list[int]:
    service, by = make_service(), make_user()
    orders = Order.objects.bulk_create(
        Order(
            service=service, placed_by=by, link="https://example.org/x", quantity=100, rate_seen=1, expected_charge=1,
            currency="USD", body={}, form_token=uuid.uuid4(),
        )
        for _ in range(count)
    )  # fmt: skip
    return [order.pk for order in orders]


def move(pk: int, turn: int) -> None:
    """Moves one order on by one report: its status and its charge."""
    charge = Decimal(turn + 1) / 100
    Order.objects.filter(pk=pk).update(status=MOVES[turn % len(MOVES)], charge=charge)


def counted() -> Counter[str]:
    return Counter(Order.objects.order_by().values_list("status", flat=True))


def charged() -> dict[str, int]:
    """The sum of all lines of the charge totals."""
    return Charged.objects.aggregate(**{name: Sum(name) for name in TOTALS})


def of_orders() -> dict[str, int]:
    """The same, added up from the orders themselves."""
    sums = Order.objects.filter(charge__isnull=False).aggregate(orders=Count("pk"), charged=Sum("charge"))
    return {"orders": sums["orders"], "charged": int((sums["charged"] or 0) * 10**6)}


def assert_right() -> None:
    assert StatusBar().counts == counted()
    found = charged()
    assert {name: found[name] or 0 for name in ("orders", "charged")} == of_orders()


@pytest.mark.django_db
def test_without_a_worker_the_lines_stay_few_and_the_sums_right() -> None:
    pks = write_orders(20)
    for turn in range(60):
        for pk in pks:
            move(pk, turn)
        if turn % 7 == 0:
            assert_right()
    assert_right()
    assert Tally.objects.count() <= status_counts.MERGED_EVERY + len(Status)
    assert Charged.objects.count() <= charge_totals.MERGED_EVERY + Charged.objects.values("slot").distinct().count()


@pytest.mark.django_db
def test_a_status_that_nobody_has_any_more_leaves_no_line_behind() -> None:
    pks = write_orders(10)
    for turn in range(45):
        for pk in pks:
            move(pk, turn)
    assert set(Tally.objects.values_list("status", flat=True)) <= {"queued", *MOVES}
    Order.objects.update(status="in_moderation")
    for turn in range(20):
        for pk in pks:
            Order.objects.filter(pk=pk).update(status=f"word {turn % 2}")
    assert_right()
    assert Tally.objects.filter(status="queued").count() <= 1


@pytest.mark.django_db
@pytest.mark.skipif(connection.vendor != "sqlite", reason="counts the steps of SQLite's virtual machine")
def test_a_page_costs_the_same_after_thousands_of_moves() -> None:
    person, pks = as_user(make_user()), write_orders(10)

    def steps() -> int:
        paths = ("/orders/?open=doubt", "/upstream/charges/")
        return max(vm_steps(partial(person.get, path)) for path in paths)

    for turn in range(20):
        for pk in pks:
            move(pk, turn)
    few = steps()
    for turn in range(300):
        for pk in pks:
            move(pk, turn)
    most_lines = status_counts.MERGED_EVERY + charge_totals.MERGED_EVERY
    assert steps() <= few + 12 * most_lines, "some steps a line that waits to be merged"


@pytest.mark.django_db
def test_what_came_before_the_triggers_is_merged_by_a_migration() -> None:
    pks = write_orders(5)
    on = " ON {}" if connection.vendor == "postgresql" else ""
    with connection.cursor() as cursor:
        for table in ("orders_tally", "orders_charged"):
            cursor.execute(f"DROP TRIGGER {table}_merged{on.format(table)}")
    for turn in range(100):
        for pk in pks:
            move(pk, turn)
    assert Tally.objects.count() > 900 and Charged.objects.count() > 400
    for module in (status_counts, charge_totals):
        install(module.MERGING)
    charge_totals.merge_old_lines()
    assert_right()
    assert Tally.objects.count() <= 2 * status_counts.MERGED_EVERY
    assert Charged.objects.count() == Charged.objects.values("slot").distinct().count()
    before = Tally.objects.count()
    for turn in range(100):
        for pk in pks:
            move(pk, turn)
    assert_right()
    assert Tally.objects.count() <= max(before, status_counts.MERGED_EVERY + len(Status))


@pytest.mark.django_db(transaction=True)
def test_two_writers_that_merge_at_once_count_no_line_twice() -> None:
    pks = write_orders(8)
    troubles: list[BaseException] = []

    def write(own: list[int]) -> None:
        try:
            for turn in range(120):
                with transaction.atomic():
                    for pk in own:
                        move(pk, turn)
        except BaseException as trouble:
            troubles.append(trouble)
        finally:
            connection.close()

    run_together([lambda: write(pks[:4]), lambda: write(pks[4:])])
    assert not troubles
    assert_right()
    assert Tally.objects.count() <= 3 * status_counts.MERGED_EVERY


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor != "postgresql", reason="on SQLite one process writes at a time")
def test_a_writer_waits_for_nobody_else_to_merge() -> None:
    """The first has merged and not committed; the second merges what the first has not in hand."""
    pks, merged, done = write_orders(2), threading.Event(), threading.Event()
    seen: list[int] = []

    def first() -> None:
        with transaction.atomic():
            for turn in range(150):
                move(pks[0], turn)
            merged.set()
            done.wait(20)
        connection.close()

    def second() -> None:
        merged.wait(20)
        for turn in range(150):
            move(pks[1], turn)
        seen.append(Tally.objects.count())
        done.set()
        connection.close()

    run_together([first, second])
    assert seen, "the second came to its end while the first had its lines in hand"
    assert_right()


def run_together(parts: list[Callable[[], Any]]) -> None:
    threads = [threading.Thread(target=part) for part in parts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads)

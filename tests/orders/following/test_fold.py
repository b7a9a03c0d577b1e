"""Readings that are folded: fewer rows, the same chart, and nothing lost when a process dies or others read on."""

import random
from datetime import timedelta
from itertools import count

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st

from orders.detail.progress_chart import chart
from orders.following import fold
from orders.following.fold import FEW_READINGS, FOLD_EVERY, STEPS_AT_MOST
from orders.following.poll import apply_reports
from orders.models import Folding, Order, Reading
from orders.placing.old_books import last_report_at
from orders.rules.statuses import FINAL, Status
from panel.format.step_chart import READ_AT_MOST
from panel.notpanel.shapes import Reports
from panel.ops.database import batches
from tests.benchmarks.measure import vm_steps
from tests.makers import make_order, make_report, make_service, make_user

pytestmark = pytest.mark.django_db
BEGAN = timezone.now() - timedelta(days=1)
QUANTITY = 10_000
POLLS = 180
WORDS = (*FINAL, Status.PENDING, Status.IN_PROGRESS, "weighing anchor")
Facts = list[tuple[str, timedelta, int | None]]  # of each report: status, when after the beginning, what remains


def told(order: Order) -> Facts:
    """All that the order's rows tell, oldest first."""
    rows = order.readings.order_by("id")
    return [(row.status, at - BEGAN, remains) for row in rows for at, remains in row.points]


def write(order: Order, facts: Facts) -> None:
    """Writes a row for each report."""
    Reading.objects.bulk_create(
        Reading(order=order, status=status, at=BEGAN + after, remains=remains) for status, after, remains in facts
    )


def life(draw: random.Random, length: int = POLLS) -> Facts:
    """A random life: pending, a curve of some shape with figures that are missing or wrong, and mostly an end."""
    power, after, facts = draw.choice((0.3, 1, 1, 4)), timedelta(), Facts()
    for n in range(length):
        after += timedelta(seconds=draw.choice((1, 30, 60, 3_600)) * draw.random())
        left = round(QUANTITY * (1 - n / length) ** power) + draw.choice((0, 0, 0, 500, -20))
        status = Status.PENDING if n < length // 10 else Status.IN_PROGRESS
        facts.append((status, after, None if draw.random() < 0.02 else left))
    return facts if draw.random() < 0.3 else [*facts, (draw.choice(sorted(FINAL)), after + timedelta(seconds=9), 0)]


def drawn(order: Order) -> object:
    """The chart of the order as its page loads it."""
    return chart(Order.objects.for_page().get(pk=order.pk))


def poll(order: Order, facts: Facts) -> None:
    """Has upstream report this, one answer each."""
    for status, after, remains in facts:
        report = make_report(order, status, BEGAN + after, remains=remains)
        apply_reports([report.upstream_id], Reports({report.upstream_id: report}, {}), timezone.now())


# ── What stays ───────────────────────────────────────────────────────────────────────────────────
FACTS = st.lists(
    st.tuples(
        st.sampled_from(WORDS), st.timedeltas(timedelta(), timedelta(days=9)), st.none() | st.integers(-9, 10**12)
    ),
    max_size=300,
)  # fmt: skip


@settings(max_examples=100, deadline=None)
@given(FACTS, st.integers(0, 300))
def test_folding_loses_nothing_and_keeps_what_others_read(facts: Facts, first: int) -> None:
    rows = [
        Reading(pk=n, order_id=1, status=word, at=BEGAN + at, remains=left) for n, (word, at, left) in enumerate(facts)
    ]
    every = [(row.status, *point) for row in rows for point in row.points]
    own = {row.pk for row in rows if row.status in FINAL} | {row.pk for row in rows[:1] + rows[-1:]}
    own |= {row.pk for row, before in zip(rows[1:], rows, strict=False) if row.status != before.status}
    for end in (first, None):  # once before the last came, and once after
        part = rows[:end]
        gone = set(fold.folded(part)[1])
        assert not gone & (own | {row.pk for row in part[-1:]})
        rows = [row for row in rows if row.pk not in gone]
    assert [(row.status, *point) for row in rows for point in row.points] == every
    assert all(len(row.steps or ()) <= STEPS_AT_MOST for row in rows)
    assert fold.folded(rows) == ([], []), "repeating it changes nothing"


def test_a_reading_with_steps_brings_them_along() -> None:
    first, second, last = (
        Reading(pk=n, order_id=1, status="in_progress", at=BEGAN + timedelta(seconds=n), remains=90 - n)
        for n in range(3)
    )
    second.steps = [[500_000, 7]]
    assert fold.folded([first, second, last]) == ([first], [1])
    assert first.steps == [[1_000_000, 89], [1_500_000, 7]]


@pytest.mark.parametrize("seed", range(25))
def test_the_chart_of_the_folded_rows_is_the_chart_of_all(seed: int) -> None:
    order, facts = make_order(Status.IN_PROGRESS, quantity=QUANTITY), life(random.Random(seed))
    write(order, facts)
    before = drawn(order)
    assert before
    fold.fold([order.pk])
    assert drawn(order) == before
    assert told(order) == facts
    assert order.readings.count() <= 8 < POLLS


def test_a_chart_draws_the_newest_readings_wherever_they_stand() -> None:
    order = make_order(Status.IN_PROGRESS, quantity=QUANTITY)
    write(order, [("in_progress", timedelta(minutes=n), 10_000 - n) for n in range(READ_AT_MOST + 150)])
    before = drawn(order)
    fold.fold([order.pk])
    assert drawn(order) == before


# ── While it is polled ───────────────────────────────────────────────────────────────────────────
@pytest.mark.slow
@pytest.mark.parametrize("ends", [False, True])
def test_an_order_that_changes_with_180_polls_keeps_at_most_40_readings(
    monkeypatch: pytest.MonkeyPatch, *, ends: bool
) -> None:
    facts: Facts = [("in_progress", timedelta(minutes=n), QUANTITY - n) for n in range(POLLS)]
    facts += [("completed", timedelta(minutes=POLLS), 0)] if ends else []
    order, twin = (make_order(Status.PENDING, quantity=QUANTITY) for _ in range(2))
    poll(order, facts)
    with monkeypatch.context() as unfolded:
        unfolded.setattr("orders.following.poll.fold", lambda order_ids: None)
        poll(twin, facts)
    assert twin.readings.count() == POLLS + ends
    assert order.readings.count() <= (5 if ends else 5 + FOLD_EVERY) <= 40
    assert told(order) == told(twin) == facts
    order_drawn, twin_drawn = drawn(order), drawn(twin)
    assert order_drawn and order_drawn == twin_drawn


def test_the_last_report_is_found_among_folded_readings() -> None:
    order = make_order(Status.IN_PROGRESS, quantity=QUANTITY)
    write(order, [("in_progress", timedelta(minutes=n), 900 - n) for n in range(60)])
    fold.fold([order.pk])
    assert last_report_at() == BEGAN + timedelta(minutes=59)


def test_folding_costs_a_hundred_orders_as_many_statements_as_one() -> None:
    by, service, counts = make_user(), make_service(), []
    for number in (1, 100):
        orders = [make_order(Status.IN_PROGRESS, by=by, service=service, quantity=QUANTITY) for _ in range(number)]
        for order in orders:
            write(order, [("in_progress", timedelta(minutes=n), 900 - n) for n in range(30)])
        with CaptureQueriesContext(connection) as queries:
            fold.fold([order.pk for order in orders])
        counts.append(len(queries))
        assert Reading.objects.filter(order__in=orders).count() == 2 * number
    assert counts == [3, 3]


def test_orders_that_change_seldom_are_not_read_for_folding() -> None:
    order = make_order(Status.PENDING, quantity=QUANTITY)
    with CaptureQueriesContext(connection) as queries:
        poll(order, [("in_progress", timedelta(minutes=n), 900 - n) for n in range(FOLD_EVERY - 2)])
    assert not [query for query in queries if 'SELECT "orders_reading"' in query["sql"]]


def test_a_process_that_dies_while_it_folds_loses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    order = make_order(Status.IN_PROGRESS, quantity=QUANTITY)
    facts: Facts = [("in_progress", timedelta(minutes=n), 900 - n) for n in range(FEW_READINGS + 1)]
    write(order, facts)

    def dies(*_args: object) -> None:
        raise SystemExit

    with monkeypatch.context() as before_they_go:
        before_they_go.setattr("orders.following.fold.batches", _dies_at(2))
        with pytest.raises(SystemExit):
            fold.fold_old(timezone.now())
    assert told(order) == facts and order.readings.count() == len(facts)
    assert Folding.objects.get().down_to == order.pk + 1, "it is looked at again"
    fold.fold_old(timezone.now())
    assert told(order) == facts and order.readings.count() == 2


def _dies_at(call: int) -> object:
    """`batches`, at whose so-manieth call the process dies."""
    calls = count(1)

    def counted(things: list[int], size: int) -> object:
        if next(calls) == call:
            raise SystemExit
        return batches(things, size)

    return counted


# ── Old readings ─────────────────────────────────────────────────────────────────────────────────
def test_old_readings_are_folded_bit_by_bit_and_then_nothing_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orders.following.fold.ORDERS_WALKED", 2)
    by, service = make_user(), make_service()
    orders = [make_order(Status.COMPLETED, by=by, service=service, quantity=QUANTITY) for _ in range(5)]
    lengths = (60, FEW_READINGS, 60, 3, 41)
    for order, length in zip(orders, lengths, strict=True):
        write(order, [("in_progress", timedelta(minutes=n), 900 - n) for n in range(length)])
    before = [told(order) for order in orders]
    fold.fold_old(timezone.now())
    assert [order.readings.count() for order in orders] == [60, FEW_READINGS, 60, 3, 2], "the newest first"
    while fold.fold_old(timezone.now()):
        pass
    assert [order.readings.count() for order in orders] == [2, FEW_READINGS, 2, 3, 2]
    assert [told(order) for order in orders] == before
    with CaptureQueriesContext(connection) as queries:
        assert fold.fold_old(timezone.now()) is False
    assert len(queries) == 1


@pytest.mark.slow
def test_what_looks_for_old_readings_reads_no_more_on_a_larger_desk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orders.following.fold.ORDERS_WALKED", 50)
    if connection.vendor != "sqlite":
        pytest.skip("counts SQLite's steps")
    by, service, steps = make_user(), make_service(), []
    for number in (50, 450):
        orders = [make_order(Status.COMPLETED, by=by, service=service) for _ in range(number)]
        for order in orders:
            write(order, [("in_progress", timedelta(minutes=n), 900 - n) for n in range(4)])
        Folding.objects.update_or_create(pk=1, defaults={"down_to": orders[-1].pk + 1})
        steps.append(vm_steps(lambda: fold.fold_old(timezone.now())))
    assert steps[1] <= steps[0] * 1.1

"""Each service is measured by its own last orders, and that costs the same however many other orders there are."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from catalog.models import Service
from orders.models import Order, Pace
from orders.models.statistics import usual_times
from orders.rules.lateness import late_from
from orders.rules.statuses import FINAL, Status
from orders.statistics import delivery_times
from orders.statistics.delivery_times import (
    ENOUGH_ORDERS,
    MEASURED_ORDERS,
    WRITTEN_AFTER,
    EndedOrder,
    figures_of,
    measure_services,
    percentile,
)
from panel.notpanel.client import Client
from panel.upstream.models import Chore
from panel.worker.recurring import RECURRING_WORK, do_recurring_work
from tests.benchmarks import data
from tests.benchmarks.measure import vm_steps
from tests.makers import make_order, make_service, make_user, minutes

TAKEN = datetime(2026, 11, 20, 9, tzinfo=timezone.get_default_timezone())


def ended(start: float | None, finish: float, status: str = Status.COMPLETED, quantity: int = 1000,
          runs: int | None = None) -> EndedOrder:  # fmt: skip
    """An order that started and ended so many minutes after upstream took it."""
    started_at = None if start is None else TAKEN + minutes(start)
    return EndedOrder(status, TAKEN, started_at, TAKEN + minutes(finish), quantity, runs)


def sold_service(
    number: int = ENOUGH_ORDERS, *, start: float = 9, finish: float = 110, at: datetime | None = None
) -> Service:
    """A service with so many completed orders, the last of which ended a day ago or at that time."""
    service, by = make_service(), make_user()
    for place in range(number):
        complete(
            service, by, start=start, finish=finish, at=(at or timezone.now() - timedelta(days=1)) - minutes(place)
        )
    return service


def complete(service: Service, by: object, *, start: float, finish: float, at: datetime) -> Order:
    """An order completed at that time, which started and finished so many minutes after upstream took it."""
    taken_at = at - minutes(finish)
    times = {"taken_at": taken_at, "started_at": taken_at + minutes(start), "ended_at": at}
    return make_order(Status.COMPLETED, by=by, service=service, reported_at=at, **times)


# ── The figures ──────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("values", "percent", "expected"),
    [
        (range(1, 101), 50, 50), (range(1, 101), 95, 95), (range(100, 0, -1), 95, 95), (range(1, 11), 95, 10),
        (range(1, 11), 50, 5), (range(1, 12), 50, 6), (range(1, 21), 95, 19), (range(1, 22), 95, 20),
        ([7] * 200, 95, 7), (range(1, ENOUGH_ORDERS), 50, None), ([], 95, None),
    ],
)  # fmt: skip
def test_a_percentile_is_one_of_the_values_and_exact(values: Sequence[int], percent: int, expected: int) -> None:
    assert percentile(values, percent) == expected


def test_starts_count_all_orders_that_began_and_finishes_those_completed_in_one_run() -> None:
    orders = [ended(n, 10 * n) for n in range(1, 21)]
    others = [
        ended(100, 900, Status.PARTIAL), ended(None, 900, Status.CANCELLED), ended(200, 900, Status.REFUNDED),
        ended(300, 9000, runs=12), ended(400, 1)._replace(taken_at=None),
    ]  # fmt: skip
    figures = figures_of([*others, *orders])
    assert (figures["starts"], figures["finishes"]) == (23, 20)
    assert (figures["start_median"], figures["start_p95"]) == (12 * 60, 200 * 60)
    assert (figures["finish_median"], figures["finish_p95"]) == (100 * 60, 190 * 60)


def test_clocks_that_disagree_make_no_negative_time() -> None:
    assert figures_of([ended(-2, -1)] * ENOUGH_ORDERS)["finish_p95"] == 0


def test_lately_is_the_median_of_the_newest_and_needs_older_orders_too() -> None:
    newest = [ended(1, 300)] * 20
    assert figures_of([*newest, *[ended(1, 100)] * 20])["lately"] == 300 * 60
    assert figures_of([*newest, *[ended(1, 100)] * 19])["lately"] is None


# ── What is measured ─────────────────────────────────────────────────────────────────────────────
@pytest.mark.django_db
def test_with_fewer_than_ten_orders_nothing_is_usual_and_nothing_late() -> None:
    few, enough = sold_service(ENOUGH_ORDERS - 1), sold_service(ENOUGH_ORDERS)
    assert measure_services(timezone.now()) == 2
    assert usual_times([few.pk, enough.pk]).keys() == {enough.pk}
    assert late_from(make_order(Status.PENDING, service=few), usual_times([few.pk]).get(few.pk)) is None


@pytest.mark.django_db
def test_only_the_last_two_hundred_orders_are_measured() -> None:
    service, now = sold_service(ENOUGH_ORDERS, finish=600, at=timezone.now() - timedelta(days=30)), timezone.now()
    by = make_user()
    for place in range(MEASURED_ORDERS):
        complete(service, by, start=2, finish=20, at=now - timedelta(days=1) - minutes(place))
    measure_services(now)
    usual = usual_times([service.pk])[service.pk]
    assert (usual.count, usual.finish_p95, usual.start_median) == (MEASURED_ORDERS, minutes(20), minutes(2))


@pytest.mark.django_db
def test_only_services_whose_orders_ended_since_are_measured_again() -> None:
    one, other, now = sold_service(), sold_service(), timezone.now()
    assert (measure_services(now), measure_services(now)) == (2, 0)
    complete(one, make_user(), start=1, finish=500, at=now)
    assert measure_services(now) == 0, (
        "an answer that was asked for at that time may still be on its way into the table"
    )
    later = now + WRITTEN_AFTER
    assert measure_services(later) == 1
    assert Pace.objects.get(pk=one.pk).computed_at == later
    assert Pace.objects.get(pk=other.pk).computed_at == now
    assert usual_times([one.pk])[one.pk].finish_p95 == minutes(500)


@pytest.mark.django_db
def test_many_ends_are_searched_in_batches_and_none_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivery_times, "ENDS_AT_ONCE", 3)
    at, now = timezone.now() - timedelta(hours=1), timezone.now()
    by, services = make_user(), [make_service() for _ in range(8)]
    for place, service in enumerate(services):
        complete(service, by, start=1, finish=9, at=at + minutes(place // 4))  # four ended at one moment, twice
    rounds = 0
    while measure_services(now):
        rounds += 1
    assert (rounds, Pace.objects.count()) == (2, 8)


@pytest.mark.django_db
def test_a_subscription_has_no_usual_times() -> None:
    service = sold_service()
    Service.objects.filter(pk=service.pk).update(type="Subscriptions")
    measure_services(timezone.now())
    assert usual_times([service.pk]) == {}


@pytest.mark.django_db
def test_the_usual_times_of_many_services_cost_one_query() -> None:
    services = [sold_service().pk for _ in range(3)]
    measure_services(timezone.now())
    with CaptureQueriesContext(connection) as queries:
        usual = usual_times(services)
    assert (len(queries), set(usual)) == (1, set(services))


@pytest.mark.django_db
def test_the_worker_measures_services_every_minute_without_a_call() -> None:
    service, now = sold_service(), timezone.now()
    Chore.objects.create(name="pace", due_at=now)
    nobody = Client("http://127.0.0.1:9/", "key", connect_seconds=1, total_seconds=1)
    assert do_recurring_work(nobody, now)
    assert (Chore.objects.get().trouble, set(usual_times([service.pk]))) == ("", {service.pk})
    assert RECURRING_WORK["pace"][1]() == 60


# ── What it costs ────────────────────────────────────────────────────────────────────────────────
FEW, MANY = 1_000, 100_000


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor != "sqlite", reason="counts the steps of SQLite's virtual machine")
def test_measuring_takes_the_same_steps_with_a_hundred_times_the_orders() -> None:
    owner, now = data.open_desk(), timezone.now()
    data.write_orders(MANY - FEW + 1, FEW)
    service = Service.objects.order_by("pk")[0]

    def steps() -> int:
        once()
        return once()

    def once() -> int:
        Pace.objects.all().delete()
        # The last measuring came up to here; after it, the orders of one service have ended.
        Pace.objects.create(service=Service.objects.order_by("pk")[1], starts=0, finishes=0, quantity=0,
                            computed_at=now, ends_to=now - timedelta(hours=1))  # fmt: skip
        return vm_steps(lambda: measured.append(measure_services(now)))

    measured: list[int] = []
    for place in range(MEASURED_ORDERS):
        complete(service, owner, start=3, finish=30, at=now - timedelta(minutes=30) - timedelta(seconds=place))
    few = steps()
    days = [now - timedelta(days=ago) for ago in (3, 2, 1)]
    final = Order.objects.filter(status__in=FINAL, ended_at=None)
    final.update(**dict(zip(("taken_at", "started_at", "ended_at"), days, strict=True)))
    data.write_older(MANY - FEW + 1, (MANY - FEW) // data.RECENT)
    assert Order.objects.filter(ended_at__isnull=False).count() > MANY // 3
    many = steps()
    assert set(measured) == {1}
    assert many <= few * 1.02, (few, many)

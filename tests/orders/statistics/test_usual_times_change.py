"""When a service's usual times change, its live orders are late from another moment on; none is left behind."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from orders.models import Order, Pace
from orders.rules.lateness import UsualTimes
from orders.rules.statuses import Status
from orders.statistics import delivery_times
from orders.statistics.delivery_times import ENOUGH_ORDERS, WRITTEN_AFTER, measure_services, update_late_from
from panel.site.status_bar import StatusBar
from tests.makers import make_order, make_service, make_user, minutes
from tests.orders.reports.test_late import NOW, make_taken, report

pytestmark = pytest.mark.django_db


def test_usual_times_that_change_move_the_live_orders(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivery_times, "LIVE_AT_ONCE", 2)
    service, by, elsewhere = make_service(), make_user(), make_taken(ago=40)
    live = [make_taken(ago=40, service=service, by=by) for _ in range(5)]
    for place in range(ENOUGH_ORDERS):
        at = NOW - timedelta(days=1) - minutes(place)
        times = {"taken_at": at - minutes(60), "started_at": at - minutes(30), "ended_at": at, "reported_at": at}
        make_order(Status.COMPLETED, service=service, by=by, **times)
    assert StatusBar().late == 0
    measure_services(NOW)
    assert {order.late_from for order in Order.objects.filter(pk__in=[order.pk for order in live])} == {
        NOW - minutes(10)
    }
    elsewhere.refresh_from_db()
    assert elsewhere.late_from is None
    assert StatusBar().late == 5
    update_late_from(service.pk, None)
    assert StatusBar().late == 0


def test_usual_times_that_stay_write_no_order(monkeypatch: pytest.MonkeyPatch) -> None:
    service, by = make_service(), make_user()
    for place in range(ENOUGH_ORDERS + 1):
        at = NOW - timedelta(hours=3) + minutes(place)
        make_order(Status.COMPLETED, service=service, by=by, taken_at=at - minutes(60), ended_at=at)
        make_taken(service=service, by=by)
        if place == ENOUGH_ORDERS - 1:
            measure_services(at + WRITTEN_AFTER)
    with CaptureQueriesContext(connection) as queries:
        assert measure_services(NOW) == 1
    assert not [query for query in queries if 'UPDATE "orders_order"' in query["sql"]]


def test_after_a_crash_between_the_orders_and_the_usual_times_are_measured_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    service, by, order = make_service(), make_user(), None
    for place in range(ENOUGH_ORDERS):
        at = NOW - timedelta(days=1) - minutes(place)
        make_order(Status.COMPLETED, service=service, by=by, taken_at=at - minutes(60), ended_at=at)
    order = make_taken(service=service, by=by, ago=5)

    def breaks(*_args: object) -> None:
        raise RuntimeError

    with monkeypatch.context() as crash, pytest.raises(RuntimeError):
        crash.setattr("orders.statistics.delivery_times.update_late_from", breaks)
        measure_services(NOW)
    assert not Pace.objects.exists()
    assert measure_services(NOW) == 1
    order.refresh_from_db()
    assert order.late_from == NOW - minutes(5) + minutes(60)


def test_an_answer_that_is_saved_between_the_orders_and_the_usual_times_leaves_no_order_behind(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    service, by = make_service(), make_user()
    for place in range(ENOUGH_ORDERS):
        at = NOW - timedelta(days=1) - minutes(place)
        make_order(Status.COMPLETED, service=service, by=by, taken_at=at - minutes(60), ended_at=at)
    order = make_order(Status.PENDING, service=service, by=by, taken_at=NOW - minutes(5))
    update = delivery_times.update_late_from

    def update_and_report(service_id: int, usual: UsualTimes | None) -> None:
        update(service_id, usual)
        if not Pace.objects.exists():
            report(order, "processing")

    monkeypatch.setattr(delivery_times, "update_late_from", update_and_report)
    measure_services(NOW)
    order.refresh_from_db()
    assert order.late_from == NOW - minutes(5) + minutes(60)


def test_an_answer_reads_the_usual_times_once_its_orders_are_locked() -> None:
    order = make_taken(ago=5)
    with CaptureQueriesContext(connection) as queries:
        report(order, "in_progress")
    read = [query["sql"] for query in queries]
    locked = next(place for place, sql in enumerate(read) if sql.startswith("SELECT") and "catalog_service" in sql)
    assert [place > locked for place, sql in enumerate(read) if "orders_pace" in sql] == [True]

"""A reading for each report that says something new, and the chart that the order's page draws from them."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from orders.aftersale import ask
from orders.detail.progress_chart import chart
from orders.following.poll import apply_reports
from orders.models import Order, Reading
from orders.rules.statuses import Status
from panel.format.step_chart import DRAWN_AT_MOST, HEIGHT, READ_AT_MOST, WIDTH
from panel.notpanel.shapes import Report, Reports
from tests.makers import make_order, make_report, make_service, make_user, minutes

pytestmark = pytest.mark.django_db
BEGAN = timezone.now() - timedelta(hours=2)


def apply(*reports: Report) -> None:
    """Applies these reports as one answer of upstream."""
    by_id = {report.upstream_id: report for report in reports}
    apply_reports(list(by_id), Reports(by_id, {}), timezone.now())


def report(order: Order, after: float, **fields: object) -> None:
    """Applies a report that was asked for so many minutes after the beginning."""
    apply(make_report(order, asked_at=BEGAN + minutes(after), **fields))  # type: ignore[arg-type]


def for_page(order: Order) -> Order:
    """The order as its page loads it."""
    return Order.objects.for_page().get(pk=order.pk)


def test_the_first_report_makes_a_reading_and_then_each_that_differs() -> None:
    order = make_order(Status.PENDING)
    report(order, 0, status="pending", remains=1000)
    report(order, 1, status="pending", remains=1000)
    report(order, 2, status="in_progress", remains=1000)
    report(order, 3, status="in_progress", remains=600)
    report(order, 2.5, status="in_progress", remains=700)  # asked for before the last: passed over
    rows = [(reading.status, reading.remains) for reading in order.readings.order_by("id")]
    assert rows == [("pending", 1000), ("in_progress", 1000), ("in_progress", 600)]


def test_a_first_report_that_says_what_we_had_makes_a_reading_too() -> None:
    order = make_order(Status.IN_PROGRESS, remains=650)
    report(order, 0)
    assert order.readings.count() == 1


def test_readings_of_a_hundred_orders_are_one_statement() -> None:
    by, service, counts = make_user(), make_service(), []
    for number in (2, 20):
        orders = [make_order(Status.IN_PROGRESS, by=by, service=service) for _ in range(number)]
        with CaptureQueriesContext(connection) as queries:
            apply(*(make_report(order) for order in orders))
        counts.append(sum("orders_reading" in query["sql"] for query in queries))
        assert Reading.objects.filter(order__in=orders).count() == number
    assert counts == [1, 1]


def test_what_could_not_be_written_down_leaves_no_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    order = make_order(Status.IN_PROGRESS)

    def breaks(*_args: object) -> None:
        raise RuntimeError

    monkeypatch.setattr("orders.following.poll.settle_cancels", breaks)
    with pytest.raises(RuntimeError):
        report(order, 0, status="completed", remains=0)
    assert not order.readings.exists()
    assert Order.objects.get(pk=order.pk).status == "in_progress"


def test_steps_go_from_the_first_report_to_the_last() -> None:
    order = make_order(Status.IN_PROGRESS, quantity=1000)
    for after, remains in ((0, 1000), (50, 500), (100, 0)):
        report(order, after, remains=remains)
    drawn = chart(for_page(order))
    assert drawn
    assert drawn.line == f"M0 {HEIGHT}H500V50H{WIDTH}V0H{WIDTH}"
    assert (drawn.first, drawn.last) == (0, 1000)
    assert (drawn.began, drawn.ended) == (BEGAN, BEGAN + minutes(100))


def test_the_line_goes_on_while_reports_say_the_same_and_no_further() -> None:
    order = make_order(Status.IN_PROGRESS, quantity=1000)
    for after, remains in ((0, 1000), (25, 500), (50, 500)):
        report(order, after, remains=remains)
    asked_at = BEGAN + minutes(100)
    ask.create_task(for_page(order), "cancel", by=make_user(), at=asked_at)
    drawn = chart(for_page(order))
    assert drawn
    assert drawn.line.endswith("H250V50H500"), "nobody has told anything since"
    assert drawn.marks == [(WIDTH, "Cancel asked for")]
    assert drawn.ended == asked_at


@pytest.mark.parametrize("figures", [[], [1000], [1000, None], [1000, -1], [1000, 1001], [None, None, None]])
def test_fewer_than_two_figures_are_no_chart(viewer: Client, figures: list[int | None]) -> None:
    order = make_order(Status.IN_PROGRESS, quantity=1000)
    for after, remains in enumerate(figures):
        report(order, after, remains=remains)
    assert chart(for_page(order)) is None
    assert "Delivered over time" not in viewer.get(order.get_absolute_url()).content.decode()


def test_the_page_says_the_chart_in_words_and_without_a_style(viewer: Client) -> None:
    order = make_order(Status.IN_PROGRESS, quantity=1000)
    report(order, 0, remains=1000)
    report(order, 5, remains=650)
    page = viewer.get(order.get_absolute_url()).content.decode()
    assert "Delivered over time: 0 at first, 350 of 1,000 at the last report." in page
    assert " style=" not in page


def test_a_long_life_is_thinned_evenly_and_costs_no_more(viewer: Client) -> None:
    few, many = make_order(Status.IN_PROGRESS, quantity=10_000), make_order(Status.IN_PROGRESS, quantity=10_000)
    for order, number in ((few, 2), (many, READ_AT_MOST + 100)):
        Reading.objects.bulk_create(
            Reading(order=order, at=BEGAN + timedelta(seconds=n), status="in_progress", remains=10_000 - n)
            for n in range(number)
        )
    drawn = chart(for_page(many))
    assert drawn
    assert drawn.line.count("V") == DRAWN_AT_MOST - 1
    assert (drawn.first, drawn.last) == (100, READ_AT_MOST + 99), "the newest, with their first and last"
    counts = []
    for order in (few, many):
        viewer.get(order.get_absolute_url())
        with CaptureQueriesContext(connection) as queries:
            viewer.get(order.get_absolute_url())
        counts.append(len(queries))
    assert counts[0] == counts[1]

"""An order is late when it takes longer than 95 of 100 of its own service's do; no clock writes that down."""

import re
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.access import Role
from catalog.models import Service
from orders.following.poll import apply_reports, poll_once
from orders.models import Order, Pace, Poll
from orders.models.statistics import usual_times
from orders.placing.review import adopt, close
from orders.placing.submit import submit_one
from orders.rules.lateness import UsualTimes, late_from
from orders.rules.statuses import STARTED, Status
from orders.statistics.delivery_times import ENOUGH_ORDERS, measure_services
from orders.table.listing import Listing
from panel.notpanel.client import Client
from panel.notpanel.shapes import Report, Reports
from panel.site.status_bar import StatusBar
from tests.makers import make_order, make_report, make_service, make_user, minutes, place_order, sold_by
from tests.upstream import Upstream

pytestmark = pytest.mark.django_db
NOW = timezone.now()
USUAL = UsualTimes(minutes(9), minutes(20), minutes(110), minutes(190), 40, 50, 1000, None)


def make_pace(service: Service, *, start: float | None = 20, finish: float | None = 190, quantity: int = 1000) -> Pace:
    """Usual times of a service: 95 of 100 start and finish within so many minutes, half of them within half of that."""
    seconds = {
        "start_median": start and start * 30, "start_p95": start and start * 60,
        "finish_median": finish and finish * 30, "finish_p95": finish and finish * 60,
    }  # fmt: skip
    pace = Pace(service=service, starts=50, finishes=40, quantity=quantity, computed_at=NOW, ends_to=NOW, **seconds)
    pace.save(force_insert=True)
    return pace


def make_taken(status: str = Status.PENDING, *, ago: float = 0, **fields: Any) -> Order:
    """A live order that upstream took so many minutes ago and has reported on."""
    times = {"taken_at": NOW - minutes(ago), "reported_at": NOW - minutes(ago)}
    return make_order(status, **{**times, **fields})


def report(order: Order, status: str, at: datetime = NOW, **fields: object) -> Order:
    """Applies a report about the order, asked for at this moment."""
    answer: Report = make_report(order, status, at, **fields)
    apply_reports([answer.upstream_id], Reports({answer.upstream_id: answer}, {}), at)
    order.refresh_from_db()
    return order


# ── When it started and ended ────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("status", Status)
def test_it_starts_with_the_first_report_of_delivery_and_ends_with_the_first_final_report(status: Status) -> None:
    if status in (Status.APPROVAL, Status.QUEUED, Status.REVIEW, Status.REJECTED):
        return
    order = report(make_taken(ago=5), status)
    assert order.started_at == (NOW if status in STARTED else None)
    assert order.ended_at == (None if status in ("pending", "processing", "in_progress") else NOW)
    later = report(order, status, NOW + minutes(5), charge=Decimal(7))
    assert (later.started_at, later.ended_at) == (order.started_at, order.ended_at)


def test_an_order_that_is_live_again_has_not_ended() -> None:
    order = report(report(make_taken(ago=5), "partial"), "in_progress", NOW + minutes(1))
    order = report(order, "in_progress", NOW + minutes(2))
    assert (order.started_at, order.ended_at) == (NOW, None)
    assert report(order, "completed", NOW + minutes(2)).ended_at == NOW + minutes(2)


def test_a_report_that_was_asked_for_earlier_moves_no_time() -> None:
    order = report(report(make_taken(ago=5), "in_progress"), "completed", NOW - minutes(1))
    assert (order.started_at, order.ended_at) == (NOW, None)


# ── From when on it is late ──────────────────────────────────────────────────────────────────────
def test_not_started_it_is_late_by_the_start_and_then_by_the_finish() -> None:
    waits, works = make_taken(), make_taken(Status.IN_PROGRESS, started_at=NOW)
    assert late_from(waits, USUAL) == NOW + minutes(20)
    assert late_from(works, USUAL) == NOW + minutes(190)
    assert late_from(waits, replace(USUAL, start_p95=None)) == NOW + minutes(190)
    assert late_from(works, replace(USUAL, finish_p95=None)) is None


@pytest.mark.parametrize("status", [*Status, "in_moderation"])
def test_only_an_order_that_is_live_upstream_can_be_late(status: str) -> None:
    live = status in (Status.PENDING, Status.PROCESSING, Status.IN_PROGRESS, "in_moderation")
    assert (late_from(make_taken(status), USUAL) is not None) is live


def test_an_order_without_a_report_is_not_late() -> None:
    assert late_from(make_taken(reported_at=None), USUAL) is None
    assert late_from(make_taken(taken_at=None), USUAL) is None


def test_a_larger_order_has_longer_in_proportion_and_one_in_runs_from_its_last_run() -> None:
    assert late_from(make_taken(Status.IN_PROGRESS, quantity=3000, started_at=NOW), USUAL) == NOW + minutes(570)
    assert late_from(make_taken(Status.IN_PROGRESS, quantity=50, started_at=NOW), USUAL) == NOW + minutes(190)
    runs = make_taken(Status.IN_PROGRESS, runs=4, interval=60, started_at=NOW)
    assert late_from(runs, USUAL) == NOW + minutes(190 + 3 * 60)


def test_the_moment_is_written_when_upstream_speaks_and_again_when_it_starts_and_ends() -> None:
    order = make_taken(ago=5, reported_at=None)
    make_pace(order.service)
    began = NOW - minutes(5)
    assert report(order, "processing", NOW).late_from == began + minutes(20)
    assert report(order, "in_progress", NOW + minutes(1)).late_from == began + minutes(190)
    assert report(order, "completed", NOW + minutes(2)).late_from is None
    assert report(order, "in_progress", NOW + minutes(3)).late_from is None, "until a second report says so"
    assert report(order, "in_progress", NOW + minutes(4)).late_from == began + minutes(190)


def test_an_answer_about_many_orders_reads_their_usual_times_once() -> None:
    orders = [make_taken(ago=5) for _ in range(5)]
    by_id = {order.upstream_id or "": make_report(order, "in_progress", NOW) for order in orders}
    with CaptureQueriesContext(connection) as queries:
        apply_reports(list(by_id), Reports(by_id, {}), NOW)
    assert sum("orders_pace" in query["sql"] for query in queries) == 1


# ── What it waited for before ────────────────────────────────────────────────────────────────────
def test_it_counts_from_when_upstream_took_it_and_not_from_when_it_was_placed(phone: Client) -> None:
    service = sold_by(phone)
    make_pace(service)
    order = place_order(service=service)
    Order.objects.filter(pk=order.pk).update(created_at=NOW - timedelta(days=3))  # it waited for money
    assert submit_one(phone)
    order.refresh_from_db()
    assert order.taken_at and timezone.now() - order.taken_at < minutes(1)
    assert order.late_from is None, "nothing has been heard of it"
    assert poll_once(phone)
    order.refresh_from_db()
    assert order.late_from == order.taken_at + minutes(20)
    assert order.late_since is None


def test_an_adopted_order_was_taken_by_the_first_try_that_upstream_may_have_heard() -> None:
    order, manager = make_order(Status.REVIEW), make_user(Role.MANAGER)
    order.tasks.update(unclear_since=NOW - minutes(90))
    adopt(Order.objects.for_table().get(pk=order.pk), "ord_found", by=manager)
    order.refresh_from_db()
    assert order.taken_at == NOW - minutes(90)
    close(Order.objects.for_table().get(pk=order.pk), "It is not there.", by=manager)
    assert Order.objects.filter(pk=order.pk, taken_at=None, late_from=None).exists()


# ── Where people see it ──────────────────────────────────────────────────────────────────────────
def test_a_row_says_since_when_it_is_late_and_the_filter_lists_it(viewer: Browser) -> None:
    late = make_taken(Status.IN_PROGRESS, ago=300, late_from=timezone.now() - timedelta(hours=2, minutes=1))
    soon = make_taken(Status.IN_PROGRESS, late_from=timezone.now() + minutes(1))
    page = viewer.get("/orders/?open=late").content.decode()
    assert f'id="order-{late.pk}"' in page
    assert f'id="order-{soon.pk}"' not in page
    assert "row is-late" in page
    assert ">2 h</time></b>" in page
    assert "is late" in page
    assert '<span class="n" id="n-late"> 1</span>' in viewer.get("/orders/").content.decode()


def test_an_open_page_learns_that_an_order_became_late_though_nothing_was_written(viewer: Browser) -> None:
    order = make_taken(Status.IN_PROGRESS, ago=300, late_from=timezone.now() + minutes(1), next_poll_at=None)
    Order.objects.filter(pk=order.pk).update(late_from=timezone.now() + timedelta(hours=1))
    page = viewer.get("/orders/")
    version = page.content.decode().partition(f'id="order-{order.pk}" role="row" data-v="')[2].partition('"')[0]
    bar = page.context["bar"] if page.context else StatusBar()
    poll = f"/orders/changes/?v={order.pk}:{version}&bar={bar.version}"
    assert viewer.get(poll).status_code == 204
    Order.objects.filter(pk=order.pk).update(late_from=timezone.now() - minutes(3))  # as if the time had come
    moved = viewer.get(poll)
    assert moved.status_code == 200
    assert "late <time" in moved.content.decode()
    assert "order changed" not in moved.content.decode(), "what was read aloud before is not read again"
    assert Order.objects.get(pk=order.pk).version == order.version


def test_its_page_says_the_usual_times_by_how_many_orders_and_since_when_it_is_late(viewer: Browser) -> None:
    order = make_taken(ago=60, late_from=timezone.now() - minutes(40))
    make_pace(order.service)
    page = " ".join(viewer.get(order.get_absolute_url()).content.decode().split())
    assert "Usually starts within 10 min and is finished within 1 h 35 min (median); 95 of 100 start within" in page
    assert "start within 20 min and are finished within 3 h 10 min." in page
    assert "Late</b>" not in page
    assert '<b class="old">Late since' in page
    assert "not started yet" in page
    assert "the last 50 orders of this service that started and the last 40 that were completed" in page


def test_without_usual_times_its_page_says_why_nothing_is_late(viewer: Browser) -> None:
    page = viewer.get(make_taken(ago=9000).get_absolute_url()).content.decode()
    assert "It takes ten completed orders of this service" in page
    assert ENOUGH_ORDERS == 10


def test_usual_times_cost_the_page_of_one_order_no_query_more(viewer: Browser) -> None:
    order = make_taken()
    counts = []
    for _ in range(2):
        viewer.get(order.get_absolute_url())
        with CaptureQueriesContext(connection) as queries:
            viewer.get(order.get_absolute_url())
        counts.append(len(queries))
        Pace.objects.filter(service=order.service).exists() or make_pace(order.service)
    assert counts[0] == counts[1]


# ── All that are late ────────────────────────────────────────────────────────────────────────────
def make_late(number: int, service: Service) -> list[Order]:
    """So many orders that became late an hour ago and earlier, the least late first."""
    by = make_user()
    at = timezone.now() - timedelta(hours=1)
    return [make_taken(by=by, service=service, late_from=at - minutes(place)) for place in range(number)]


def test_they_stand_by_service_most_first_with_the_ids_for_the_supplier(viewer: Browser) -> None:
    few, many = make_service(name="Few"), make_service(name="Many")
    make_pace(many)
    of_few, of_many = make_late(1, few), make_late(3, many)
    page = viewer.get("/orders/late/").content.decode()
    assert page.index("<bdi>Many") < page.index("<bdi>Few")
    ids = ", ".join(order.upstream_id or "" for order in reversed(of_many))  # the longest late first
    assert f"These 3 orders of service {many.upstream_id} are late: {ids}" in page
    assert f'data-copy="{ids}"' in page
    assert f"This order of service {few.upstream_id} is late: {of_few[0].upstream_id}" in page
    assert all(f'href="/orders/{order.pk}/"' in page for order in [*of_few, *of_many])
    assert "<b>4 orders</b> are late" in page


def test_many_are_cut_and_the_page_says_so(viewer: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orders.reports.late.ORDERS_SHOWN", 3)
    make_late(5, make_service())
    page = viewer.get("/orders/late/").content.decode()
    assert "The <b>3</b> orders that have been late longest" in page
    assert "3 late" in page


def test_its_pages_hold_every_late_order_once_the_longest_late_first(
    viewer: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orders.reports.late.ORDERS_SHOWN", 3)
    orders = make_late(8, make_service())
    same = timezone.now() - timedelta(days=2)
    Order.objects.filter(pk__in=[order.pk for order in orders[2:7]]).update(late_from=same)  # more than a page
    expected = list(Order.objects.order_by("late_from", "pk").values_list("pk", flat=True))
    address: str | None = "/orders/late/"
    pages = []
    while address:
        page = viewer.get(address).content.decode()
        pages.append([int(pk) for pk in re.findall(r'class="id" href="/orders/([0-9]+)/"', page)])
        following = re.search(r'href="(/orders/late/[?]after=[^"]+)" rel="next"', page)
        address = following[1] if following else None
    assert [len(page) for page in pages] == [3, 3, 2]
    assert [pk for page in pages for pk in page] == expected
    assert "late on this page" in page, "its services may have others on the other pages"


@pytest.mark.parametrize("text", ["x", "~", "20261129T101112.000001~", "20261129T101112.000001~0", "0~5", "%00~1"])
def test_an_address_that_names_no_place_shows_the_first_page(viewer: Browser, text: str) -> None:
    (order,) = make_late(1, make_service())
    assert f'href="/orders/{order.pk}/"' in viewer.get(f"/orders/late/?after={text}").content.decode()


def test_a_page_beyond_the_last_says_so(viewer: Browser) -> None:
    make_late(1, make_service())
    page = viewer.get("/orders/late/?after=29991231T000000.000000~5").content.decode()
    assert "No more late orders" in page and 'href="/orders/late/"' in page


def test_the_page_takes_as_many_queries_for_fifty_as_for_one(viewer: Browser) -> None:
    counts = []
    for number in (1, 10):
        for _ in range(number):
            service = make_service()
            make_pace(service)
            make_late(5, service)
        viewer.get("/orders/late/")
        with CaptureQueriesContext(connection) as queries:
            viewer.get("/orders/late/")
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 6


@pytest.mark.skipif(connection.vendor != "sqlite", reason="asks SQLite for its plans")
def test_an_index_leads_to_what_is_late(viewer: Browser) -> None:
    make_late(3, make_service())
    with CaptureQueriesContext(connection) as queries:
        viewer.get("/orders/late/")
    statements = [query["sql"] for query in queries if "late_from" in query["sql"]]
    assert len(statements) == 2, "the bar's counter, and the orders"
    for sql in statements:
        with connection.cursor() as cursor:
            cursor.execute("EXPLAIN QUERY PLAN " + sql.replace("%", "%%"), [])
            steps = " | ".join(row[3] for row in cursor.fetchall())
        assert "INDEX order_late (" in steps, steps


def test_with_nothing_late_it_says_what_would_stand_there(viewer: Browser) -> None:
    assert "no service has as many yet" in viewer.get("/orders/late/").content.decode()
    make_pace(make_service())
    page = viewer.get("/orders/late/").content.decode()
    assert "Nothing is late" in page
    assert "no service has as many" not in page
    assert "How long services take" in page


def test_services_stand_slowest_against_their_usual_first(viewer: Browser) -> None:
    for name, lately, finish in [("Steady", 100, 100), ("Slower", 250, 100), ("New", None, 100), ("Instant", 5, 0)]:
        pace = make_pace(make_service(name=name), finish=finish)
        Pace.objects.filter(pk=pace.pk).update(lately=lately and lately * 30)
    Pace.objects.filter(service__name="Instant").update(finish_median=0, finish_p95=0)
    page = viewer.get("/orders/late/").content.decode()
    places = [page.index(f"<bdi>{name}") for name in ("Slower", "Steady", "New")]
    assert places == sorted(places)
    assert "250 % of usual" in page


def test_the_counter_ends_at_ninety_nine(viewer: Browser) -> None:
    make_late(101, make_service())
    assert '<span class="n" id="n-late"> 99+</span>' in viewer.get("/orders/refills/").content.decode()


def test_real_orders_become_late_by_real_usual_times(upstream: Upstream, phone: Client) -> None:
    """Ten orders that are completed and a slow one, all from the sandbox, with no time made up here."""
    service = sold_by(phone)
    usually = [
        place_order(service=service, link=f"https://example.org/{n}?sandbox=completed") for n in range(ENOUGH_ORDERS)
    ]
    slow = place_order(service=service, link="https://example.org/slow?sandbox=slow")
    while submit_one(phone):
        pass
    poll_all(phone)
    for _ in range(12):
        let_pass(upstream, timedelta(minutes=15))
        poll_all(phone)
    assert not Order.objects.filter(pk__in=[order.pk for order in usually], ended_at=None).exists()
    measure_services(timezone.now())
    known = usual_times([service.pk])[service.pk]
    assert known.count == ENOUGH_ORDERS
    assert known.finish_p95 and timedelta(hours=1) < known.finish_p95 < timedelta(hours=3)
    slow.refresh_from_db()
    assert slow.late_since
    assert [order.pk for order in Order.objects.filter(Listing(slow.placed_by, {"open": "late"}).where)] == [slow.pk]


def let_pass(upstream: Upstream, step: timedelta) -> None:
    """Lets time pass for the supplier, and for the desk by moving all times of its orders back."""
    upstream.advance(seconds=step.total_seconds())
    for name in ("taken_at", "started_at", "ended_at", "late_from", "reported_at", "created_at"):
        for order in Order.objects.exclude(**{name: None}):
            Order.objects.filter(pk=order.pk).update(**{name: getattr(order, name) - step})


def poll_all(phone: Client) -> None:
    """Asks upstream about every order that is still asked about."""
    Poll.objects.update(next_poll_at=timezone.now())
    while poll_once(phone):
        pass

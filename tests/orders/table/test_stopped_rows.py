"""While sending is stopped, the rows of orders that wait say so, also on pages that were open before."""

import re
from decimal import Decimal

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.access import Role
from orders.aftersale.withdraw import withdraw
from orders.models import Order, Task
from orders.placing import send_switch
from orders.rules.statuses import Status
from panel.site.status_bar import StatusBar
from tests.makers import make_order, make_user
from tests.people import htmx

pytestmark = pytest.mark.django_db
WAITS = "waits: sending is stopped"
POLL_QUERIES, MOST_QUERIES = 4, 6


def stop() -> None:
    """A manager stops sending."""
    send_switch.stop("Prices look wrong.", by=make_user(Role.MANAGER))


def open_page(client: Client) -> tuple[str, str]:
    """The page, and the address that it polls, as live.js makes it."""
    page = client.get("/orders/").content.decode()
    rows = re.findall(r'id="order-(\d+)"[^>]* data-v="([^"]+)"', page)
    top = max((int(pk) for pk, _ in rows), default=0)
    [bar] = re.findall(r'id="bar"[^>]* data-version="(\w+)"', page)
    query = f"&bar={bar}&newest={top}&top={top}"
    return page, "/orders/changes/?v=" + ",".join(f"{pk}:{version}" for pk, version in rows) + query


def row_ids(page: str) -> set[int]:
    """The orders whose rows an answer has."""
    return {int(pk) for pk in re.findall(r'id="order-(\d+)"', page)}


def make_unclear(order: Order, answer: str) -> Order:
    """Makes the order's placing one that was sent and got no clear answer."""
    order.tasks.update(unclear_since=timezone.now(), attempts=2, answer=answer)
    return order


def test_a_stop_and_its_end_reach_waiting_rows_with_the_next_poll(viewer: Client) -> None:
    """Only the two orders that upstream does not have change; the second poll brings nothing."""
    queued, lost = make_order(), make_unclear(make_order(), "No answer.")
    for status in set(Status) - {Status.QUEUED}:
        make_order(status)
    make_order(upstream_id="ord_1")  # upstream has it, and is still looked at
    for act, stopped in ((stop, True), (lambda: send_switch.resume(by=make_user(Role.OWNER)), False)):
        before, poll = open_page(viewer)
        assert (WAITS in before) is not stopped
        act()
        page = viewer.get(poll, headers=htmx()).content.decode()
        assert row_ids(page) == {queued.pk, lost.pk}
        assert (WAITS in page) is stopped
        assert ("same request id; sending is stopped" in page) is stopped
        assert 'id="heard"' not in page, "the banner tells it; not each row again"
        _, poll = open_page(viewer)
        assert viewer.get(poll, headers=htmx()).status_code == 204, "and then it is quiet"


def test_a_stop_costs_no_further_query(viewer: Client) -> None:
    """A page with twenty waiting rows and its poll stay within their usual numbers of queries."""
    stop()
    for _ in range(20):
        make_order()
    with CaptureQueriesContext(connection) as queries:
        _, poll = open_page(viewer)
    assert len(queries) <= MOST_QUERIES
    with CaptureQueriesContext(connection) as queries:
        assert viewer.get(poll, headers=htmx()).status_code == 204
    assert len(queries) <= POLL_QUERIES


def test_a_row_that_changes_during_a_stop_still_comes(viewer: Client) -> None:
    """Its new status is read aloud from the row, which a stop alone does not change."""
    stop()
    order = make_order()
    _, poll = open_page(viewer)
    withdraw(order, by=order.placed_by)
    assert ">Withdrawn</span>" in viewer.get(poll, headers=htmx()).content.decode()


def test_the_page_of_one_order_learns_of_a_stop(viewer: Client) -> None:
    """Its poll brings nothing before the stop, and the page's middle after it."""
    order = make_order()
    poll = f"/orders/{order.pk}/?v={order.version}&bar={StatusBar().version}"
    assert viewer.get(poll, headers=htmx()).status_code == 204
    stop()
    page = viewer.get(poll, headers=htmx()).content.decode()
    assert WAITS in page
    assert 'id="trouble"' in page


def test_an_order_that_waits_for_money_says_that_it_waits_for_both(viewer: Client) -> None:
    """The row names the amount that it needs and the stop."""
    order = make_order()
    order.tasks.update(needs=Decimal("0.90"), attempts=1, answer="Insufficient balance")
    stop()
    page, _ = open_page(viewer)
    assert "needs $0.90, and sending is stopped" in page
    assert Task.objects.get().needs

"""While sending is stopped an order that waits says so, also on a page that was open before."""

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
    send_switch.stop("Prices look wrong.", by=make_user(Role.MANAGER))


def open_page(client: Client) -> tuple[str, str]:
    """The page, and the address that it polls, as live.js makes it."""
    page = client.get("/orders/").content.decode()
    rows = re.findall(r'id="order-(\d+)"[^>]* data-v="([^"]+)"', page)
    top = max((int(pk) for pk, _ in rows), default=0)
    [bar] = re.findall(r'id="bar"[^>]* data-version="(\w+)"', page)
    query = f"&bar={bar}&newest={top}&top={top}"
    return page, "/orders/changes/?v=" + ",".join(f"{pk}:{version}" for pk, version in rows) + query


def changed(page: str) -> set[int]:
    return {int(pk) for pk in re.findall(r'id="order-(\d+)"', page)}


def in_doubt(order: Order, said: str) -> Order:
    order.tasks.update(unclear_since=timezone.now(), attempts=2, answer=said)
    return order


def test_a_stop_and_its_end_reach_the_rows_that_wait_with_the_next_poll(viewer: Client) -> None:
    queued, lost = make_order(), in_doubt(make_order(), "No answer.")
    for status in set(Status) - {Status.QUEUED}:
        make_order(status)
    make_order(upstream_id="ord_1")  # upstream has it, and is still looked at
    for act, says in ((stop, True), (lambda: send_switch.resume(by=make_user(Role.OWNER)), False)):
        before, poll = open_page(viewer)
        assert (WAITS in before) is not says
        act()
        page = viewer.get(poll, headers=htmx()).content.decode()
        assert changed(page) == {queued.pk, lost.pk}
        assert (WAITS in page) is says
        assert ("same request id; sending is stopped" in page) is says
        assert 'id="heard"' not in page, "the banner tells it; not each row again"
        _, poll = open_page(viewer)
        assert viewer.get(poll, headers=htmx()).status_code == 204, "and then it is quiet"


def test_it_costs_no_query_more(viewer: Client) -> None:
    stop()
    for _ in range(20):
        make_order()
    with CaptureQueriesContext(connection) as queries:
        _, poll = open_page(viewer)
    assert len(queries) <= MOST_QUERIES
    with CaptureQueriesContext(connection) as queries:
        assert viewer.get(poll, headers=htmx()).status_code == 204
    assert len(queries) <= POLL_QUERIES


def test_a_row_that_moves_during_a_stop_is_still_told(viewer: Client) -> None:
    stop()
    order = make_order()
    _, poll = open_page(viewer)
    withdraw(order, by=order.placed_by)
    assert "1 order changed: 1 withdrawn." in viewer.get(poll, headers=htmx()).content.decode()


def test_an_order_s_own_page_says_it_and_learns_it(viewer: Client) -> None:
    order = make_order()
    poll = f"/orders/{order.pk}/?v={order.version}&bar={StatusBar().version}"
    assert viewer.get(poll, headers=htmx()).status_code == 204
    stop()
    page = viewer.get(poll, headers=htmx()).content.decode()
    assert WAITS in page
    assert 'id="trouble"' in page


def test_what_waits_for_money_says_that_it_waits_for_both(viewer: Client) -> None:
    order = make_order()
    order.tasks.update(needs=Decimal("0.90"), attempts=1, answer="Insufficient balance")
    stop()
    page, _ = open_page(viewer)
    assert "needs $0.90, and sending is stopped" in page
    assert Task.objects.get().needs

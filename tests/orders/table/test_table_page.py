"""The orders page: newest first, paged by keys, with the same few queries for any number of rows."""

import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from orders.models import Order
from orders.rules.statuses import Status
from orders.table.listing import ROWS_A_PAGE
from tests.makers import make_order, make_service, make_user
from tests.people import as_a

pytestmark = pytest.mark.django_db
MOST_QUERIES = 6


def make_orders(count: int, status: str = Status.IN_PROGRESS) -> list[Order]:
    """So many orders of one person and one service."""
    by, service = make_user(), make_service()
    return [make_order(status, by=by, service=service) for _ in range(count)]


def ids_on_page(client: Client, url: str) -> list[int]:
    """The orders on the page, from the top."""
    return [int(pk) for pk in re.findall(r'id="order-(\d+)"', client.get(url).content.decode())]


def link(client: Client, url: str, rel: str) -> str:
    """The address of the page's link with this `rel`: next or prev."""
    match = re.search(
        rf'href="([^"]+)"[^>]*rel="{rel}"|rel="{rel}"[^>]*href="([^"]+)"', client.get(url).content.decode()
    )
    assert match, f"no {rel} link on {url}"
    return (match[1] or match[2]).replace("&amp;", "&")


def test_the_newest_order_is_on_top(viewer: Client) -> None:
    """Without a sort in the address, orders are listed by falling number."""
    orders = make_orders(3)
    assert ids_on_page(viewer, "/orders/") == [order.pk for order in reversed(orders)]


def test_pages_follow_each_other_without_gap_or_repeat(viewer: Client) -> None:
    """Links lead over three pages forward, and from the third back to the second."""
    orders = [order.pk for order in make_orders(2 * ROWS_A_PAGE + 5)][::-1]
    first = ids_on_page(viewer, "/orders/")
    second_url = link(viewer, "/orders/", "next")
    second = ids_on_page(viewer, second_url)
    third_url = link(viewer, second_url, "next")
    assert first + second + ids_on_page(viewer, third_url) == orders
    assert ids_on_page(viewer, link(viewer, third_url, "prev")) == second


def test_a_status_tab_lists_its_orders_and_keeps_the_status_on_further_pages(viewer: Client) -> None:
    """The tab lists the one completed order among many others; the next link keeps the tab's status."""
    make_orders(ROWS_A_PAGE + 1)
    completed = make_orders(1, Status.COMPLETED)
    assert ids_on_page(viewer, "/orders/?status=completed") == [completed[0].pk]
    assert "status=in_progress" in link(viewer, "/orders/?status=in_progress", "next")


def test_nonsense_in_the_address_is_ignored(viewer: Client) -> None:
    """Unknown statuses and malformed keys leave the first page of all orders."""
    [order] = make_orders(1)
    for query in ("status=nope", "before=x", "before=-3", f"before={9**40}", "after=%00", "status=%F0%9F%98%80"):
        assert ids_on_page(viewer, f"/orders/?{query}") == [order.pk], query


@pytest.mark.parametrize("rows", [0, 1, 50])
def test_the_queries_do_not_grow(viewer: Client, rows: int) -> None:
    """No rows, one row and fifty stay within the same bound."""
    make_orders(rows)
    with CaptureQueriesContext(connection) as queries:
        assert viewer.get("/orders/").status_code == 200
    assert len(queries) <= MOST_QUERIES, [query["sql"] for query in queries]


def test_one_row_costs_as_many_queries_as_fifty(viewer: Client) -> None:
    """Equal numbers prove that no query runs once for each row."""
    counts = []
    for rows in (1, 49):
        make_orders(rows)
        with CaptureQueriesContext(connection) as queries:
            viewer.get("/orders/")
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_the_page_never_counts_all_orders_and_never_uses_offset(viewer: Client) -> None:
    """Either would take longer with every order that is placed."""
    make_orders(3)
    with CaptureQueriesContext(connection) as queries:
        viewer.get("/orders/?before=3")
    statements = " ".join(query["sql"] for query in queries).upper()
    assert "OFFSET" not in statements
    assert 'COUNT(*) AS "__COUNT"' not in statements


def test_an_empty_desk_says_that_it_has_no_orders(viewer: Client) -> None:
    """The page has a sentence instead of a table without rows."""
    assert "No orders yet" in viewer.get("/orders/").content.decode()


@pytest.mark.parametrize("status", [*Status, "in_moderation"])
def test_every_status_has_a_row(viewer: Client, status: str) -> None:
    """A status that the desk does not know has a row too."""
    order = make_order(status)
    page = viewer.get("/orders/").content.decode()
    assert order.label in page


def timeless(html: str) -> str:
    """HTML without relative times, which depend on the moment, and with single blanks."""
    return re.sub(r"\s+", " ", re.sub(r"[^>]*</time>", "</time>", html))


def test_a_polled_row_is_literally_part_of_the_page(viewer: Client) -> None:
    """The poll and the page draw a row with one template."""
    [order] = make_orders(1)
    page = viewer.get("/orders/").content.decode()
    poll = viewer.get(f"/orders/changes/?v={order.pk}:0").content.decode()
    row = re.search(r"<tr class=\"row.*?</tr>", poll, re.S)
    assert row
    assert timeless(row[0].replace(' hx-swap-oob="true"', "")) in timeless(page)


def test_markup_in_upstreams_words_stays_text(viewer: Client) -> None:
    """Every page that shows a status, a service's name or a link escapes it."""
    hostile = "<script>alert(1)</script>"
    make_order(hostile, service=make_service(name=hostile, category=hostile), link=f"https://a.b/{hostile}")
    for url in ("/orders/", f"/orders/{Order.objects.get().pk}/", "/services/", "/activity/", "/orders/new/"):
        page = as_a("operator").get(url).content.decode()
        assert hostile not in page, url

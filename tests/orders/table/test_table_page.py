"""The orders page: newest first, by keyset, in a few queries however many rows."""

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


def many(number: int, status: str = Status.IN_PROGRESS) -> list[Order]:
    by, service = make_user(), make_service()
    return [make_order(status, by=by, service=service) for _ in range(number)]


def shown(client: Client, url: str) -> list[int]:
    """The orders on the page, from the top."""
    return [int(pk) for pk in re.findall(r'id="order-(\d+)"', client.get(url).content.decode())]


def link(client: Client, url: str, rel: str) -> str:
    found = re.search(
        rf'href="([^"]+)"[^>]*rel="{rel}"|rel="{rel}"[^>]*href="([^"]+)"', client.get(url).content.decode()
    )
    assert found, f"no {rel} link on {url}"
    return (found[1] or found[2]).replace("&amp;", "&")


def test_the_newest_stand_on_top(viewer: Client) -> None:
    orders = many(3)
    assert shown(viewer, "/orders/") == [order.pk for order in reversed(orders)]


def test_pages_follow_each_other_without_gap_or_repeat(viewer: Client) -> None:
    orders = [order.pk for order in many(2 * ROWS_A_PAGE + 5)][::-1]
    first = shown(viewer, "/orders/")
    second_url = link(viewer, "/orders/", "next")
    second = shown(viewer, second_url)
    third_url = link(viewer, second_url, "next")
    assert first + second + shown(viewer, third_url) == orders
    assert shown(viewer, link(viewer, third_url, "prev")) == second


def test_a_status_tab_shows_its_own_and_keeps_its_pages(viewer: Client) -> None:
    many(ROWS_A_PAGE + 1)
    completed = many(1, Status.COMPLETED)
    assert shown(viewer, "/orders/?status=completed") == [completed[0].pk]
    assert "status=in_progress" in link(viewer, "/orders/?status=in_progress", "next")


def test_nonsense_in_the_address_is_as_if_it_were_not_there(viewer: Client) -> None:
    [order] = many(1)
    for query in ("status=nope", "before=x", "before=-3", f"before={9**40}", "after=%00", "status=%F0%9F%98%80"):
        assert shown(viewer, f"/orders/?{query}") == [order.pk], query


@pytest.mark.parametrize("rows", [0, 1, 50])
def test_the_queries_do_not_grow(viewer: Client, rows: int) -> None:
    many(rows)
    with CaptureQueriesContext(connection) as queries:
        assert viewer.get("/orders/").status_code == 200
    assert len(queries) <= MOST_QUERIES, [query["sql"] for query in queries]


def test_one_row_costs_as_many_queries_as_fifty(viewer: Client) -> None:
    counts = []
    for rows in (1, 49):
        many(rows)
        with CaptureQueriesContext(connection) as queries:
            viewer.get("/orders/")
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_it_never_counts_all_and_never_skips(viewer: Client) -> None:
    many(3)
    with CaptureQueriesContext(connection) as queries:
        viewer.get("/orders/?before=3")
    said = " ".join(query["sql"] for query in queries).upper()
    assert "OFFSET" not in said
    assert 'COUNT(*) AS "__COUNT"' not in said


def test_an_empty_desk_says_what_will_stand_here(viewer: Client) -> None:
    assert "No orders yet" in viewer.get("/orders/").content.decode()


@pytest.mark.parametrize("status", [*Status, "in_moderation"])
def test_every_status_has_a_row(viewer: Client, status: str) -> None:
    order = make_order(status)
    page = viewer.get("/orders/").content.decode()
    assert order.label in page


def timeless(html: str) -> str:
    """Without what depends on the moment of rendering, and with one blank where there were some."""
    return re.sub(r"\s+", " ", re.sub(r"[^>]*</time>", "</time>", html))


def test_the_row_is_literally_part_of_the_page(viewer: Client) -> None:
    [order] = many(1)
    page = viewer.get("/orders/").content.decode()
    poll = viewer.get(f"/orders/changes/?v={order.pk}:0").content.decode()
    row = re.search(r"<tr class=\"row.*?</tr>", poll, re.S)
    assert row
    assert timeless(row[0].replace(' hx-swap-oob="true"', "")) in timeless(page)


def test_markup_in_upstreams_words_stays_text(viewer: Client) -> None:
    hostile = "<script>alert(1)</script>"
    make_order(hostile, service=make_service(name=hostile, category=hostile), link=f"https://a.b/{hostile}")
    for url in ("/orders/", f"/orders/{Order.objects.get().pk}/", "/services/", "/activity/", "/orders/new/"):
        page = as_a("operator").get(url).content.decode()
        assert hostile not in page, url

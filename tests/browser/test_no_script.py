"""Without JavaScript: the list is narrowed, sorted, given columns and kept as a view, all by forms and links."""

import re
from decimal import Decimal

import pytest
from playwright.sync_api import Page, expect

from accounts.access import Role
from accounts.models import User
from orders.models import Order, SavedView
from orders.rules.statuses import Status
from tests.browser.conftest import Desk, Opens
from tests.makers import make_order, make_service, make_user

ROWS_A_PAGE = 25


def rows(page: Page) -> list[int]:
    return [
        int(row.removeprefix("order-")) for row in page.locator("tr.row").evaluate_all("rows => rows.map(r => r.id)")
    ]


def heads(page: Page) -> list[str]:
    return [head.strip() for head in page.locator(".grid-o thead th:not(.c-tick, .c-act)").all_inner_texts()]


@pytest.mark.slow
def test_a_list_is_narrowed_sorted_rearranged_and_kept(desk: Desk, opens: Opens) -> None:
    ana, service = make_user(Role.OPERATOR, name="Ana"), make_service()
    User.objects.filter(pk=ana.pk).update(page_length=ROWS_A_PAGE)
    mine = [
        make_order(Status.COMPLETED, by=ana, service=service, charge=Decimal(number % 7)).pk
        for number in range(ROWS_A_PAGE + 5)
    ]
    others = make_order(Status.COMPLETED, service=service)
    page = opens(ana, "/orders/", script=False)
    assert others.pk in rows(page)

    page.locator("summary", has_text="Filter").click()
    page.get_by_role("link", name="All filters").click()
    page.get_by_label("Status").select_option("completed")
    page.get_by_label("Placed by").select_option(str(ana.pk))
    page.get_by_role("button", name="Show the orders").click()
    assert rows(page) == mine[::-1][:ROWS_A_PAGE]
    page.get_by_role("link", name="Older").click()
    assert rows(page) == mine[::-1][ROWS_A_PAGE:]
    page.get_by_role("link", name="Newer").click()
    assert rows(page) == mine[::-1][:ROWS_A_PAGE]

    page.get_by_role("columnheader", name="Charge").get_by_role("link").click()
    dearest = sorted(Order.objects.filter(pk__in=mine), key=lambda order: (-(order.charge or 0), -order.pk))
    assert rows(page) == [order.pk for order in dearest][:ROWS_A_PAGE]

    page.locator("summary", has_text="Columns").click()
    page.get_by_role("link", name="All columns").click()
    page.get_by_role("button", name="Move Service to the left").click()
    page.get_by_label("Placed by").uncheck()
    page.get_by_role("button", name="Only in this list").click()
    assert heads(page)[:3] == ["Order", "Service", "Link"]
    assert "Placed by" not in heads(page)

    page.locator("summary", has_text="Save view").click()
    page.get_by_role("link", name="Save view").click()
    page.get_by_label("Name").fill("Mine by charge")
    page.get_by_role("button", name="Save view").click()
    views = page.get_by_role("navigation", name="Pinned views")
    expect(views.get_by_role("link", name="Mine by charge")).to_have_attribute("aria-current", "true")
    kept = page.url

    # Unpinned and pinned again; opened, it is the list as it was.
    page.locator(".kinds summary").click()
    page.get_by_role("link", name="All views").click()
    page.get_by_role("button", name=re.compile("^Unpin")).click()
    page.get_by_role("button", name=re.compile("^Pin")).click()
    page.goto(desk.url + "/orders/")
    views.get_by_role("link", name="Mine by charge").click()
    expect(page).to_have_url(kept)
    assert heads(page)[:3] == ["Order", "Service", "Link"]
    page.get_by_role("link", name="Older").click()
    assert rows(page) == [order.pk for order in dearest][ROWS_A_PAGE:]
    expect(page.locator(".tag-warn")).to_have_count(0)  # where in it one is changes no view

    # Changed, told so, changed back.
    page.get_by_role("link", name="Newest first again").click()
    expect(views.get_by_text("changed", exact=True)).to_be_visible()
    page.get_by_role("button", name="Save changes").click()
    expect(page.get_by_role("main")).to_contain_text("The view “Mine by charge” is saved.")
    assert rows(page) == mine[::-1][:ROWS_A_PAGE]
    page.get_by_role("columnheader", name="Charge").get_by_role("link").click()
    page.get_by_role("button", name="Save changes").click()
    assert "sort=dearest" in SavedView.objects.get().query
    expect(views.get_by_text("changed", exact=True)).to_have_count(0)

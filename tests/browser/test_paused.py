"""“Live” pauses a page and goes on: neither rows nor times move meanwhile, on every page, until the person goes on."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from accounts.access import Role
from accounts.models import User
from orders.models import Task
from orders.rules.statuses import Status
from tests.browser.conftest import NARROW, Desk, Opens, tells
from tests.browser.test_every_page import faults, picture
from tests.makers import make_order, make_user

PAUSED = re.compile(r"^Paused at \d\d:\d\d UTC$")
A_MINUTE = 60_000  # ms


def asks_of(page: Page) -> list[str]:
    """The addresses that the page asks from now on, but for what a person presses."""
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if request.method == "GET" else None)
    return asked


def test_one_press_stops_rows_and_times_and_one_lets_them_go_on(desk: Desk, opens: Opens) -> None:
    ana = make_user(Role.OPERATOR, name="Ana")
    order = make_order(Status.IN_PROGRESS, by=ana, reported_at=timezone.now() - timedelta(minutes=5))
    page = opens(ana, "/orders/")
    page.clock.install()
    page.clock.pause_at(timezone.now() + timedelta(minutes=1))
    live, row = page.locator("#live"), page.locator(f"#order-{order.pk}")
    expect(live).to_have_accessible_description("Pause: rows and times stand still, on every page")
    live.focus()
    asked = asks_of(page)
    with page.expect_response("**/live/"):
        page.keyboard.press("Enter")
    expect(live).to_have_text(PAUSED)
    expect(live).to_be_focused()
    times = page.locator("time[data-when]").all_inner_texts()
    tells(order, status="completed", remains=0)
    page.keyboard.press("Shift")  # even of somebody who is at it
    page.clock.run_for(3 * A_MINUTE)
    expect(page.locator("#heard")).to_contain_text("Rows and times stand still.")
    assert (asked, page.locator("time[data-when]").all_inner_texts()) == ([], times)
    expect(row).to_contain_text("In progress")

    page.keyboard.press("Enter")
    page.clock.run_for(A_MINUTE)
    expect(row).to_contain_text("Completed")
    expect(live).to_have_text("Live")
    assert page.locator("time[data-when]").all_inner_texts() != times


@pytest.mark.slow
def test_every_page_keeps_to_it_and_has_a_way_on(desk: Desk, opens: Opens) -> None:
    """Also a page without a place for it: two presses pause it by the menu, and then the button stands on top of it."""
    ana = make_user(Role.OPERATOR, name="Ana")
    order = make_order(Status.IN_PROGRESS, by=ana)
    page = opens(ana, "/team/", width=NARROW)
    expect(page.locator("#live")).to_be_hidden()
    page.locator("summary.me").click()
    with page.expect_response("**/live/"):
        page.get_by_role("button", name="Pause live updates").click()
    expect(page.locator("#live")).to_have_text(PAUSED)
    found: list[str] = []
    for path in ("/team/", f"/orders/{order.pk}/", "/orders/new/", "/alarms/", "/orders/"):
        page.goto(desk.url + path)
        expect(page.locator("#live")).to_be_visible()
        expect(page.locator("#live")).to_have_text(PAUSED)
        found += faults(page, path)
        picture(page, f"paused{path.replace('/', '-')}")
    assert not found, "\n".join(found)
    page.goto(f"{desk.url}/accounts/preferences/")
    expect(page.get_by_role("radio", name="Paused")).to_be_checked()
    page.get_by_role("radio", name="60 s").check()
    page.get_by_role("radio", name="Live").check()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    expect(page.locator("#live")).to_be_hidden()
    assert User.objects.values_list("paused", "undo_seconds").get(pk=ana.pk) == (False, 60)

    page.goto(f"{desk.url}/orders/new/?like={order.pk}")
    page.get_by_label("Order it once more").check()
    page.get_by_role("button", name="Place order").click()
    expect(page.get_by_role("button", name="Undo")).to_be_visible()
    task = Task.objects.get(order__pk__gt=order.pk)
    assert task.due_at and task.due_at - task.order.created_at == timedelta(seconds=60)

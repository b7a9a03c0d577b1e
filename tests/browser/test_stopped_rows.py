"""A stop reaches the rows of a page that is open, and so does its end."""

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from accounts.access import Role
from orders.placing import send_switch
from orders.rules.statuses import Status
from tests.browser.conftest import Desk, Opens
from tests.makers import make_order, make_user


@pytest.mark.slow
def test_an_open_page_s_rows_say_that_they_wait_and_that_they_go_on(desk: Desk, opens: Opens) -> None:
    order, done = make_order(), make_order(Status.COMPLETED)
    page = opens("operator", "/orders/")
    page.evaluate("window.stayed = true")
    row = page.locator(f"#order-{order.pk}")
    page.locator(f"#order-{done.pk}").evaluate("row => { row.same = true; }")
    send_switch.stop_itself("Account suspended", timezone.now())
    expect(row).to_contain_text("waits: sending is stopped")
    send_switch.resume(by=make_user(Role.MANAGER))
    expect(row).not_to_contain_text("sending is stopped")
    assert page.evaluate("window.stayed"), "the page was not loaded again"
    assert page.locator(f"#order-{done.pk}").evaluate("row => row.same"), "and only what waits was drawn anew"

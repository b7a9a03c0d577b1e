"""A person chooses how the desk is written, sees it before saving, and open pages keep to it."""

from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import expect

from accounts.access import Role
from orders.models import Order
from tests.browser.conftest import Desk, Opens
from tests.makers import make_order, make_user

AT = datetime(2026, 11, 2, 12, 0, 5, tzinfo=UTC)


@pytest.mark.slow
def test_what_is_chosen_is_seen_at_once_and_kept_by_what_lives(desk: Desk, opens: Opens) -> None:
    order = make_order("in_progress", quantity=5000, remains=1250, reported_at=AT)
    person = make_user(Role.OWNER)
    page = opens(person, "/accounts/preferences/")
    page.get_by_label("Time zone").fill("tokyo")
    page.get_by_label("Time zone").blur()
    expect(page.locator("#sample")).to_contain_text("JST")
    page.get_by_label("1.234,56", exact=True).check()
    expect(page.locator("#sample")).to_contain_text("$1.234,50")
    page.get_by_label("Dark").check()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(12, 15, 20)", "on a light device"

    page.goto(f"{desk.url}/orders/")
    looked = page.locator(f'time[data-looked="{order.pk}"]')
    expect(looked).to_have_attribute("title", "2026-11-02 21:00:05 JST")
    Order.objects.filter(pk=order.pk).update(reported_at=AT + timedelta(minutes=1))
    expect(looked).to_have_attribute("title", "2026-11-02 21:01:05 JST")
    expect(looked).to_have_attribute("datetime", "2026-11-02T21:01:05+09:00")
    expect(page.locator(f"#order-{order.pk} .qty")).to_have_text("3.750 / 5.000")
    page.route("**/orders/changes/*", lambda route: route.abort())
    expect(page.locator("#live")).to_contain_text("No contact since")
    expect(page.locator("#live")).to_contain_text("GMT+9")

    page.goto(f"{desk.url}/admin/")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(18, 22, 29)"

    plain = opens(person, "/accounts/preferences/", script=False)
    plain.get_by_label("As the device").check()
    plain.get_by_role("button", name="Save").click()
    expect(plain.get_by_text("Saved.")).to_be_visible()
    assert plain.locator("html").get_attribute("data-theme") is None

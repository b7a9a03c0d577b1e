"""What a newcomer does: sign in, place an order, and watch it live without reloading."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, Route, expect

from accounts.access import Role
from orders.models import Order
from panel.format.money import money
from tests.browser.conftest import Desk, Opens
from tests.makers import PASSWORD, make_order, make_service, make_user, sold_by

HIDE = """hidden => {
  Object.defineProperty(document, "hidden", {value: hidden, configurable: true});
  document.dispatchEvent(new Event("visibilitychange"));
}"""
SLOW, LONGEST = 15_000, 60_000  # ms between two polls of static/live.js at the most, and after errors
LINK = "https://www.instagram.com/lumen.studio"


def test_sign_in_place_and_watch_it_complete(working: Desk, page: Page) -> None:
    user = make_user(Role.OPERATOR)
    service = sold_by(working.phone)
    page.goto(working.url)
    page.get_by_label("Username").fill(user.username)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.get_by_role("link", name="New order").first.click()
    page.get_by_label("Service").fill(str(service.upstream_id))
    page.locator(f"#s{service.upstream_id}").check()
    page.get_by_label("Link").fill(LINK)
    page.get_by_label("Quantity").fill("1000")
    expect(page.locator("#receipt")).to_contain_text(f"≈ {money(service.expected_charge(1000))}")
    page.get_by_role("button", name="Place order").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Order")
    order = Order.objects.get()
    page.get_by_role("link", name="Orders", exact=False).first.click()
    row = page.locator(f"#order-{order.pk}")
    page.evaluate("window.stayed = true")
    expect(row).to_contain_text(re.compile("Pending|Processing|In progress"))
    working.upstream.advance(hours=240)
    expect(row).to_contain_text(re.compile("Completed|Partial|Refunded"))
    assert page.evaluate("window.stayed"), "the page was not loaded again"


@pytest.mark.slow
def test_the_order_page_lives_too(desk: Desk, opens: Opens) -> None:
    order = make_order(service=sold_by(desk.phone))
    page = opens("operator", f"/orders/{order.pk}/")
    expect(page.get_by_role("main")).to_contain_text("Queued")
    desk.work()
    expect(page.get_by_role("main")).to_contain_text("Pending")


@pytest.mark.slow
def test_a_teammates_order_waits_behind_a_pill(desk: Desk, opens: Opens) -> None:
    first = make_order("in_progress")
    page = opens("viewer", "/orders/")
    second = make_order()
    pill = page.get_by_role("link", name="1 new order")
    expect(pill).to_be_visible()
    expect(page.locator(f"#order-{second.pk}")).to_have_count(0)
    pill.click()
    expect(page.locator(f"#order-{second.pk}")).to_be_visible()
    expect(page.locator(f"#order-{first.pk}")).to_be_visible()


@pytest.mark.slow
def test_a_lost_answer_shows_as_confirming(desk: Desk, opens: Opens) -> None:
    order = make_order(service=sold_by(desk.phone))
    page = opens("operator", "/orders/")
    desk.upstream.will("lose_answer", action="add")
    desk.work()
    row = page.locator(f"#order-{order.pk}")
    expect(row).to_contain_text("Confirming")
    expect(row).to_contain_text("same request id")


@pytest.mark.slow
def test_a_changed_row_keeps_the_focus(desk: Desk, opens: Opens) -> None:
    order = make_order(service=sold_by(desk.phone))
    page = opens("operator", "/orders/")
    page.locator(f"#o{order.pk}").focus()
    desk.work()
    expect(page.locator(f"#order-{order.pk}")).to_contain_text("Pending")
    assert page.evaluate("document.activeElement.id") == f"o{order.pk}"


def test_a_hidden_tab_is_silent_and_asks_at_once_on_return(desk: Desk, opens: Opens) -> None:
    make_order("in_progress")
    page = opens("viewer", "/orders/")
    stop_the_clock(page)
    polls: list[str] = []
    page.on("request", lambda request: polls.append(request.url) if "/changes/" in request.url else None)
    with page.expect_response("**/changes/**"):
        page.clock.run_for(SLOW)
    expect(page.locator("#poll.htmx-request")).to_have_count(0)
    page.evaluate(HIDE, True)
    polls.clear()
    page.clock.run_for(10 * SLOW)
    assert polls == []
    with page.expect_request("**/changes/**"):
        page.evaluate(HIDE, False)
        page.clock.run_for(1)


def stop_the_clock(page: Page) -> None:
    """From here on the page's time passes when we say so, and as fast as it can."""
    page.clock.install()
    page.reload()
    page.clock.pause_at(timezone.now() + timedelta(minutes=1))
    # What is answered after the clock has stopped plans the next poll for a time that is to come.
    expect(page.locator("#poll.htmx-request")).to_have_count(0)


@pytest.mark.slow
def test_signed_out_in_another_tab_leads_to_sign_in(desk: Desk, opens: Opens) -> None:
    make_order("in_progress")
    page = opens("viewer", "/orders/")
    page.context.clear_cookies()
    page.wait_for_url("**/accounts/login/**")
    expect(page.locator("table")).to_have_count(0)


def test_when_the_desk_is_away_the_page_says_since_when(desk: Desk, opens: Opens) -> None:
    make_order("in_progress")
    page = opens("viewer", "/orders/")
    page.route("**/changes/**", lambda route: route.abort())
    stop_the_clock(page)
    page.clock.run_for(SLOW)
    expect(page.locator("#live")).to_contain_text("No contact since")
    page.unroute("**/changes/**")
    page.clock.run_for(LONGEST)
    expect(page.locator("#live")).to_have_text("Live")


def test_the_receipt_follows_though_its_last_answer_is_slow(desk: Desk, opens: Opens) -> None:
    service = make_service()
    page = opens("operator", "/orders/new/")

    def slowly(route: Route) -> None:
        page.wait_for_timeout(400)
        route.continue_()

    page.route("**/receipt/**", slowly)
    page.locator(f"#s{service.upstream_id}").check()
    page.get_by_label("Quantity").press_sequentially("2000", delay=90)
    expect(page.locator("#receipt")).to_contain_text("≈ $1.80")


def test_a_double_click_is_one_order(desk: Desk, opens: Opens) -> None:
    service = make_service()
    page = opens("operator", f"/orders/new/?service={service.upstream_id}")
    page.get_by_label("Link").fill(LINK)
    page.get_by_label("Quantity").fill("100")
    page.get_by_role("button", name="Place order").dblclick()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Order")
    assert Order.objects.count() == 1


@pytest.mark.parametrize("path", ["/orders/new/"])
def test_it_works_without_a_script(desk: Desk, opens: Opens, path: str) -> None:
    service = make_service(name="YouTube Views")
    make_service(name="Telegram Members")
    page = opens("operator", path, script=False)
    page.get_by_label("Service").fill("youtube")
    page.get_by_role("button", name="Search").click()
    page.locator(f"#s{service.upstream_id}").check()
    page.get_by_label("Link").fill(LINK)
    page.get_by_label("Quantity").fill("3")
    page.get_by_role("button", name="Place order").click()
    expect(page.get_by_text("At least 50 for this service; 3 is too few.").first).to_be_visible()
    page.get_by_label("Quantity").fill("300")
    page.get_by_role("button", name="Place order").click()
    expect(page.get_by_role("main")).to_contain_text("YouTube Views")
    desk.work()
    page.reload()
    expect(page.get_by_role("main")).not_to_contain_text("Queued")


def test_by_keyboard_alone(desk: Desk, opens: Opens) -> None:
    service = make_service()
    page = opens("operator", "/orders/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the page")).to_be_focused()
    page.goto(desk.url + f"/orders/new/?service={service.upstream_id}")
    page.locator("#q").focus()
    for _ in range(12):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.name") == "link":
            break
    page.keyboard.type(LINK)
    page.keyboard.press("Tab")
    page.keyboard.type("100")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Order")
    assert Order.objects.count() == 1

"""Somebody looks for orders: by whatever a customer sent, by filters, and with a teammate at the next desk."""

import re
import time

from playwright.sync_api import Page, expect

from accounts.access import Role
from orders.models import Order
from orders.rules.statuses import Status
from tests.browser.conftest import Desk, Opens, says_yes
from tests.makers import make_order, make_service, make_user

UNKNOWN = "ord_nobody_has_this"


def rows(page: Page) -> set[int]:
    return {
        int(row.removeprefix("order-")) for row in page.locator("tr.row").evaluate_all("rows => rows.map(r => r.id)")
    }


def search(page: Page, text: str) -> set[int]:
    page.get_by_label("Search orders").fill(text)
    with page.expect_navigation():
        page.get_by_label("Search orders").press("Enter")
    return rows(page)


def test_it_finds_what_a_customer_sends_and_narrows_it(desk: Desk, opens: Opens) -> None:
    ana, service = make_user(Role.OPERATOR, name="Ana"), make_service(category="TikTok › Views")
    first = make_order(Status.COMPLETED, by=ana, service=service, link="https://www.tiktok.com/@quiet.harbour")
    second, third = make_order(Status.IN_PROGRESS, by=ana), make_order(Status.PARTIAL)
    everything = {first.pk, second.pk, third.pk}
    page = opens(ana, "/orders/")
    assert search(page, f"#{first.pk}") == {first.pk}
    assert search(page, str(second.upstream_id)) == {second.pk}
    assert search(page, "quiet.harb") == {first.pk}
    message = f"Hi! {first.upstream_id} and #{third.pk} are stuck, {UNKNOWN} too, 1000 each"
    assert search(page, message) == {first.pk, third.pk}
    expect(page.get_by_role("main")).to_contain_text(f"No order here has: {UNKNOWN}")
    expect(page.get_by_role("main")).to_contain_text("Read as quantities: 1000")

    # From the panel, which is fetched when it is opened; a chip drops one of them, Back brings it again.
    page.goto(desk.url + "/orders/")
    page.locator("summary", has_text="Filter").click()
    page.get_by_label("Placed by").select_option(str(ana.pk))
    page.get_by_label("Network").select_option("tiktok")
    page.get_by_role("button", name="Show the orders").click()
    page.wait_for_url("**/orders/?*network=tiktok*")
    assert rows(page) == {first.pk}
    page.get_by_role("link", name=re.compile("^Drop the filter Network")).click()
    page.wait_for_url(lambda url: "network" not in url)
    assert rows(page) == {first.pk, second.pk}
    page.go_back()
    page.wait_for_url("**/orders/?*network=tiktok*")
    assert rows(page) == {first.pk}
    page.get_by_role("link", name="Clear all").first.click()
    page.wait_for_url("**/orders/")
    assert rows(page) == everything

    # Nothing fits: it says what to give up, and that leads to orders.
    page.goto(f"{desk.url}/orders/?by={ana.pk}&status=partial")
    expect(page.get_by_role("heading", name="No order matches all of this")).to_be_visible()
    page.get_by_role("link", name="Drop “Status”").click()
    page.wait_for_url(lambda url: "status" not in url)
    assert rows(page) == {first.pk, second.pk}


def test_two_people_see_each_other_and_one_sees_that_contact_is_lost(desk: Desk, opens: Opens) -> None:
    order = make_order(Status.COMPLETED, service=make_service(refill=True))
    Order.objects.filter(pk=order.pk).update(remains=0)
    ana = opens(make_user(Role.OPERATOR, name="Ana"), "/orders/")
    bo = opens(make_user(Role.OPERATOR, name="Bo"), "/orders/")
    ana.get_by_role("button", name=re.compile("^Refill")).click()
    says_yes(ana, "Ask for refill")
    expect(ana.get_by_role("img", name=re.compile("1 pending"))).to_be_visible()
    with bo.expect_response(lambda answer: "/orders/changes/" in answer.url):
        bo.evaluate("htmx.trigger('#poll', 'desk:poll')")
    expect(bo.get_by_role("img", name=re.compile("1 pending"))).to_be_visible(timeout=1000)

    live = bo.locator("#live")
    expect(live).to_have_text("Live")
    bo.route("**/orders/changes/*", lambda route: route.abort())
    before = time.strftime("%H:%M", time.gmtime())
    bo.evaluate("htmx.trigger('#poll', 'desk:poll')")
    expect(live).to_have_text(re.compile(r"^No contact since \d\d:\d\d UTC$"))
    assert before in live.inner_text() or time.strftime("%H:%M", time.gmtime()) in live.inner_text()
    expect(bo.locator("#heard")).to_contain_text("What you see may be old.")
    bo.unroute_all()
    bo.evaluate("htmx.trigger('#poll', 'desk:poll')")
    expect(live).to_have_text("Live")


def test_a_long_message_from_the_top_bar_leaves_nothing_in_the_history(desk: Desk, opens: Opens) -> None:
    ana = make_user(Role.OPERATOR, name="Ana")
    first, second = make_order(Status.COMPLETED, by=ana), make_order(Status.PARTIAL, by=ana)
    for script in (True, False):
        page = opens(ana, "/orders/", script=script)
        message = (
            f"Please look at order #{first.pk}, quantity {second.pk}, of our customer Lumen. " + "It is stuck. " * 400
        )
        assert len(message) > 5_000
        assert search(page, message) == {first.pk}
        expect(page.get_by_role("main")).to_contain_text(f"Also numbers of orders, perhaps by chance: {second.pk}")
        assert re.fullmatch(r".*/orders/\?s=[0-9a-f]{24}", page.url)
        page.reload()
        assert rows(page) == {first.pk}
        page.go_back()
        page.wait_for_url("**/orders/")

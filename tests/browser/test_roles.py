"""An owner switches what operators may do, and the operator's open tab follows; then the owner changes people."""

import re

from playwright.sync_api import Browser, Page, expect

from accounts.access import Role
from accounts.models import User
from orders.models import Order
from orders.rules.statuses import Status
from tests.browser.conftest import WIDE, Desk
from tests.makers import make_order, make_user


def tab_of(desk: Desk, browser: Browser, user: User) -> Page:
    """A browser of this person's own."""
    context = browser.new_context(viewport=WIDE)
    desk.sign_in(context, user)
    return context.new_page()


def switch(page: Page, name: str) -> None:
    """Presses the switch."""
    page.locator(f"label:has(#s-{name})").click()


def poll(page: Page) -> None:
    """Has an open page ask now, as it does by itself after a while."""
    page.evaluate("htmx.trigger(document.getElementById('poll'), 'desk:poll')")


def test_an_open_tab_follows_what_an_owner_switches(desk: Desk, browser: Browser) -> None:
    owner, ana = make_user(Role.OWNER, name="Mira"), make_user(Role.OPERATOR, name="Ana")
    order = make_order(Status.PENDING, by=ana)
    Order.objects.update(charge="7319.51")
    mine, hers = tab_of(desk, browser, owner), tab_of(desk, browser, ana)
    hers.goto(f"{desk.url}/orders/")
    cancel, refill = (
        hers.get_by_role("button", name=re.compile("^Cancel")),
        hers.get_by_role("button", name=re.compile("^Refill")),
    )
    expect(cancel.first).to_be_visible()
    expect(hers.get_by_text("$7,319.51")).to_be_visible()

    mine.goto(f"{desk.url}/team/roles/")
    switch(mine, "operator-cancel")
    switch(mine, "operator-money")
    expect(mine.locator("#moved")).to_contain_text("2 changes, not saved yet.")
    expect(mine.locator("#moved")).to_contain_text("Operators may no longer cancel orders.")
    expect(mine.locator("#moved")).to_contain_text("This concerns Ana, at the next page that they open.")
    mine.get_by_role("button", name="Save the roles").click()
    expect(mine.get_by_text("Operators cancel orders: off.").first).to_be_visible()

    poll(hers)
    expect(hers.get_by_text("$7,319.51")).to_have_count(0)
    expect(
        hers.get_by_text("Only viewers, managers and owners may see prices, charges and the balance.")
    ).to_be_visible()
    expect(cancel).to_have_count(0)
    expect(refill.first).to_be_visible()
    assert hers.request.get(f"{desk.url}/orders/{order.pk}/cancellation/question/").status == 403


def test_an_owner_promotes_one_person_and_switches_another_off(desk: Desk, browser: Browser) -> None:
    owner, ana = make_user(Role.OWNER, name="Mira"), make_user(Role.OPERATOR, name="Ana")
    tom = make_user(Role.OPERATOR, name="Tom")
    mine, his, hers = (tab_of(desk, browser, person) for person in (owner, tom, ana))
    hers.goto(f"{desk.url}/orders/")
    his.goto(f"{desk.url}/orders/")
    expect(hers.get_by_text("Stop sending")).to_have_count(0)

    mine.goto(f"{desk.url}/team/")
    mine.get_by_role("link", name="Open Ana").click()
    mine.get_by_label("Manager").check()
    mine.get_by_role("button", name="Change the role").click()
    expect(mine.get_by_text("Ana is a manager now.")).to_be_visible()
    mine.goto(f"{desk.url}/team/{tom.pk}/")
    mine.locator("#off-why").fill("Left the team")
    mine.get_by_role("button", name="Switch off this person").click()
    expect(mine.get_by_text("Tom is switched off.")).to_be_visible()

    poll(hers)
    expect(hers.get_by_text("Stop sending").first).to_be_attached()
    poll(his)
    expect(his).to_have_url(re.compile("/accounts/login/"))

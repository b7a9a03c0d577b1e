"""An operator near the limit asks, a manager in another browser decides, and who asked reads it without asking."""

import os
from decimal import Decimal
from pathlib import Path

import pytest
from playwright.sync_api import Page, ViewportSize, expect

from accounts.access import Role
from accounts.models import User
from catalog.models import Service
from orders.rules.statuses import Status
from tests.browser.conftest import NARROW, WIDE, Desk, Opens, polled
from tests.makers import make_order, make_service, make_user
from tests.orders.limits.desk_limits import set_limits

PICTURES = os.environ.get("PICTURES")
LINK = "https://instagram.com/northside_gym"


def look(page: Page, name: str) -> None:
    """A picture, for who wants to look."""
    if PICTURES:
        page.screenshot(path=Path(PICTURES) / f"{name}.png", full_page=True)


@pytest.fixture
def service(desk: Desk) -> Service:
    return make_service(name="Reels views", rate=Decimal("0.68"), maximum=1_000_000)


@pytest.fixture
def tomas(desk: Desk) -> User:
    return make_user(name="Tomás Rey")


@pytest.fixture
def mira(desk: Desk) -> User:
    return make_user(Role.MANAGER, name="Mira Kovács")


def ask_in_the_form(page: Page, quantity: str, reason: str) -> int:
    """Types an order that is above the limit, and asks; returns its number."""
    page.get_by_label("Link").fill(LINK)
    page.get_by_label("Quantity").fill(quantity)
    page.get_by_label("Order it once more").check()
    ask = page.get_by_role("button", name="Ask for approval")
    expect(ask).to_be_visible()
    page.get_by_label("Why is it needed?").fill(reason)
    page.get_by_label("Quantity").press("Tab")
    expect(page.get_by_label("Why is it needed?")).to_have_value(reason)
    look(page, f"form-{page.viewport_size and page.viewport_size['width']}")
    ask.click()
    expect(page.get_by_role("heading", name="A second person decides")).to_be_visible()
    return int(page.url.rstrip("/").rpartition("/")[2])


@pytest.mark.slow
@pytest.mark.parametrize("width", [WIDE, NARROW], ids=["desk", "phone"])
def test_an_operator_asks_and_a_manager_in_another_browser_decides(
    desk: Desk, opens: Opens, service: Service, tomas: User, mira: User, width: ViewportSize
) -> None:
    make_order(Status.PROCESSING, by=tomas, service=service, quantity=40_000, link=LINK)
    set_limits(operator_day_limit="40", operator_approve_from="25")
    page = opens(tomas, f"/orders/new/?service={service.upstream_id}", width=width)
    page.get_by_label("Quantity").fill("1000")
    expect(page.get_by_text("$12.80 of $40.00")).to_be_visible()
    expect(page.get_by_role("button", name="Place order")).to_be_visible()
    number = ask_in_the_form(page, "50000", "They paid in advance.")
    look(page, f"asked-{width['width']}")

    others = opens(mira, "/orders/", width=width)
    if width == WIDE:
        others.get_by_role("link", name="Approvals 1").click()
    else:
        others.goto(f"{desk.url}/orders/approvals/")
    expect(others.get_by_text("They paid in advance.")).to_be_visible()
    expect(others.get_by_text("with what waits")).to_be_visible()
    look(others, f"approvals-{width['width']}")
    others.get_by_role("button", name="Approve for $34.00").click()
    expect(others.get_by_text(f"Order {number} is approved.")).to_be_visible()
    polled(page)
    expect(page.get_by_text("Mira Kovács approved it").first).to_be_visible()
    look(page, f"approved-{width['width']}")

    page.goto(f"{desk.url}/orders/new/?like={number}")
    number = ask_in_the_form(page, "60000", "Once more.")
    others.goto(f"{desk.url}/orders/approvals/")
    others.get_by_label(f"Why do you decline order {number}?").fill("The first still runs there.")
    others.get_by_role("button", name=f"Decline order {number}").click()
    expect(others.get_by_text(f"Order {number} is declined.")).to_be_visible()
    look(others, f"nothing-{width['width']}")
    polled(page)
    expect(page.get_by_text("The first still runs there.").first).to_be_visible()
    look(page, f"declined-{width['width']}")


def test_an_owner_sets_limits_and_gives_a_person_their_own(opens: Opens, tomas: User) -> None:
    owner = make_user(Role.OWNER, name="Olivia Hartmann")
    page = opens(owner, "/team/")
    page.get_by_role("link", name="Limits", exact=True).click()
    page.get_by_label("Operators: a day").fill("40")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved. The limits hold from now on.")).to_be_visible()
    look(page, "limits")
    page.get_by_role("link", name="Limits of Tomás Rey").click()
    one_order = page.get_by_role("group", name="One order")
    one_order.get_by_label("Which limit").select_option("own")
    one_order.get_by_label("Their own, in US dollars").fill("ten")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Write a number").first).to_be_visible()
    expect(one_order.get_by_label("Their own, in US dollars")).to_have_value("ten")
    one_order.get_by_label("Their own, in US dollars").fill("10")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved. Tomás Rey may spend this")).to_be_visible()
    look(page, "person-limits")
    tomas.refresh_from_db()
    assert tomas.limits == {"order": "10"}

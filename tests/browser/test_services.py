"""Services in a real browser: found as one types, starred, held and ordered all the same; also without a script."""

import re
from decimal import Decimal

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from catalog.models import Change, Favourite, Service
from orders.models import Order
from tests.browser.conftest import NARROW, Desk, Opens, reload_before_scripts
from tests.makers import make_service, make_user

LINK = "https://instagram.com/lumen.studio"


def moved(**fields: object) -> Service:
    service = make_service(rate=Decimal("1.12"), **fields)
    Change.objects.create(service=service, moved={"rate": ["1", "1.12"]}, at=timezone.now())
    return service


@pytest.mark.slow
def test_from_a_change_to_a_hold_and_an_order_all_the_same(desk: Desk, opens: Opens) -> None:
    dear, other = moved(name="Dear likes"), moved(name="Other views", refill=False)
    page = opens("manager", "/services/")
    rows = page.locator(".grid-s tbody tr")
    page.get_by_label("Search services").press_sequentially("likes")
    expect(rows).to_have_count(1)
    page.get_by_label("Search services").fill("")
    expect(rows).to_have_count(2)
    page.get_by_label("Refill", exact=True).check()
    expect(rows).to_have_count(1)
    expect(page).to_have_url(f"{desk.url}/services/?refill=1")
    page.get_by_role("button", name=f"Favourite {dear.upstream_id}").click()
    expect(page.locator("#stars")).to_have_text("1")
    expect(page.get_by_role("button", name=f"Favourite {dear.upstream_id}")).to_have_attribute("aria-pressed", "true")

    page.get_by_role("link", name="Look at the changes").click()
    page.get_by_role("button", name=f"Hold service {dear.upstream_id}").click()
    expect(page.locator(".change", has_text="Dear likes")).to_contain_text("On hold by")
    page.get_by_role("button", name=f"Accept the change of {other.upstream_id}").click()
    expect(page.locator(".change", has_text="Other views")).to_contain_text("Accepted by")
    page.go_back()
    expect(page).to_have_url(f"{desk.url}/services/?refill=1")
    expect(page.get_by_label("Refill", exact=True)).to_be_checked()

    page.goto(f"{desk.url}/orders/new/?quantity=100&link={LINK}")
    page.get_by_label("Dear likes").check()
    page.get_by_label("Order although it is on hold").check()
    page.get_by_role("button", name="Place order").click()
    page.wait_for_url(re.compile(r"/orders/\d+/$"))
    expect(page.locator("main")).to_contain_text("although the service was on hold")
    assert Order.objects.get().service == dear


def test_all_of_it_without_a_script(desk: Desk, opens: Opens) -> None:
    service = moved(name="Dear likes", category="Instagram › Likes")
    moved(name="Other views", category="Instagram › Views")
    page = opens("manager", "/services/", script=False)
    page.locator("summary", has_text="Instagram").click()
    page.get_by_role("link", name="Likes 1").click()
    expect(page.locator(".grid-s tbody tr")).to_have_count(1)
    page.get_by_role("button", name=f"Favourite {service.upstream_id}").click()
    expect(page).to_have_url(re.compile("category="))
    assert Favourite.objects.get().service == service
    page.get_by_role("link", name="Changes", exact=True).click()
    page.get_by_role("button", name=f"Hold service {service.upstream_id}").click()
    page.get_by_role("link", name="On hold").click()
    page.get_by_role("button", name=f"Release service {service.upstream_id}").click()
    expect(page.locator("main")).to_contain_text("No service is on hold")
    service.refresh_from_db()
    assert service.held_over_id is None


@pytest.mark.parametrize("by", ["typing", "a tick", "a choice"])
def test_what_is_asked_for_before_the_scripts_are_there_counts(desk: Desk, opens: Opens, by: str) -> None:
    user, plain, liked = make_user(), make_service(refill=False), make_service(refill=True)
    Favourite.objects.create(user=user, service=liked)
    page = opens(user, "/services/", width=NARROW)  # with selects instead of the tree
    htmx = reload_before_scripts(page)
    if by == "typing":
        page.get_by_label("Search services").fill(str(liked.upstream_id))
    elif by == "a tick":
        page.get_by_role("checkbox", name="Refill").check()
    else:
        page.get_by_label("Which").select_option("favourites")
    htmx.continue_()
    expect(page.locator("#services")).not_to_contain_text(plain.name)
    expect(page.locator("#services")).to_contain_text(liked.name)

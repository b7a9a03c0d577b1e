"""The tick for an odd link, in a browser: as one types, by keyboard, and without a script."""

import re

import pytest
from playwright.sync_api import ViewportSize, expect

from orders.models import Order
from tests.browser.conftest import Desk, Opens
from tests.browser.test_every_page import TWO_LOOKS, faults, picture
from tests.makers import make_order, make_service

TIKTOK = "https://www.tiktok.com/@lumen"
LINK = "https://instagram.com/lumen"


@pytest.mark.slow
@pytest.mark.parametrize(("width", "dark"), TWO_LOOKS, ids=["wide", "narrow-dark"])
def test_an_odd_link_takes_a_tick_that_the_next_link_loses(
    desk: Desk, opens: Opens, width: ViewportSize, dark: bool
) -> None:
    """It comes while one types, is ticked with the space bar, and is gone with the link that it was for."""
    service = make_service()
    page = opens("operator", f"/orders/new/?service={service.upstream_id}&quantity=100", width=width, dark=dark)
    doubt, box = page.locator("#doubt"), page.get_by_label("Yes, deliver it there")
    page.get_by_label("Link", exact=True).fill(TIKTOK)
    expect(doubt).to_contain_text("This link is on www.tiktok.com, and the service is for Instagram.")
    page.get_by_role("button", name="Place order").click()
    expect(doubt).to_contain_text("Say that it is right, or write another.")
    picture(page, "form-doubt")
    assert not list(faults(page, "form-doubt"))
    box.focus()
    page.keyboard.press("Space")
    expect(box).to_be_checked()
    page.get_by_label("Link", exact=True).fill(f"{TIKTOK}2")
    expect(doubt).to_contain_text(f"{TIKTOK}2")
    expect(box).not_to_be_checked()
    assert not Order.objects.exists()
    box.check()
    page.get_by_role("button", name="Place order").click()
    page.wait_for_url(re.compile(r"/orders/\d+/$"))
    assert Order.objects.get().link == f"{TIKTOK}2"


def test_without_a_script_the_tick_comes_with_the_refusal(desk: Desk, opens: Opens) -> None:
    """Beside the same target in another spelling, which asks too."""
    service = make_service(category="Instagram › Likes", name="Instagram Likes")
    make_order("in_progress", service=service, link="https://m.instagram.com/Lumen?hl=en")
    page = opens("operator", f"/orders/new/?service={service.upstream_id}&quantity=100&link={LINK}", script=False)
    page.get_by_role("button", name="Place order").click()
    expect(page.locator("#alike")).to_contain_text("https://m.instagram.com/Lumen?hl=en")
    picture(page, "form-doubt-and-alike")
    page.get_by_label("Yes, deliver it there").check()
    page.get_by_label("Order it once more").check()
    page.get_by_role("button", name="Place order").click()
    page.wait_for_url(re.compile(r"/orders/\d+/$"))
    assert Order.objects.filter(link=LINK).exists()

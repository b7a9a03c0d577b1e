"""Five thousand comments on an order's page: folded, copied as they are, and left alone by the poll."""

import pytest
from playwright.sync_api import expect

from orders.models import Order
from tests.browser.conftest import Desk, Opens
from tests.makers import make_service, place_order

COMMENTS = "\n".join(f"<b>Nice</b> no. {number}" for number in range(5000))


@pytest.mark.slow
def test_they_unfold_are_copied_and_stay_open_through_a_poll(desk: Desk, opens: Opens) -> None:
    order = place_order(service=make_service(type="Custom Comments"), fields={"comments": COMMENTS})
    page = opens("operator", f"/orders/{order.pk}/")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    box = page.get_by_role("group", name="Comments")
    expect(box).to_be_hidden()
    page.get_by_text("Show all 5,000").click()
    expect(box).to_contain_text("<b>Nice</b> no. 4999")
    box.evaluate("box => { box.scrollTop = 900; }")
    with page.expect_response(lambda answer: "v=" in answer.url and answer.status == 200):
        Order.objects.change(start_count=12)
        page.keyboard.press("Shift")
    expect(page.get_by_role("main")).to_contain_text("12the supplier’s count")
    expect(box).to_be_visible()
    assert box.evaluate("box => box.scrollTop") == 900
    page.get_by_role("button", name="Copy comments").click()
    expect(page.locator("#heard")).to_have_text("Copied 5,000 lines")
    assert page.evaluate("navigator.clipboard.readText()") == COMMENTS

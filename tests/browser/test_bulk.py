"""Many at once, as a person does it: tick, look at the dry run, press, watch the receipt."""

import re

import pytest
from playwright.sync_api import Page, ViewportSize, expect

from accounts.models import User
from orders.models import Bulk, Order
from orders.rules.statuses import Status
from tests.browser.conftest import NARROW, WIDE, Desk, Opens
from tests.browser.test_every_page import faults
from tests.makers import make_order, make_user, sold_by


@pytest.fixture
def ana(desk: Desk) -> User:
    return make_user(name="Ana")


@pytest.fixture
def orders(desk: Desk, ana: User) -> list[Order]:
    """Five completed ones of a service with refill, known upstream too; oldest first."""
    service, found = sold_by(desk.phone, refill=True), []
    for _ in range(5):
        known = desk.upstream.place(service=service.upstream_id)
        desk.upstream.set_status(known, "completed")
        found.append(make_order("completed", service=service, upstream_id=known, by=ana))
    return found


def ticked(page: Page) -> list[int]:
    ticks = page.locator(".row .c-tick input:checked")
    return sorted(int(tick.input_value()) for tick in ticks.all())


@pytest.mark.slow
def test_by_keyboard_from_the_tick_to_the_receipt(desk: Desk, opens: Opens, orders: list[Order], ana: User) -> None:
    page = opens(ana, "/orders/")
    expect(page.get_by_role("button", name="Refill…")).to_be_hidden()
    for order in orders[:2]:
        page.get_by_label(f"Pick order {order.pk}").focus()
        page.keyboard.press("Space")
    expect(page.get_by_label("the 2 ticked on this page")).to_be_checked()
    expect(page.get_by_label("all 5 orders, on every page")).not_to_be_checked()
    page.get_by_role("button", name="Refill…").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".sum")).to_have_text("Refill 2: 2 will be asked.")
    assert not list(faults(page, "dry run"))
    page.locator("summary", has_text="will be asked").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name=str(orders[1].pk), exact=True)).to_be_visible()
    page.get_by_role("button", name="Ask for 2 refills").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".job-top")).to_have_text("0 of 2 answered")
    desk.work()
    expect(page.locator(".job-top")).to_have_text("2 of 2 answered")
    expect(page.locator("#heard")).to_have_text("2 of 2 answered. The job has ended.")
    assert desk.upstream.calls("refill") == 1
    page.reload()
    assert Bulk.objects.count() == 1


@pytest.mark.slow
def test_ticks_stay_when_their_rows_are_swapped(opens: Opens, orders: list[Order], ana: User) -> None:
    page = opens(ana, "/orders/")
    page.get_by_label(f"Pick order {orders[0].pk}").focus()
    page.keyboard.press("Space")
    Order.objects.filter(pk=orders[0].pk).change(status=Status.PARTIAL)
    expect(page.locator(f"#order-{orders[0].pk}")).to_contain_text("Partial")
    expect(page.get_by_label(f"Pick order {orders[0].pk}")).to_be_checked()
    assert ticked(page) == [orders[0].pk]
    expect(page.get_by_label(f"Pick order {orders[0].pk}")).to_be_focused()
    expect(page.locator("#ticked")).to_have_text("the 1 ticked")


@pytest.mark.parametrize("width", [1440, 1024])
def test_a_range_by_shift_the_page_by_its_head_and_none_by_clear(
    opens: Opens, orders: list[Order], ana: User, width: int
) -> None:
    page = opens(ana, "/orders/", width={"width": width, "height": 1000})
    page.get_by_label(f"Pick order {orders[3].pk}").click()
    page.get_by_label(f"Pick order {orders[1].pk}").click(modifiers=["Shift"])
    assert ticked(page) == [order.pk for order in orders[1:4]]
    head = page.get_by_label("Pick all 5 on this page")
    assert head.evaluate("tick => tick.indeterminate")
    head.check()
    assert len(ticked(page)) == len(orders)
    page.get_by_role("button", name="Clear").click()
    expect(page.get_by_role("button", name="Refill…")).to_be_hidden()
    assert ticked(page) == []


@pytest.mark.parametrize("width", [WIDE, NARROW], ids=["wide", "narrow"])
def test_without_a_script_all_of_it_works(opens: Opens, orders: list[Order], ana: User, width: ViewportSize) -> None:
    page = opens(ana, "/orders/?status=completed", script=False, width=width)
    page.get_by_label(f"Pick order {orders[4].pk}").check()
    page.get_by_label("all orders in “Completed”, on every page").check()
    page.get_by_role("button", name="Refill…").click()
    expect(page.locator(".sum")).to_have_text("Refill 5: 5 will be asked.")
    page.get_by_role("button", name="Ask for 5 refills").click()
    expect(page.locator(".job-top")).to_have_text("0 of 5 answered")


def test_a_double_click_is_one_job(opens: Opens, orders: list[Order], ana: User) -> None:
    page = opens(ana, "/orders/bulks/new/")
    page.get_by_label("A chat message").fill(f"hi! #{orders[0].pk} and {orders[1].upstream_id} dropped, #99999 too")
    page.get_by_role("button", name="Refill…").click()
    expect(page.get_by_role("table").get_by_text("99999", exact=True)).to_be_visible()
    page.get_by_role("button", name="Ask for 2 refills").dblclick()
    page.wait_for_url(re.compile(r"/orders/bulks/\d+/"))
    assert Bulk.objects.count() == 1


def test_a_thumb_hits_the_tick(opens: Opens, orders: list[Order], ana: User) -> None:
    page = opens(ana, "/orders/", width=NARROW)
    box = page.locator(".row .hit").first.bounding_box()
    assert box and min(box["width"], box["height"]) >= 40
    page.locator(".row .hit").first.click(position={"x": 3, "y": 41})
    assert ticked(page) == [orders[-1].pk]
    bar = page.locator(".picked").bounding_box()
    rail = page.locator(".rail").bounding_box()
    assert bar and rail and bar["y"] + bar["height"] <= rail["y"]


@pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])
@pytest.mark.parametrize("width", [WIDE, NARROW], ids=["wide", "narrow"])
def test_rows_are_unticked_and_doubtful_ones_ticked(
    opens: Opens, orders: list[Order], ana: User, width: ViewportSize, script: bool
) -> None:
    page = opens(ana, "/orders/bulks/new/", script=script, width=width)
    first, second, third = (order.pk for order in orders[:3])
    page.get_by_label("A chat message").fill(f"orders #{first} and #{second} dropped, quantity {third}")
    page.get_by_role("button", name="Refill…").click()
    button = page.locator("#press button").first
    expect(button).to_have_text("Ask for 2 refills")
    expect(page.get_by_label(f"Ask of order {third}", exact=True)).not_to_be_checked()
    page.get_by_label(f"Ask of order {second}", exact=True).uncheck()
    expect(button).to_have_text("Ask for 1 refill" if script else "Ask for 2 refills")
    page.get_by_label(f"Ask of order {third}", exact=True).check()
    assert not script or not list(faults(page, "dry run"))  # which needs a script
    button.click()
    page.wait_for_url(re.compile(r"/orders/bulks/\d+/$"))
    assert set(Bulk.objects.get().tasks.values_list("order", flat=True)) == {first, third}

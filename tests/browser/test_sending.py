"""Undo, stop and the needs-a-look page, as a person meets them: live, and without losing what is being typed."""

from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from accounts.access import Role
from orders.models import Order
from orders.placing import send_switch
from orders.rules.statuses import Status
from tests.browser.conftest import NARROW, Desk, Opens
from tests.makers import make_order, make_service, make_user, place_order, sold_by


def test_undo_in_the_row_without_a_reload(desk: Desk, opens: Opens, settings: Any) -> None:
    settings.SEND_DELAY_SECONDS = 60
    order = place_order(service=sold_by(desk.phone))
    page = opens("operator", "/orders/")
    page.evaluate("window.stayed = true")
    row = page.locator(f"#order-{order.pk}")
    row.get_by_role("button", name="Undo").click()
    expect(row).to_contain_text("Withdrawn")
    expect(row.get_by_role("button", name="Undo")).to_have_count(0)
    assert page.evaluate("window.stayed")
    desk.work()
    assert desk.upstream.calls("add") == 0


@pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
def test_a_manager_stops_sending_and_lets_it_go_on(desk: Desk, opens: Opens, script: bool) -> None:
    make_order(Status.COMPLETED)
    page = opens("manager", "/orders/", script=script, width=NARROW)
    page.locator("summary", has_text="Stop sending").click()
    page.get_by_label("Why?").fill("Prices look wrong.")
    page.get_by_role("button", name="Stop all sending").click()
    expect(page.locator("#trouble")).to_contain_text("Prices look wrong.")
    page.get_by_role("button", name="Start sending again").click()
    expect(page.locator("#trouble")).not_to_contain_text("Sending is stopped")


@pytest.mark.slow
def test_an_open_page_learns_of_a_stop(desk: Desk, opens: Opens) -> None:
    make_order(Status.IN_PROGRESS)
    page = opens("viewer", "/orders/")
    send_switch.stop_itself("Account suspended", timezone.now())
    expect(page.locator("#trouble")).to_contain_text("by the desk itself: Account suspended")


@pytest.mark.slow
def test_what_is_typed_survives_a_poll_that_swaps(desk: Desk, opens: Opens) -> None:
    order = make_order(Status.REVIEW, service=make_service())
    page = opens("manager", f"/orders/{order.pk}/")
    page.get_by_label("It is not there").fill("I looked through")
    with page.expect_response(lambda answer: "v=" in answer.url and answer.status == 200):
        Order.objects.filter(pk=order.pk).update(version=order.version + 1)
        page.keyboard.press("Shift")
    expect(page.get_by_label("It is not there")).to_have_value("I looked through")
    page.get_by_role("button", name="Close as not placed").click()
    expect(page.get_by_role("main")).to_contain_text("I looked through")
    expect(page.get_by_role("main")).to_contain_text("Not placed")


def test_closing_names_who_did_it(desk: Desk, opens: Opens) -> None:
    order = make_order(Status.REVIEW, service=make_service())
    page = opens(make_user(Role.MANAGER, name="Bo"), f"/orders/{order.pk}/", script=False)
    page.get_by_label("It is not there").fill("Not in their list.")
    page.get_by_role("button", name="Close as not placed").click()
    expect(page.get_by_role("main")).to_contain_text("Bo closed it as not placed: Not in their list.")

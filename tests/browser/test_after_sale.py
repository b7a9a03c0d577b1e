"""Refill and cancel as a person meets them: the button, its reason by keyboard and for a screen reader, the states."""

import re

import pytest
from playwright.sync_api import ViewportSize, expect

from accounts.access import Role
from orders.aftersale import ask
from orders.models import Order, Task
from tests.browser.conftest import Desk, Opens, says_yes
from tests.browser.test_every_page import TWO_LOOKS, faults, picture
from tests.makers import make_order, make_service, make_user, sold_by


@pytest.fixture
def completed(desk: Desk) -> Order:
    """Completed here and upstream, of a service with refill."""
    service = sold_by(desk.phone, refill=True, cancel=True)
    known = desk.upstream.place(service=service.upstream_id)
    desk.upstream.set_status(known, "completed")
    return make_order("completed", service=service, upstream_id=known)


@pytest.mark.slow
def test_a_refill_from_the_row_to_upstreams_yes(desk: Desk, opens: Opens, completed: Order) -> None:
    page = opens("operator", "/orders/")
    row = page.locator(f"#order-{completed.pk}")
    row.get_by_role("button", name=f"Refill order {completed.pk}").click()
    says_yes(page, "Ask for refill")
    expect(row.get_by_role("img", name="0 used, 1 pending, 2 left")).to_be_visible()
    button = row.get_by_role("button", name=f"Refill order {completed.pk}")
    expect(button).to_have_attribute("aria-disabled", "true")
    expect(page.locator("#heard")).to_have_text(f"You asked for a refill of order {completed.pk}.")
    expect(button).to_be_focused()  # the row was swapped, and the keyboard is where it was
    expect(button).to_have_accessible_description(re.compile("asked for by .*the supplier has not answered yet"))
    desk.work()
    expect(button).to_have_accessible_description(re.compile("one is pending since"))
    assert desk.upstream.calls("refill") == 1


def test_the_reason_shows_to_who_comes_by_keyboard(desk: Desk, opens: Opens) -> None:
    order = make_order("completed", service=make_service(refill=False))
    page = opens("operator", "/orders/")
    button = page.get_by_role("button", name=f"Refill order {order.pk}")
    tip = page.locator(f"#order-{order.pk} .tip").first
    expect(tip).not_to_be_visible()
    button.focus()
    expect(tip).to_be_visible()
    expect(tip).to_have_text("Its service has no refill.")
    page.keyboard.press("Enter")
    assert not Task.objects.filter(kind="refill").exists()


def test_without_a_script_the_same_buttons_work(desk: Desk, opens: Opens, completed: Order) -> None:
    page = opens("operator", "/orders/", script=False)
    page.get_by_role("button", name=f"Refill order {completed.pk}").click()
    page.get_by_role("button", name="Ask for refill").click()
    expect(page.get_by_text(f"You asked for a refill of order {completed.pk}.")).to_be_visible()
    assert Task.objects.get(kind="refill").order == completed


def test_of_two_people_the_second_learns_who_was_first(desk: Desk, opens: Opens, completed: Order) -> None:
    ana, ben = make_user(name="Ana"), make_user(name="Ben")
    first, second = opens(ana, "/orders/", script=False), opens(ben, "/orders/", script=False)
    for page in (first, second):
        page.get_by_role("button", name=f"Refill order {completed.pk}").click()
    for page in (first, second):
        page.get_by_role("button", name="Ask for refill").click()
    expect(second.locator("main").get_by_text("one was asked for by Ana").first).to_be_visible()
    desk.work()
    assert desk.upstream.calls("refill") == 1


def test_the_same_again_comes_as_a_filled_form(desk: Desk, opens: Opens, completed: Order) -> None:
    page = opens("operator", f"/orders/{completed.pk}/")
    page.get_by_role("link", name="Order again").click()
    expect(page.get_by_label("Link")).to_have_value(completed.link)
    expect(page.get_by_label("Quantity")).to_have_value("1000")
    assert completed.link not in page.url
    assert Order.objects.count() == 1


def in_every_state(desk: Desk, order: Order) -> list[Order]:
    """Orders with a refill or cancel in each state that a page shows apart."""
    by, orders = make_user(name="Mira"), [order]
    ask.ask(order, "refill", by=by)
    for fault, status, kind in (
        ("lose_answer", "completed", "refill"), ("lose_answer", "in_progress", "cancel"), ("", "in_progress", "cancel"),
        ("", "in_progress", "refill"), ("", "pending", "cancel"),
    ):  # fmt: skip
        known = desk.upstream.place(service=order.service.upstream_id)
        desk.upstream.set_status(known, status)
        orders.append(make_order("completed" if kind == "refill" else status, service=order.service, upstream_id=known))
        desk.work()
        if fault:
            desk.upstream.will(fault, kind)
        ask.ask(orders[-1], kind, by=by)
        desk.work()
    return orders


@pytest.mark.slow
@pytest.mark.parametrize(("width", "dark"), TWO_LOOKS, ids=["wide", "narrow-dark"])
def test_every_state_is_accessible_and_within_its_borders(
    desk: Desk, opens: Opens, completed: Order, width: ViewportSize, dark: bool
) -> None:
    orders, manager = in_every_state(desk, completed), make_user(Role.MANAGER)
    make_order("partial", service=make_service(refill=False))
    found = list[str]()
    places = {"rows": "/orders/", "refills": "/orders/refills/", "cancels": "/orders/cancels/"}
    places |= {f"asked-{n}": f"/orders/{order.pk}/" for n, order in enumerate(orders[:4])}
    page = opens(manager, "/orders/", width=width, dark=dark)
    for name, path in places.items():
        page.goto(desk.url + path)
        for opener in page.locator(".slot-a summary").all():
            opener.click()
        found += faults(page, name)
        picture(page, f"after-sale-{name}")
    assert not found, "\n".join(found)

"""Customers and selling prices in a browser: typed, warned of, placed, changed, also without a script."""

from decimal import Decimal
from typing import Any

import pytest
from playwright.sync_api import expect

from accounts.access import Role
from accounts.models import User
from orders.models import Customer, Order
from orders.selling.change import set_rule
from tests.browser.conftest import NARROW, Desk, Opens
from tests.makers import make_service, make_user
from tests.orders.customers.shops import make_customer

LINK = "https://instagram.com/lumen.studio"


def sells(by: User, percent: str = "50") -> None:
    set_rule(customer=None, price_list=None, service=None, percent=Decimal(percent), plus=Decimal(0), step=Decimal(0),
             by=by)  # fmt: skip


@pytest.mark.parametrize("width", [None, NARROW], ids=["laptop", "phone"])
def test_what_they_pay_stands_beside_the_form_while_one_types(desk: Desk, opens: Opens, width: Any) -> None:
    manager = make_user(Role.MANAGER)
    sells(manager)
    service, customer = make_service(rate=Decimal("2.80")), make_customer("Northside Gym", credit_limit=Decimal(3))
    page = opens(manager, f"/orders/new/?service={service.upstream_id}", **({"width": width} if width else {}))
    page.get_by_label("Link").fill(LINK)
    page.get_by_label("Quantity").fill("1000")
    receipt = page.locator("#receipt")
    expect(receipt).to_contain_text("They pay")
    expect(receipt).to_contain_text("$4.20")
    expect(receipt).to_contain_text("$1.40, 33 %")
    page.locator("summary", has_text="For a customer").click()
    page.get_by_label("Customer", exact=True).fill("northside gym")
    page.get_by_label("Their reference").fill("INV-2231")
    tick = page.get_by_label("Order it all the same")
    expect(tick).to_be_visible()
    tick.check()
    page.get_by_role("button", name="Place order").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Order")
    order = Order.objects.get()
    assert (order.customer, order.customer_reference, order.sold_for) == (customer, "INV-2231", Decimal("4.20"))
    expect(page.locator("#a-customer")).to_have_text("Northside Gym")


def test_the_register_narrows_as_one_types_and_leads_to_an_order(desk: Desk, opens: Opens) -> None:
    person = make_user()
    for name in ("Northside Gym", "Harbour Coffee"):
        make_customer(name, by=person)
    page = opens(person, "/customers/")
    page.get_by_label("Name or contact").fill("harb")
    expect(page.locator("tbody .cu-name")).to_have_count(1)
    assert "harb" not in page.url
    page.get_by_role("link", name="Harbour Coffee").click()
    page.get_by_role("link", name="New order for them").click()
    expect(page.get_by_label("Customer", exact=True)).to_have_value("Harbour Coffee")


def test_without_a_script_a_customer_is_added_named_and_found(desk: Desk, opens: Opens) -> None:
    person, service = make_user(), make_service()
    page = opens(person, "/customers/new/", script=False)
    page.get_by_label("Name").fill("Studio Lina")
    page.get_by_role("button", name="Add the customer").click()
    assert str(Customer.objects.get()) == "Studio Lina"
    page.goto(page.url.split("/customers")[0] + f"/orders/new/?service={service.upstream_id}")
    page.get_by_label("Link").fill(LINK)
    page.get_by_label("Quantity").fill("1000")
    page.locator("summary", has_text="For a customer").click()
    page.get_by_label("Customer", exact=True).fill("Studio Line")
    page.get_by_role("button", name="Place order").click()
    expect(page.locator("#errors")).to_contain_text("Did you mean “Studio Lina”?")
    page.get_by_label("Customer", exact=True).fill("studio lina")
    page.get_by_role("button", name="Place order").click()
    assert str(Order.objects.get().customer) == "Studio Lina"

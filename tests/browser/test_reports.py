"""Reports in a browser: choose a period, open the table behind the charts, and follow a number to its orders."""

import re
from decimal import Decimal

from django.utils import timezone
from playwright.sync_api import expect

from accounts.access import Role
from orders.models import Customer
from orders.statistics import sales
from tests.browser.conftest import NARROW, Desk, Opens
from tests.makers import make_order, make_service, make_user


def sell(count: int) -> None:
    """So many completed orders of today, with a price, for a customer."""
    service, by = make_service(), make_user()
    customer = Customer.objects.create(name="Harbour Coffee", created_by=by)
    for n in range(count):
        make_order("completed", service=service, by=by, customer=customer, charge=Decimal(n + 1) / 7, currency="USD",
                   sold_for=Decimal(n + 1), remains=0)  # fmt: skip


def test_a_number_is_followed_from_the_chart_to_its_orders(desk: Desk, opens: Opens) -> None:
    sell(3)
    sales.fold()
    page = opens(make_user(Role.OWNER), "/orders/")
    page.get_by_role("link", name="Reports").first.click()
    page.get_by_role("navigation", name="Period").get_by_role("link", name="7 days").click()
    expect(page.get_by_role("heading", name="Money by day")).to_be_visible()
    page.get_by_text("Show as a table: 7 days").click()
    table = page.get_by_role("table", name="Figures by day")
    today = table.get_by_role("row").filter(has_text=f"{timezone.now():%-d %B %Y}")
    expect(today).to_contain_text("$0.86")
    today.get_by_role("link", name="3", exact=True).click()
    expect(page).to_have_url(re.compile(r"/orders/\?from=.*&to="))
    expect(page.locator("tr.row")).to_have_count(3)


def test_a_report_is_chosen_and_split_without_script_on_a_phone(desk: Desk, opens: Opens) -> None:
    sell(2)
    page = opens("operator", "/reports/", width=NARROW, script=False)
    page.get_by_label("Drawn").select_option("week")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_role("heading", name="Money by week")).to_be_visible()
    page.get_by_role("navigation", name="Split by").get_by_role("link", name="Customers").click()
    expect(page.get_by_role("rowheader", name="Harbour Coffee")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_a_report_is_saved_for_the_team_and_found_again(desk: Desk, opens: Opens) -> None:
    sell(2)
    page = opens(make_user(Role.OWNER), "/reports/?period=7&split=customer")
    page.locator("summary", has_text="Save").click()
    page.get_by_label("Name").fill("Customers, last week")
    page.get_by_label("The team sees it too").check()
    page.get_by_role("button", name="Save report").click()
    expect(page).to_have_url(re.compile(r"period=7&split=customer&view=\d+"))
    page.get_by_role("navigation", name="Period").get_by_role("link", name="28 days").click()
    expect(page.get_by_role("button", name="Save changes")).to_be_visible()
    other = opens("operator", "/reports/saved/", width=NARROW, script=False)
    other.get_by_role("link", name="Customers, last week").click()
    expect(other.get_by_role("heading", name="Customers")).to_be_visible()

"""The page of what was due in old books, and the tick for a row that cannot be read, as a person meets them."""

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import ViewportSize, expect

from accounts.access import Role
from catalog.models import Service
from orders.aftersale import ask
from orders.models import Order, Task
from orders.placing.old_books import LastWorker, notice
from orders.rules.statuses import Status
from tests.browser.conftest import NARROW, Desk, Opens
from tests.browser.test_every_page import LONG, TWO_LOOKS, faults, picture
from tests.makers import make_order, make_service, make_user, place_order
from tests.orders.placing.test_old_books import age


def old_desk() -> Order:
    """A desk with three orders, a refill and a cancel that were due three hours ago; the first order."""
    boss, wordy = make_user(Role.MANAGER, name="Bo"), make_service(name=LONG)
    first = place_order(service=wordy, link="https://www.instagram.com/" + "atelier.miro.ceramics" * 8)
    place_order(service=wordy)
    place_order()
    ask.ask(make_order(Status.COMPLETED), Task.Kind.REFILL, by=boss)
    ask.ask(make_order(Status.IN_PROGRESS), Task.Kind.CANCEL, by=boss)
    assert notice(timezone.now(), LastWorker(age(timedelta(hours=3))))
    return first


@pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
def test_a_manager_releases_what_is_ticked(desk: Desk, opens: Opens, script: bool) -> None:
    first = old_desk()
    page = opens("manager", "/orders/", script=script, width=NARROW)
    page.get_by_role("link", name="Decide about what was due").click()
    page.get_by_label(f"Order {first.pk}", exact=True).check()
    page.get_by_role("button", name="Send the ticked").click()
    expect(page.get_by_role("main")).to_contain_text("1 will be sent, 4 will not")
    expect(page.locator("#trouble")).not_to_contain_text("may be old")


@pytest.mark.slow
@pytest.mark.parametrize(("width", "dark"), TWO_LOOKS, ids=["wide", "narrow-dark"])
def test_it_is_accessible_and_within_its_borders(desk: Desk, opens: Opens, width: ViewportSize, dark: bool) -> None:
    old_desk()
    service = make_service()
    Service.objects.filter(pk=service.pk).update(unread_since=timezone.now(), unread_why="its rate is not an amount")
    page, found = opens("manager", "/orders/sending/due/", width=width, dark=dark), list[str]()
    for name, path in (
        ("due-then", "/orders/sending/due/"), ("old-orders", "/orders/"), ("unread-services", "/services/"),
        ("unread-form", f"/orders/new/?service={service.upstream_id}"),
    ):  # fmt: skip
        page.goto(desk.url + path)
        found.extend(faults(page, name))
        picture(page, name)
    assert not found, "\n".join(found)

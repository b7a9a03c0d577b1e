"""Many orders from a paste, as a person does it: paste, mend, answer, place, stop; with a script and without."""

import re

import pytest
from playwright.sync_api import ViewportSize, expect

from accounts.models import User
from catalog.models import Service
from orders.models import MassJob, Order
from tests.browser.conftest import NARROW, WIDE, Desk, Opens
from tests.browser.test_every_page import faults
from tests.makers import make_user, sold_by


@pytest.fixture
def ana(desk: Desk) -> User:
    return make_user(name="Ana")


@pytest.fixture
def text(desk: Desk) -> str:
    """Three lines: one that can go, one that is too small, and the first once more."""
    service: Service = sold_by(desk.phone)
    where = f"{service.upstream_id} | https://example.com"
    return f"{where}/a | 1000 | | H-1\n{where}/b | 0\n{where}/a/ | 1000"


@pytest.mark.parametrize(("script", "width"), [(True, WIDE), (False, NARROW)])
def test_from_the_paste_to_the_receipt(
    desk: Desk, opens: Opens, ana: User, text: str, script: bool, width: ViewportSize
) -> None:
    page = opens(ana, "/orders/mass/", script=script, width=width)
    page.get_by_label("Orders, one a line").fill(text)
    assert not (script and [*faults(page, "paste")])
    page.get_by_role("button", name="Check", exact=True).click()
    expect(page.get_by_role("heading", name="Check 3 lines")).to_be_visible()
    assert not (script and [*faults(page, "check")])
    page.get_by_role("button", name=re.compile("Make it")).click()
    page.get_by_role("button", name="Yes to all 3").click()
    page.get_by_role("checkbox", name="Order it as well").click()
    expect(page).to_have_url(re.compile("#l3$"))
    expect(page.get_by_role("button", name="Place 3 orders")).to_be_visible()
    page.get_by_role("checkbox", name="Order line 3").click()
    page.get_by_role("button", name="Place 2 orders").click()
    expect(page.get_by_role("heading", name="2 orders")).to_be_visible()
    assert not (script and [*faults(page, "receipt")])
    page.get_by_role("button", name=re.compile("Stop the 2 waiting")).click()
    page.get_by_role("button", name="Drop the 2").click()
    expect(page.get_by_text("Nothing of them was sent.")).to_be_visible()
    assert desk.upstream.calls("add") == 0
    assert (Order.objects.count(), MassJob.objects.get().left) == (2, 1)


def test_a_refused_paste_keeps_its_text(opens: Opens, ana: User) -> None:
    page = opens(ana, "/orders/mass/")
    page.get_by_label("Orders, one a line").fill("Monday orders for Lina")
    page.get_by_role("button", name="Check", exact=True).click()
    expect(page.locator("#why")).to_contain_text("no line has a link in it")
    expect(page.get_by_label("Orders, one a line")).to_have_value("Monday orders for Lina")

"""A price that moved is seen before it is ordered, and services are chosen by a few keys; with a count of presses."""

import os
import re
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from django.utils import timezone
from playwright.sync_api import Locator, Page, ViewportSize, expect

from accounts.access import Role
from accounts.models import BalanceReading, User
from catalog.changes import hold
from catalog.models import Change, Service
from orders.models import Order, Spending
from panel.alarms.evaluate import evaluate
from panel.alarms.models import Alarm
from panel.upstream.models import Chore
from tests.browser.conftest import NARROW, Desk, Opens
from tests.makers import PASSWORD, make_order, make_service, make_user

LAPTOP: ViewportSize = {"width": 1440, "height": 900}
LINK = "https://instagram.com/lumen.studio"
PICTURES = os.environ.get("PICTURES")


def look(page: Page, name: str) -> None:
    """A picture, for who wants to look."""
    if PICTURES:
        page.screenshot(path=Path(PICTURES) / f"{name}.png")


def moved(service: Service, was: str, now: str) -> Change:
    """The service's rate moved, and nobody has decided about it."""
    Service.objects.filter(pk=service.pk).update(rate=Decimal(now))
    Change.objects.filter(service=service, decided_at=None).delete()
    return Change.objects.create(service=service, moved={"rate": [was, now]}, at=timezone.now())


def assert_on_screen(page: Page, *parts: Locator) -> None:
    """Each of these is whole within the window, without scrolling, and nothing lies over it."""
    height = page.viewport_size["height"] if page.viewport_size else 0
    for part in parts:
        box = part.bounding_box()
        assert box and box["y"] >= 0 and box["y"] + box["height"] <= height, box
        part.click(trial=True, timeout=2_000)


@pytest.mark.slow
@pytest.mark.parametrize("width", [LAPTOP, NARROW], ids=["laptop", "phone"])
def test_a_price_that_jumped_is_seen_agreed_to_and_ordered(desk: Desk, opens: Opens, width: ViewportSize) -> None:
    """Words, Enter, link, quantity, tick, Place: two presses of the pointer."""
    service, person = make_service(name="Followers, real"), make_user()
    change = moved(service, "0.90", "1.35")
    hold(change.pk, by=make_user(Role.MANAGER, name="Mira"), at=timezone.now())
    moved(service, "1.35", "2.70")
    page = opens(person, "/orders/new/", width=width)
    page.get_by_label("Service").fill("real foll")
    page.keyboard.press("Enter")
    row = page.locator(".pick", has=page.locator(f"#s{service.upstream_id}"))
    expect(row.locator(".f-rate")).to_contain_text("$1.35")
    expect(row.locator(".f-rate")).to_contain_text("100 %")
    hold_tick, price_tick = page.get_by_label("Order although it is on hold"), page.get_by_label("Order at $2.70")
    place = page.get_by_role("button", name="Place order")
    expect(price_tick).to_be_visible()
    expect(page.get_by_label("Link")).to_be_focused()
    page.keyboard.insert_text(LINK)
    page.get_by_label("Quantity").fill("1000")
    expect(page.locator("#receipt")).to_contain_text("≈ $2.70")
    page.evaluate("scrollTo(0, 0)")
    look(page, f"jump-{width['width']}")
    assert_on_screen(page, hold_tick, price_tick, place)
    place.click()
    expect(page.locator("#errors")).to_contain_text("rose from $1.35 to $2.70")
    look(page, f"jump-asked-{width['width']}")
    assert not Order.objects.exists()
    expect(page.get_by_label("Link")).to_have_value(LINK)
    expect(page.get_by_label("Quantity")).to_have_value("1000")
    hold_tick.check()
    price_tick.check()
    moved(service, "1.35", "2.97")  # meanwhile
    place.click()
    expect(page.locator("#errors")).to_contain_text("to $2.97")
    assert not Order.objects.exists()
    expect(hold_tick).to_be_checked()
    page.get_by_label("Order at $2.97").check()
    place.click()
    page.wait_for_url(re.compile(r"/orders/\d+/$"))
    assert Order.objects.get().rate_seen == Decimal("2.97")
    expect(page.locator("main")).to_contain_text("after its price rose from $1.35")


def test_a_service_is_chosen_by_keys_and_the_list_folds(desk: Desk, opens: Opens) -> None:
    person = make_user()
    services = [make_service(name=f"Likes x{name}", category="Instagram › Likes") for name in "abcdefghijkl"]
    starred, used, team = services[11], services[9], services[7]
    person_order = make_order("completed", by=person, service=used)
    for n in range(3):
        make_order("completed", by=make_user(), service=team, link=f"{LINK}{n}")
    starred.favourites.create(user=person)
    page = opens(person, "/orders/new/", width=LAPTOP)
    look(page, "picker")
    titles = page.locator(".f-group")
    expect(titles).to_have_text(["Your favourites", "You used lately", "The team uses most", "Others"])
    assert [row.get_attribute("value") for row in page.locator(".pick .check").all()][:3] == [
        str(service.upstream_id) for service in (starred, used, team)
    ]
    page.get_by_label("Service").focus()
    for _ in range(3):
        page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowUp")
    expect(page.locator(f"#s{used.upstream_id}")).to_be_focused()
    assert not page.locator(".pick :checked").count()
    page.keyboard.press("Enter")
    expect(page.locator(".pick:visible")).to_have_count(1)
    expect(page.locator("#receipt")).to_contain_text(used.name)
    look(page, "picker-folded")
    page.get_by_role("button", name="Choose another").click()
    expect(page.locator(".pick:visible")).to_have_count(12)
    page.keyboard.type("likes xd")
    page.keyboard.press("Enter")  # before the answer may have come
    expect(page.locator("#receipt")).to_contain_text("Likes xd")
    expect(page.locator(".pick:visible")).to_have_count(1)

    # An id chooses the service that has it, and no other that only begins like it.
    page.get_by_role("button", name="Choose another").click()
    page.keyboard.type(str(used.upstream_id)[:-1])
    page.keyboard.press("Enter")
    expect(page.locator("#found")).to_have_attribute("data-q", str(used.upstream_id)[:-1])
    expect(page.locator("#receipt")).to_contain_text("Likes xd")
    expect(page.get_by_label("Service")).to_be_focused()
    page.keyboard.type(str(used.upstream_id)[-1])
    page.keyboard.press("Enter")
    expect(page.locator("#receipt")).to_contain_text(used.name)
    assert person_order.pk


def test_a_vanished_service_offers_its_category_and_a_cheaper_one_is_taken(desk: Desk, opens: Opens) -> None:
    gone = make_service(name="Gone", category="TikTok › Views", active=False)
    dear = make_service(name="Dear", category="TikTok › Views", rate=Decimal("1.00"))
    cheap = make_service(name="Cheap", category="TikTok › Views", rate=Decimal("0.80"))
    make_service(name="Elsewhere", category="Instagram › Views")
    page = opens("operator", f"/orders/new/?service={gone.upstream_id}", width=LAPTOP)
    expect(page.locator(".f-group")).to_have_text("On sale in TikTok › Views")
    expect(page.locator(".pick:visible")).to_have_count(3)
    page.locator(f"#s{dear.upstream_id}").check()
    page.get_by_label("Link").fill("https://www.tiktok.com/@lumen/video/7301244817")
    page.get_by_label("Quantity").fill("1000")
    expect(page.locator("#cheaper")).to_contain_text("≈ $0.80 for this order")
    look(page, "cheaper")
    page.get_by_role("button", name=f"Take {cheap.upstream_id} instead").click()
    expect(page.locator("#receipt")).to_contain_text("≈ $0.80")
    expect(page.get_by_label("Quantity")).to_have_value("1000")
    assert not Order.objects.exists()
    page.get_by_label("Quantity").press("Enter")
    page.wait_for_url(re.compile(r"/orders/\d+/$"))
    assert Order.objects.get().service == cheap


@pytest.mark.slow
def test_a_manager_has_the_catalog_synced_now(desk: Desk, opens: Opens) -> None:
    Chore.objects.create(name="catalog", due_at=timezone.now() + timedelta(minutes=15), done_at=timezone.now())
    page = opens("manager", "/services/", width=LAPTOP)
    expect(page.locator("#sync")).to_contain_text("Synced")
    page.get_by_role("button", name="Sync now").click()
    expect(page.locator("#sync")).to_contain_text("Sync asked for by")
    expect(page.get_by_role("button", name="Sync now")).to_be_disabled()
    look(page, "sync-asked")
    calls = desk.upstream.calls("services")
    desk.work()
    assert desk.upstream.calls("services") == calls + 1
    expect(page.get_by_role("link", name="Show the new list")).to_be_visible()
    look(page, "synced")


def test_a_balance_that_ends_tonight_is_told_and_the_threshold_is_set_on_the_desk(desk: Desk, opens: Opens) -> None:
    """Bell, alarm's page, balance: the manager reads it in two presses; a new time is set in three."""
    now = timezone.now()
    BalanceReading.objects.create(amount=Decimal(30), first_asked_at=now, asked_at=now)
    Spending.objects.create(pk=1, at=now, since=now - timedelta(hours=24), spent=2400, queued=0)
    page = opens("manager", "/upstream/settings/", width=LAPTOP)
    look(page, "settings")
    soon = f"{now + timedelta(hours=2):%H:%M} UTC"
    page.get_by_label("Balance must last until").fill(soon)
    page.get_by_label("Low balance").fill("12,34,5")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#errors")).to_contain_text("Write a number, such as 20")
    expect(page.get_by_label("Balance must last until")).to_have_value(soon)
    look(page, "settings-wrong")
    page.get_by_label("Low balance").fill("25")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("main")).to_contain_text("Saved.")
    expect(page.locator("main")).to_contain_text("Before: $20.00.")
    look(page, "settings-saved")
    assert evaluate(now)
    assert f"before {soon}" in Alarm.objects.get(kind="runway").sentence
    page.goto(f"{desk.url}/alarms/")
    expect(page.locator("main")).to_contain_text("The balance of $30.00 ends at about")
    look(page, "runway-alarm")


def test_the_time_zone_is_the_browsers_at_the_first_sign_in(desk: Desk, opens: Opens, browser: object) -> None:
    person = make_user()
    context = browser.new_context(timezone_id="Asia/Tokyo", viewport=LAPTOP)  # type: ignore[attr-defined]
    page = context.new_page()
    page.goto(f"{desk.url}/accounts/login/")
    page.get_by_label("Username").fill(person.username)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url("**/orders/")
    expect(page.locator("html")).to_have_attribute("data-zone", "Asia/Tokyo")
    page.goto(f"{desk.url}/accounts/preferences/")
    look(page, "preferences")
    page.get_by_label("Time zone").fill("berlin")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("html")).to_have_attribute("data-zone", "Europe/Berlin")
    context.close()
    assert User.objects.get(pk=person.pk).time_zone == "Europe/Berlin"

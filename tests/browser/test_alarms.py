"""The bell and the alarms page stay true while open; a person presses Seen, and chooses, without a script too."""

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from accounts.access import Role
from panel.alarms.models import Alarm, Recipient, Sighting
from tests.browser.conftest import NARROW, Desk, Opens
from tests.makers import make_user

LOW = {"balance": "12.30", "below": "20"}


@pytest.mark.slow
def test_an_alarm_comes_to_open_pages_and_seen_takes_it_off_the_bell(desk: Desk, opens: Opens) -> None:
    ana = make_user(Role.VIEWER, name="Ana")
    elsewhere, page = opens(ana, "/team/"), opens(ana, "/alarms/")
    expect(page.get_by_role("heading", name="No open alarms")).to_be_visible()
    alarm = Alarm.objects.create(kind="balance", facts=LOW, raised_at=timezone.now())
    for somebody in (page, elsewhere):
        somebody.keyboard.press("Shift")  # is at it, so their page asks often
    expect(page.get_by_text("The balance is $12.30")).to_be_visible()
    expect(page.locator("#heard")).to_contain_text("1 open alarm.")
    expect(elsewhere.locator("#bell .tag")).to_contain_text("1")
    page.get_by_role("button", name="Seen").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("Seen by Ana.")).to_be_visible()
    elsewhere.keyboard.press("Shift")
    expect(elsewhere.locator("#bell .tag")).to_have_count(0)
    assert Sighting.objects.get().alarm_id == alarm.pk


def test_choosing_needs_no_script(desk: Desk, opens: Opens) -> None:
    mira = make_user(Role.MANAGER, email="mira@example.com")
    page = opens(mira, "/accounts/preferences/", script=False, width=NARROW)
    page.get_by_role("link", name="Alarm notifications").click()
    mine = page.locator("form.panel").first
    mine.get_by_label("Low balance").check()
    mine.get_by_label("From", exact=True).fill("22:00")
    mine.get_by_role("button", name="Save").click()
    expect(page.locator("#errors")).to_contain_text("Fill in both the beginning and the end")
    mine.get_by_label("Until").fill("07:00")
    mine.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    assert Recipient.objects.of(mira).kinds == ["balance"]
    page.get_by_label("Time zone").fill("tokyo")
    page.get_by_role("button", name="Save for the chat").click()
    expect(page.get_by_text("This applies to alarms in the chat from now on")).to_be_visible()
    assert Recipient.objects.chat().time_zone == "Asia/Tokyo"

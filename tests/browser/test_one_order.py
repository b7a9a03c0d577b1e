"""One order between two people: who looks, who has it, what they say, how far it is; and on within the list."""

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from accounts.access import Role
from orders.models import Order, Presence
from orders.rules.statuses import Status
from tests.browser.conftest import NARROW, Desk, Opens, polled, tells
from tests.browser.test_every_page import faults, picture
from tests.makers import make_order, make_service, make_user

HOSTILE = "</script><b>not bold</b> \u202eright to left "


@pytest.mark.slow
def test_two_people_at_one_order(desk: Desk, opens: Opens) -> None:
    now, service = timezone.now(), make_service()
    ana = make_user(Role.OPERATOR, username="ana", name="Ana")
    tomas = make_user(Role.OPERATOR, username="tomas", name="Tomás Rey")
    older, order = (make_order(Status.IN_PROGRESS, service=service, by=ana, quantity=1000) for _ in range(2))
    for ago, remains in ((40, 1000), (30, 900), (20, 450), (10, 400)):
        tells(order, remains=remains, asked_at=now - timedelta(minutes=ago))

    hers = opens(ana, "/orders/?status=in_progress")
    hers.get_by_role("link", name=str(order.pk), exact=True).click()
    expect(hers.get_by_role("img", name="Delivered over time: 0 at first, 600 of 1,000")).to_be_visible()
    typed = hers.get_by_label("Write a note")
    typed.fill("Half a sentence")

    his = opens(tomas, f"/orders/{order.pk}/", dark=True, width=NARROW)
    expect(his.get_by_text("Ana is looking at this too")).to_be_visible()
    hers.keyboard.press("Shift")  # who is at it has a page that asks often
    expect(hers.get_by_text("Tomás Rey is looking at this too")).to_be_visible()
    expect(typed).to_have_value("Half a sentence")
    expect(typed).to_be_focused()

    hers.get_by_role("button", name="Take it").click()
    expect(hers.get_by_text("Ana assigned this order to themselves.")).to_be_visible()
    his.keyboard.press("Shift")
    expect(his.get_by_text("Ana assigned this order to themselves.")).to_be_visible()
    hers.get_by_label("Write a note").fill(HOSTILE + "@tomas, please look.\nUntil Monday.")
    hers.get_by_role("button", name="Add note").click()
    expect(hers.get_by_text("Tomás Rey will find it under Notes to me.")).to_be_visible()
    note = his.locator(".note-t")
    expect(note).to_have_text(HOSTILE + "@tomas, please look.\nUntil Monday.")
    expect(note.locator("b")).to_have_text(["@tomas"])

    his.get_by_label("Write a note").fill("x" * 5_001)
    his.get_by_role("button", name="Add note").click()
    field = his.get_by_label("Write a note")
    expect(field).to_be_focused()
    expect(field).to_have_accessible_description(
        "The note has 5,001 characters; at most 5,000 can be kept. Shorten it. @name calls a teammate."
    )
    tells(order, remains=0, status="completed")
    polled(his)
    expect(field).to_have_value("x" * 5_001)
    expect(his.get_by_role("img", name="1,000 of 1,000 at the last report")).to_be_visible()
    shown = his.get_by_text('{"status": "completed"}')
    field.fill("Done.\n" * 12)
    his.get_by_role("button", name="Add note").click()
    unfold = his.get_by_text("Show all 71 characters")
    unfold.click()
    expect(shown).not_to_be_visible()
    his.get_by_text("What the supplier sent").first.click()
    expect(shown).to_be_visible()
    tells(order, remains=0, status="completed", start_count=7)
    polled(his)
    expect(his.get_by_text("Fold", exact=True)).to_be_visible()
    expect(shown).to_be_visible()

    found: list[str] = []
    for page, name in ((hers, "one-order"), (his, "one-order")):
        found += faults(page, name)
        picture(page, name)
    assert not found, "\n".join(found)

    hers.get_by_role("link", name="Next").click()
    expect(hers.get_by_role("heading", name=f"Order {older.pk}")).to_be_visible()
    hers.get_by_role("link", name="Back to your list").click()
    expect(hers).to_have_url(desk.url + "/orders/?status=in_progress")
    Presence.objects.filter(user=ana).update(seen_at=now - timedelta(minutes=1))  # as if half a minute had gone by
    his.keyboard.press("Shift")
    expect(his.get_by_text("Ana is looking at this too")).to_have_count(0)
    his.goto(desk.url + "/mentions/")
    his.get_by_role("link", name=f"order {order.pk}").click()
    expect(his.locator("li:target")).to_contain_text("Until Monday.")


def test_it_all_works_without_a_script(desk: Desk, opens: Opens) -> None:
    order = make_order(Status.IN_PROGRESS)
    ana = make_user(Role.OPERATOR, username="ana", name="Ana")
    tomas = make_user(Role.OPERATOR, username="tomas", name="Tomás")
    page = opens(tomas, f"/orders/{order.pk}/", script=False)
    Order.objects.filter(pk=order.pk).update(assigned_to=ana)
    page.get_by_role("button", name="Take it").click()
    expect(page.get_by_role("alert").last).to_contain_text("Ana has this order now")
    page.get_by_role("button", name="Take it").click()
    expect(page.get_by_text("Tomás took this order over from Ana.")).to_be_visible()
    page.get_by_label("Assign it to").select_option(label="Nobody")
    page.get_by_role("button", name="Assign").click()
    expect(page.get_by_text("it is assigned to nobody")).to_be_visible()
    page.get_by_label("Write a note").fill("Nothing moves.")
    page.get_by_role("button", name="Add note").click()
    expect(page.locator(".note-t")).to_have_text("Nothing moves.")

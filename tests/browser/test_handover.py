"""A night between two shifts: who leaves writes a note, a colleague deals with some, who comes knows where they stand.

And two people at one order, each in a browser of their own.
"""

import re
import uuid
from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from accounts.access import Role
from accounts.models import User
from orders.aftersale.ask import ask
from orders.models import Order, Presence, ShiftNote, Task
from orders.placing import review
from orders.teamwork.assignment import assign
from orders.teamwork.notes import write_note
from tests.browser.conftest import Desk, Opens, says_yes, tells
from tests.browser.hands import Hands
from tests.browser.test_prices import LAPTOP
from tests.makers import make_user, place_order, sold_by


@pytest.mark.slow
def test_the_morning_after_a_night(desk: Desk, opens: Opens) -> None:
    """Seven orders of the evening. In the morning: one key chord, one click, under a minute."""
    ana, tomas = make_user(name="Ana"), make_user(Role.MANAGER, name="Tomás")
    ben = make_user(Role.MANAGER, name="Ben", username="ben")
    service = sold_by(desk.phone, refill=True)
    orders = [place_order(by=ana, service=service, link=f"https://instagram.com/p/{n}/") for n in range(6)]
    Task.objects.update(due_at=timezone.now())
    desk.work()
    desk.upstream.will("lose_answer", action="add")
    lost = place_order(by=ana, service=service, link="https://instagram.com/p/lost/")
    Task.objects.filter(order=lost).update(due_at=timezone.now())
    desk.work()

    # The evening: Ben has gone, and Ana leaves a note.
    User.objects.filter(pk=ben.pk).update(left_at=timezone.now(), seen_at=timezone.now())
    page = opens(ana, "/activity/since/", width=LAPTOP)
    words = f"Harbour Coffee wrote twice about #{orders[0].pk}. @Ben, call them."
    page.get_by_label("What should they know?").fill(words)
    page.get_by_role("button", name="Hand over").click()
    expect(page.get_by_text("Your note is written.")).to_be_visible()

    # The night, and what Tomás deals with.
    for order in orders:
        order.refresh_from_db()
    ends = (("partial", 240), ("refunded", 1000), ("partial", 9), ("partial", 5), ("completed", 0))
    for order, (status, remains) in zip(orders, ends, strict=False):
        tells(
            order, status=status, remains=remains, charge=Decimal(0) if status == "refunded" else order.expected_charge
        )
    Order.objects.filter(pk=orders[5].pk).update(late_from=timezone.now(), status="in_progress")
    review.put_in_review([lost.tasks.get()], "the answer was lost", at=timezone.now())
    ask(Order.objects.for_table().get(pk=orders[2].pk), "refill", by=tomas)
    write_note(orders[3], "@ben they are content with it.", uuid.uuid4(), by=tomas)
    assign(lost, ben, saw=None, by=tomas)

    # The morning.
    page = opens(ben, "/orders/", width=LAPTOP)
    hands = Hands(page)
    expect(page.get_by_role("link", name=re.compile("Activity ?, new for you: 3"))).to_be_visible()
    hands.type("g", "l")
    page.wait_for_url("**/activity/since/")
    expect(page.locator(".lead")).to_contain_text("3 things still need a person; 3 others were dealt with by Tomás.")
    note = page.get_by_role("region", name="Ana’s note to the shift")
    expect(note).to_contain_text("Harbour Coffee wrote twice")
    expect(note.get_by_role("link", name=f"#{orders[0].pk}")).to_be_visible()
    badly = page.get_by_role("region", name=re.compile("Ended badly"))
    expect(badly.locator(".rows").first.get_by_role("link")).to_have_text([str(orders[1].pk), str(orders[0].pk)])
    expect(badly).to_contain_text("Colleagues dealt with 2 more: Tomás 2")
    expect(page.get_by_role("region", name=re.compile("Became late"))).to_contain_text(str(orders[5].pk))
    expect(page.get_by_role("region", name=re.compile("Assigned to me"))).to_contain_text(str(lost.pk))
    expect(page.get_by_role("region", name=re.compile("Notes to me"))).to_contain_text("they are content with it")
    hands.press("button", "I have read it")
    expect(page.get_by_text("Earlier notes to the shift")).to_be_visible()
    assert (hands.clicks, hands.seconds < 60) == (1, True), hands.seconds
    assert ShiftNote.objects.get().readers.get(user=ben).read_at
    expect(page.get_by_role("link", name=re.compile("new for you"))).to_have_count(0)

    page = opens(ana, "/activity/since/", width=LAPTOP)
    page.get_by_text("Earlier notes to the shift").click()
    expect(page.get_by_role("region", name="Your note to the shift")).to_contain_text("Ben read it")


def test_two_people_at_one_order(desk: Desk, opens: Opens) -> None:
    """Ana asks herself whether to cancel; Tomás sees it in the list, is told, is asked once more, and does it."""
    ana, tomas = make_user(name="Ana"), make_user(name="Tomás")
    order = place_order(by=ana, service=sold_by(desk.phone))
    Task.objects.update(due_at=timezone.now())
    desk.work()
    order.refresh_from_db()
    hers = opens(ana, order.get_absolute_url(), width=LAPTOP)
    hers.get_by_role("button", name="Cancel").click()
    expect(hers.get_by_role("button", name="Ask to cancel")).to_be_visible()
    his = opens(tomas, "/orders/", width=LAPTOP)
    row = his.locator(f"#order-{order.pk}")
    expect(row.locator("[title^='Ana has this order open']")).to_be_visible()
    row.get_by_role("button", name=re.compile("Cancel")).click()
    expect(row.locator(".ask")).to_contain_text("Ana has this order open, and is about to cancel it.")
    says_yes(his, "Ask to cancel", "Enter")
    his.wait_for_url("**/cancellation/question/")
    expect(his.locator("#ask-s")).to_contain_text("Ana has this order open, and is about to cancel it.")
    assert not Task.objects.filter(kind="cancel").exists()
    his.get_by_role("button", name="Ask to cancel").click()
    his.wait_for_url("**/orders/")
    assert Task.objects.get(kind="cancel").asked_by == tomas
    hers.get_by_role("button", name="Ask to cancel").click()  # too late
    expect(hers.get_by_text(re.compile("Cancel was asked for by Tomás")).first).to_be_visible()
    assert Task.objects.filter(kind="cancel").count() == 1
    assert not Presence.objects.filter(user=tomas, seen_at__lt=timezone.now() - timedelta(hours=1)).exists()


def test_many_are_assigned_from_the_list_and_the_next_is_taken_by_keys(desk: Desk, opens: Opens) -> None:
    ana, tomas = make_user(name="Ana"), make_user(name="Tomás")
    service = sold_by(desk.phone)
    orders = [place_order(by=ana, service=service, link=f"https://instagram.com/p/{n}/") for n in range(3)]
    page = opens(ana, "/orders/", width=LAPTOP)
    for order in orders[:2]:
        page.locator(f"#o{order.pk}-t").check()
    page.get_by_role("button", name="Assign…").click()
    expect(page.get_by_role("heading", name="Assign 2 orders")).to_be_visible()
    assign(orders[0], ana, saw=None, by=ana)
    page.get_by_label("Assign them to").select_option("Tomás")
    page.get_by_role("button", name="Assign 2 orders").click()
    told = "1 order assigned to Tomás; 1 was taken by Ana meanwhile and left alone."
    expect(page.get_by_text(told)).to_be_visible()

    Order.objects.filter(pk=orders[2].pk).update(status="review")
    page = opens(tomas, "/orders/", width=LAPTOP)
    expect(page.get_by_role("link", name=re.compile("Activity ?, new for you: 1"))).to_be_visible()
    hands = Hands(page)
    hands.type("g", "x")
    expect(page.get_by_role("button", name="Take it")).to_be_focused()
    hands.type("<Enter>")
    page.wait_for_url(f"**/orders/{orders[2].pk}/")
    expect(page.get_by_text(f"Order {orders[2].pk} is yours now.")).to_be_visible()
    assert hands.clicks == 0

"""The jobs of an operations day, from the page where one sits to what one knows or has done, and what each costs.

`hands.py` counts clicks and keys. Sixty numbers in a message are in test_answers.py, by the same hands.
"""

import re
from datetime import timedelta
from decimal import Decimal

from django.utils import timezone
from playwright.sync_api import expect

from accounts.access import Role
from accounts.balance import read_balance
from accounts.desk_settings import change, current, plain
from catalog.changes import hold
from orders.models import Order
from orders.rules.statuses import Status
from orders.statistics.spending import measure
from panel.alarms.evaluate import evaluate
from panel.alarms.models import Alarm
from tests.browser.conftest import Desk, Opens
from tests.browser.hands import Hands
from tests.browser.test_prices import LAPTOP, moved
from tests.makers import PASSWORD, make_order, make_service, make_user, sold_by

LINK = "https://www.instagram.com/lumen.studio/"


def test_the_first_order(working: Desk, opens: Opens) -> None:
    """A new colleague, a customer's link, and an order that the supplier has: one click, under a minute."""
    service, person = sold_by(working.phone), make_user()
    page = opens("stranger", "/", width=LAPTOP)
    hands = Hands(page)
    expect(page.get_by_label("Username or e-mail")).to_be_focused()
    hands.type(person.username, "<Tab>", PASSWORD, "<Enter>")
    page.wait_for_url("**/orders/")
    hands.press("link", "New order")
    page.wait_for_load_state()
    expect(page.get_by_label("Service")).to_be_focused()
    hands.type(str(service.upstream_id), "<Enter>")
    expect(page.get_by_label("Link")).to_be_focused()
    hands.paste(LINK)
    hands.type("<Tab>", "1000")
    expect(page.locator("#receipt")).to_contain_text("≈ $")
    hands.type("<Enter>")
    expect(page.locator("#order")).to_contain_text(re.compile("Pending|Processing|In progress"))
    assert Order.objects.get().upstream_id
    assert (hands.clicks, hands.seconds < 60) == (1, True), hands.seconds


def test_did_it_go_through(desk: Desk, opens: Opens) -> None:
    """The answer is lost and the supplier is away; the customer asks. Where it stands, and the words: two clicks."""
    ana = make_user(name="Ana")
    order = make_order(service=sold_by(desk.phone), by=ana, link=LINK)
    others = [make_order("completed", by=ana, link=f"{LINK}p/{n}/") for n in range(5)]
    desk.upstream.will("lose_answer", action="add")
    desk.work()
    desk.upstream.stop()
    page = opens(ana, "/orders/", width=LAPTOP)
    hands = Hands(page)
    hands.type("/")
    expect(page.locator("#find")).to_be_focused()
    hands.paste(LINK)
    hands.type("<Enter>")
    row = page.locator(f"#order-{order.pk}")
    expect(page.locator(f"#order-{others[0].pk}")).to_have_count(0)
    expect(row).to_contain_text("Confirming")
    expect(row).to_contain_text("same request id")
    hands.page.locator(f"#o{order.pk}").click()
    expect(page.locator("#order")).to_contain_text("Confirming")
    hands.press("button", "Copy the words for the customer")
    assert "supplier" not in hands.clipboard()
    assert "being prepared" in hands.clipboard() or "in preparation" in hands.clipboard(), hands.clipboard()
    assert (hands.clicks, hands.seconds < 15) == (2, True), hands.seconds

    # It comes back: the page says so by itself, and there is one order.
    desk.upstream.restart()
    order.tasks.update(due_at=timezone.now())
    desk.work()
    expect(page.locator("#order")).to_contain_text("Pending")
    assert [found["link"] for found in desk.upstream.orders()] == [LINK]


def test_a_price_that_jumped(desk: Desk, opens: Opens) -> None:
    """A colleague held the service and its price doubled since: seen while ordering, agreed to by two ticks."""
    service = make_service(name="Followers, real")
    rise = moved(service, "0.90", "1.35")
    hold(rise.pk, by=make_user(Role.MANAGER, name="Mira"), at=timezone.now())
    moved(service, "1.35", "2.70")
    page = opens("operator", "/orders/", width=LAPTOP)
    hands = Hands(page)
    hands.type("n")
    expect(page.get_by_label("Service")).to_be_focused()
    hands.type("real foll", "<Enter>")
    expect(page.locator(".pick", has=page.locator(f"#s{service.upstream_id}"))).to_contain_text("100 %")
    expect(page.get_by_label("Link")).to_be_focused()
    hands.paste(LINK)
    hands.type("<Tab>", "1000")
    expect(page.locator("#receipt")).to_contain_text("≈ $2.70")
    page.get_by_label("Order although it is on hold").check()
    page.get_by_label("Order at $2.70").check()
    hands.press("button", "Place order")
    page.wait_for_url(re.compile(r"/orders/\d+/$"))
    assert Order.objects.get().rate_seen == Decimal("2.70")
    assert (hands.clicks, hands.seconds < 30) == (3, True), hands.seconds


def test_the_balance_ends_tonight(desk: Desk, opens: Opens) -> None:
    """The bell, the alarm, the balance: what is left, until when, and at which pace, in two clicks."""
    now, service, manager = timezone.now(), make_service(rate=Decimal(10)), make_user(Role.MANAGER)
    for n in range(24):
        make_order(Status.COMPLETED, service=service, by=manager, quantity=10_000, charge=Decimal(100),
                   link=f"{LINK}p/{n}/", created_at=now - timedelta(hours=n, minutes=1))  # fmt: skip
    until = f"{now + timedelta(hours=6):%H:%M} UTC"
    change({"lasts_until": until}, {"lasts_until": plain(current().lasts_until)}, by=manager, at=now)
    desk.upstream.set_balance("250")
    measure(now)
    read_balance(desk.phone)
    evaluate(now)
    page = opens(manager, "/orders/", width=LAPTOP)
    hands = Hands(page)
    expect(page.locator("#bell")).to_contain_text("not seen yet: 1")
    hands.press("link", "Alarms")
    alarm = page.locator(f"#alarm-{Alarm.objects.get(kind='runway').pk}")
    expect(alarm).to_contain_text(f"before {until}")
    alarm.get_by_role("link", name="Open").click()
    expect(page.locator("#runway")).to_contain_text("It lasts about 2 h")
    assert (hands.clicks, hands.seconds < 10) == (2, True), hands.seconds

    # Money is paid in: the alarm ends by itself.
    desk.upstream.set_balance("90000")
    read_balance(desk.phone)
    evaluate(timezone.now())
    page.goto(f"{desk.url}/alarms/")
    expect(page.locator("#bell")).not_to_contain_text("not seen yet")
    expect(page.locator("main")).to_contain_text("The balance lasts long enough again.")

"""Whoever uses a keyboard keeps their place: no fragment that a poll swaps loses the focus that was in it."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Locator, Page, expect

from accounts.access import Role
from accounts.models import BalanceReading
from orders.bulk.job import start_job
from orders.bulk.selection import Selection
from orders.models import Approval, Order, Task
from orders.placing import send_switch
from orders.rules.statuses import Status
from panel.alarms.models import Alarm
from panel.upstream.models import Chore
from tests import ROOT
from tests.browser.conftest import Desk, Opens, tells
from tests.makers import make_order, make_service, make_user, place_order

# Every fragment that a template swaps, by its id. Rows of the list are swapped by their own ids.
BY_POLLS = {"order", "job", "answers", "alarms", "approvals", "calls", "sync", "bar", "bell", "trouble", "fresh",
            "waits-{{ key }}-{{ at }}"}  # fmt: skip
WITHOUT_CONTROLS = {"poll", "heard", "counts", "n-all", "n-late", "n-asked", "n-{{ tab }}", "needs", "undecided",
                    "unread", "waits-more", "stars", "sample", "doctor", "customer-names"}  # fmt: skip
# Each with the focus elsewhere, or on a control with an id.
BY_TYPING_AND_PRESSES = {"services", "found", "receipt", "fields", "doubt", "alike", "hold", "cheaper", "matching",
                         "press", "ask-why", "go-list", "register", "credit"}  # fmt: skip
SWAPPED_TAG = re.compile(r"<[a-z]+ [^<>]*?(?:hx-swap-oob|\{\{ swap \}\}|hx-swap=)", re.DOTALL)
# Polls, and waits until what had the focus is in the page no more; false when that does not come.
SWAPPED = """() => new Promise((done) => {
  let tries = 400;
  const look = () => { had.isConnected && tries-- ? setTimeout(look, 20) : done(!had.isConnected); };
  htmx.trigger("#poll", "desk:poll");
  look();
})"""


def test_each_fragment_is_known_here_so_that_a_new_one_is_tested() -> None:
    texts = [path.read_text() for path in (ROOT / "templates").rglob("*.html")]
    aims = {name for text in texts for name in re.findall(r'hx-target="#([^"]+)"', text)}
    tags = [tag for text in texts for tag in SWAPPED_TAG.findall(text) if "hx-target=" not in tag]
    ids = {found[1] for tag in tags if (found := re.search(r'\bid="([^"]+)"', tag))}
    assert aims | ids == BY_POLLS | WITHOUT_CONTROLS | BY_TYPING_AND_PRESSES


def keeps(page: Page, start: Locator, change: Callable[[], Any], end: Locator | None = None) -> None:
    """After a change and the poll that swaps it in, `end` has the focus that `start` had; `start` itself when None."""
    start.focus()
    expect(start).to_be_focused()
    page.evaluate("window.had = document.activeElement")
    change()
    assert page.evaluate(SWAPPED), "nothing was swapped"
    expect(end or start).to_be_focused()


def test_the_list_and_what_stands_around_every_page(desk: Desk, opens: Opens) -> None:
    mira, mate, service = make_user(Role.MANAGER, name="Mira"), make_user(), make_service(refill=True)
    now = timezone.now()
    BalanceReading.objects.create(amount=50, first_asked_at=now, asked_at=now)
    first, second, third, _ = (
        make_order(Status.IN_PROGRESS, by=mate, service=service, reported_at=now, assigned_to=mira) for _ in range(4)
    )
    send_switch.stop("Prices look wrong.", by=mira)
    page = opens(mira, "/orders/")

    def done(order: Order) -> Callable[[], None]:
        return lambda: tells(order, status="completed", remains=0)

    check = "Check order {} now"
    keeps(page, page.locator(f"#o{first.pk}-r"), done(first))
    keeps(page, page.get_by_label(check.format(second.pk)), done(second), page.locator(f"#o{second.pk}"))
    page.get_by_label(check.format(third.pk)).focus()
    page.evaluate("window.had = document.activeElement")
    page.keyboard.press("Control+k")
    expect(page.get_by_role("combobox")).to_be_focused()
    done(third)()
    assert page.evaluate(SWAPPED)
    page.keyboard.press("Escape")
    expect(page.locator(f"#o{third.pk}")).to_be_focused()

    make_order(by=mate, service=service)
    page.evaluate("htmx.trigger('#poll', 'desk:poll')")
    keeps(page, page.locator("#fresh-a"), lambda: make_order(by=mate, service=service))
    read = {"first_asked_at": timezone.now(), "asked_at": timezone.now()}
    keeps(page, page.locator(".read-bal a"), lambda: BalanceReading.objects.create(amount=40, **read))
    seldom = Alarm(kind="worker", facts={"name": "here", "since": now.isoformat()}, raised_at=now)
    keeps(page, page.locator("#bell"), seldom.save)
    keeps(page, page.locator("#waits-mine-l-a"), lambda: make_order(Status.PENDING, by=mate, assigned_to=mira))
    again = page.get_by_role("button", name="Start sending again")
    keeps(page, again, lambda: send_switch.resume(by=mira), page.get_by_role("heading", name="Orders", exact=True))


@pytest.mark.slow
def test_the_pages_about_one_thing(desk: Desk, opens: Opens, settings: Any) -> None:
    settings.SEND_DELAY_SECONDS = 600
    mira, now = make_user(Role.MANAGER, name="Mira"), timezone.now()
    order = make_order(Status.IN_PROGRESS, service=make_service(refill=True), remains=900, doubts="charge")
    page = opens(mira, f"/orders/{order.pk}/")
    keeps(page, page.get_by_role("link", name="Order again"), lambda: tells(order, remains=800))
    keeps(page, page.get_by_role("button", name="Refill", exact=True), lambda: tells(order, remains=700))
    calm = Order.objects.filter(pk=order.pk)
    seen = page.get_by_role("button", name="I have seen it")
    keeps(page, seen, lambda: calm.update(doubts="", version=100), page.get_by_role("heading", level=1))
    keeps(page, page.get_by_role("heading", level=1), lambda: tells(order, remains=600))

    new = place_order(by=mira)
    page.goto(f"{desk.url}/orders/{new.pk}/")
    undo, withdraw = (page.get_by_role("button", name=name) for name in ("Undo", "Withdraw"))
    keeps(page, undo, lambda: tries(new), withdraw)

    low, silent = (
        Alarm.objects.create(kind=kind, facts=facts, raised_at=now)
        for kind, facts in (
            ("balance", {"balance": "12.30", "below": "20"}), ("worker", {"name": "here", "since": now.isoformat()})
        )
    )  # fmt: skip
    page.goto(f"{desk.url}/alarms/")
    seen = page.locator(f"#alarm-{low.pk}").get_by_role("button")
    keeps(page, seen, lambda: Alarm.objects.filter(pk=silent.pk).update(ended_at=now))
    ends = Alarm.objects.filter(pk=low.pk)
    keeps(page, seen, lambda: ends.update(ended_at=now), page.locator(f"#alarm-{low.pk} h3"))

    waiting = [make_order(Status.APPROVAL) for _ in range(3)]
    page.goto(f"{desk.url}/orders/approvals/")
    for gone, control in zip(waiting, ("approve", "more"), strict=False):
        asked = Approval.objects.filter(order=gone)
        last = page.locator(f"#{control}-{waiting[2].pk}")
        keeps(page, last, lambda asked=asked: asked.update(decided_at=now, outcome="expired"))  # type: ignore[misc]

    some = [make_order(Status.COMPLETED, service=order.service, remains=0) for _ in range(2)]
    job = start_job(Selection.of("refill", [one.pk for one in some], "ticked on the orders page"), by=mira)
    first, second = Task.objects.filter(kind=Task.Kind.REFILL).order_by("pk")
    page.goto(desk.url + job.get_absolute_url())
    for link, task in ((page.locator("#job tbody a").first, first), (page.get_by_role("link", name="CSV"), second)):
        settles = Task.objects.filter(pk=task.pk)
        keeps(page, link, lambda settles=settles: settles.update(settled_at=now, due_at=None, outcome="done"))  # type: ignore[misc]

    page.goto(f"{desk.url}/orders/answers/{job.worklist_id}/")
    keeps(page, page.locator("#answers a.id").last, lambda: tells(some[0], status="refunded"))
    expect(page.locator("#heard")).to_contain_text("The answers are as the orders stand now.")


def tries(order: Order) -> None:
    """As a worker that could not send it."""
    Task.objects.filter(order=order).update(due_at=timezone.now(), answer="No answer.")
    Order.objects.filter(pk=order.pk).update(version=order.version + 1)


def test_the_sync_and_the_pages_that_ask_for_themselves(desk: Desk, opens: Opens) -> None:
    now = timezone.now()
    Chore.objects.create(name="catalog", due_at=now + timedelta(minutes=15), done_at=now)
    page = opens("manager", "/services/")
    sync = page.get_by_role("button", name="Sync now")
    keeps(page, sync, lambda: page.keyboard.press("Enter"))
    keeps(page, sync, desk.work)
    page.goto(f"{desk.url}/upstream/")
    assert page.locator("#calls :is(a, button, input, select, summary, [tabindex])").count() == 0, "nothing can lose it"

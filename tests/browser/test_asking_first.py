"""Refill and cancel ask first, in the row as on the order's page; words typed where nothing takes them do no harm."""

import re

import pytest
from django.utils import timezone
from playwright.sync_api import Page, Request, expect

from accounts.access import Role
from orders.models import Order, Task
from orders.rules.statuses import Status
from tests.browser.conftest import DEAF, NARROW, Desk, Opens, polled, tells
from tests.browser.test_every_page import faults, pages, picture
from tests.makers import make_order, make_service, make_user, place_order

__all__ = ["pages"]  # a fixture
FILLED_IN = "main form[method=post] :is(textarea, select, input:not([type=hidden]))"
TYPED = ("customer wants it", "g r", "cancel or refill order u")
Kind = Task.Kind


def stop_clock(page: Page) -> None:
    """From now on the page's time goes only where `later` moves it; its timers go on."""
    page.evaluate("""() => {
      const [began, day] = [performance.now(), Date.now()];
      window.later = 0;
      performance.now = () => began + window.later;
      Date.now = () => day + window.later;
    }""")


def later(page: Page, ms: int) -> None:
    page.evaluate("ms => { window.later += ms; }", ms)


def asked(kind: str) -> int:
    return Task.objects.filter(kind=kind).count()


@pytest.fixture
def moving(desk: Desk) -> list[Order]:
    """Two orders under way, oldest first."""
    service, by = make_service(), make_user()
    orders = [make_order(Status.IN_PROGRESS, service=service, by=by, quantity=2500) for _ in range(2)]
    for order in orders:
        tells(order, remains=1825)
    return orders


@pytest.mark.slow
def test_a_row_asks_in_place_of_its_buttons(desk: Desk, opens: Opens, moving: list[Order]) -> None:
    other, order = moving
    page = opens("operator", "/orders/")
    stop_clock(page)
    row, question = page.locator(f"#order-{order.pk}"), page.get_by_role("group", name=re.compile("^Cancel order"))
    before = row.bounding_box()
    cancel = row.get_by_role("button", name=f"Cancel order {order.pk}")
    place = cancel.bounding_box()
    assert before and place

    # A double click asks, and answers nothing.
    page.mouse.dblclick(place["x"] + 20, place["y"] + 10)
    yes = question.get_by_role("button", name="Ask to cancel")
    expect(yes).to_be_focused()
    page.mouse.click(place["x"] + 20, place["y"] + 10)
    expect(yes).to_have_accessible_description(
        f"Ask to cancel order {order.pk}? The supplier decides. What is delivered, 675 of 2,500, stays and is charged."
    )
    assert row.bounding_box() == before
    assert list(faults(page, "question")) == []
    picture(page, "question-row")

    # “Keep” lies where “Cancel” was, and Escape does the same. Only one question is open at a time.
    later(page, DEAF + 1)
    page.mouse.click(place["x"] + 20, place["y"] + 10)
    expect(question).to_have_count(0)
    expect(cancel).to_be_focused()
    page.keyboard.press("Enter")
    expect(yes).to_be_focused()
    page.locator(f"#o{other.pk}-k").click()
    expect(question).to_have_count(1)
    expect(question).to_have_accessible_name(f"Cancel order {other.pk}?")
    page.keyboard.press("Escape")
    expect(page.locator(f"#o{other.pk}-k")).to_be_focused()

    # A poll brings the row anew: the question stays, with the focus and with the figures of now.
    page.locator(f"#o{order.pk}").focus()
    page.keyboard.press("c")
    expect(yes).to_be_focused()
    page.evaluate("window.asking = document.activeElement")
    tells(order, remains=1800)
    polled(page)
    expect(yes).to_have_accessible_description(re.compile("700 of 2,500"))
    expect(yes).to_be_focused()
    assert page.evaluate("window.asking === document.activeElement")  # nothing is read out again

    # What is no longer offered cannot be confirmed.
    tells(order, remains=0, status="completed")
    polled(page)
    expect(question).to_have_count(0)
    expect(page.locator("#heard")).to_have_text(re.compile("can no longer be asked for. It is completed"))
    expect(cancel).to_be_focused()
    page.keyboard.press("Enter")
    assert asked(Kind.CANCEL) == 0

    # c, then Enter: two keys.
    stop_clock(page)
    page.locator(f"#o{other.pk}").focus()
    page.keyboard.press("c")
    expect(yes).to_be_focused()
    later(page, DEAF + 1)
    page.keyboard.press("Enter")
    expect(page.locator("#heard")).to_have_text(f"You asked for a cancel of order {other.pk}.")
    expect(page.locator(f"#o{other.pk}")).to_be_focused()
    assert asked(Kind.CANCEL) == 1


@pytest.mark.slow
def test_an_orders_page_asks_in_the_line_of_the_button(desk: Desk, opens: Opens, moving: list[Order]) -> None:
    order = moving[0]
    page = opens("operator", f"/orders/{order.pk}/")
    stop_clock(page)
    page.keyboard.press("c")
    yes = page.get_by_role("button", name="Ask to cancel")
    expect(yes).to_be_focused()
    page.keyboard.press("Enter")  # too early to be meant
    later(page, DEAF + 1)
    page.keyboard.press("Space")  # a word may have begun with c
    assert asked(Kind.CANCEL) == 0
    page.evaluate("window.asking = document.activeElement")
    tells(order, remains=1000)
    polled(page)
    expect(yes).to_have_accessible_description(re.compile("1,500 of 2,500"))
    expect(yes).to_be_focused()
    assert page.evaluate("window.asking === document.activeElement")
    assert list(faults(page, "question")) == []
    picture(page, "question-page")
    page.keyboard.press("Escape")
    expect(yes).to_have_count(0)
    expect(page.get_by_role("button", name="Cancel", exact=True)).to_be_focused()

    tells(order, remains=100, status="partial")
    polled(page)
    page.get_by_role("button", name="Refill", exact=True).click()
    sure = page.get_by_role("button", name="Ask for refill")
    expect(sure).to_have_accessible_description(f"Ask for a refill of order {order.pk}? 2 refills are left after it.")
    stop_clock(page)
    later(page, DEAF + 1)
    sure.click()
    expect(page.get_by_text(f"You asked for a refill of order {order.pk}.")).to_be_visible()
    assert (asked(Kind.CANCEL), asked(Kind.REFILL)) == (0, 1)


def test_on_a_phone_the_card_asks_at_its_end(desk: Desk, opens: Opens, moving: list[Order]) -> None:
    page = opens("operator", "/orders/", width=NARROW, dark=True)
    page.locator(f"#o{moving[1].pk}-k").click()
    expect(page.get_by_text("What is delivered, 675 of 2,500, stays and is charged.")).to_be_visible()
    assert list(faults(page, "question")) == []
    picture(page, "question-row")
    page.goto(f"{desk.url}/orders/{moving[1].pk}/")
    page.get_by_role("button", name="Cancel", exact=True).click()
    expect(page.get_by_role("button", name="Ask to cancel")).to_be_visible()
    assert list(faults(page, "question")) == []
    picture(page, "question-page")


def test_without_a_script_the_button_leads_to_the_same_question(desk: Desk, opens: Opens, moving: list[Order]) -> None:
    page = opens("operator", "/orders/?status=in_progress", script=False)
    row = page.locator(f"#order-{moving[0].pk}")
    row.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("main")).to_contain_text("What is delivered, 675 of 2,500, stays and is charged.")
    page.get_by_role("link", name="Keep", exact=True).click()
    expect(page).to_have_url(f"{desk.url}/orders/?status=in_progress")
    assert asked(Kind.CANCEL) == 0
    row.get_by_role("button", name="Cancel").click()
    page.get_by_role("button", name="Ask to cancel").click()
    expect(page).to_have_url(f"{desk.url}/orders/?status=in_progress")
    expect(page.get_by_text(f"You asked for a cancel of order {moving[0].pk}.")).to_be_visible()
    assert asked(Kind.CANCEL) == 1


@pytest.mark.slow
def test_an_order_that_waits_is_not_lost_by_a_key(desk: Desk, opens: Opens, settings: pytest.FixtureRequest) -> None:
    """Undo goes at once by its button, and asks by its key; what turns into another thing is not confirmed."""
    settings.SEND_DELAY_SECONDS = 600  # type: ignore[attr-defined]
    order = place_order(service=make_service(), by=make_user())
    page = opens("operator", "/orders/")
    page.locator(f"#o{order.pk}").focus()
    page.keyboard.press("c")
    expect(page.get_by_role("button", name="Withdraw", exact=True)).to_be_focused()
    Task.objects.filter(order=order).update(attempts=1, unclear_since=timezone.now(), answer="No answer.")
    order.change()
    polled(page)
    expect(page.locator("#heard")).to_have_text(re.compile("can no longer be asked for"))
    expect(page.locator(f"#o{order.pk}-k")).to_be_focused()
    order.refresh_from_db()
    assert order.status == Status.QUEUED


def asks(request: Request) -> bool:
    """Whether a request may ask for something. A question that opens or closes tells who is at the order, no more."""
    return request.method == "POST" and not request.url.endswith("/deciding/")


@pytest.mark.slow
def test_words_typed_where_nothing_takes_them_do_no_harm(desk: Desk, opens: Opens, moving: list[Order]) -> None:
    """Fast and slowly, with and without a cursor: nothing is asked for, and no page with a form is left."""
    order, completed = moving[1], make_order("completed", service=moving[0].service)
    waits = place_order(service=moving[0].service)
    page = opens("operator", f"/orders/{order.pk}/")
    posts = list[str]()
    page.on("request", lambda request: posts.append(request.url) if asks(request) else None)
    for pk in (order.pk, completed.pk, waits.pk):
        for text in TYPED:
            for pause in (0, 20):
                page.goto(f"{desk.url}/orders/{pk}/")
                page.keyboard.type(text, delay=pause)
                page.keyboard.press("Enter")
                expect(page).to_have_url(f"{desk.url}/orders/{pk}/")

    # One key in two seconds: each is a command, and none of them costs.
    page.goto(f"{desk.url}/orders/{completed.pk}/")
    stop_clock(page)
    for key in "ran corner ":
        page.keyboard.press("Space" if key == " " else key)
        later(page, 2_000)
    expect(page).to_have_url(f"{desk.url}/orders/{completed.pk}/")

    page.goto(f"{desk.url}/orders/")
    for row in (order, completed, waits):
        for text in TYPED:
            page.locator(f"#o{row.pk}").focus()
            page.keyboard.type(text, delay=5)
            expect(page).to_have_url(f"{desk.url}/orders/")
    assert not posts
    assert (asked(Kind.CANCEL), asked(Kind.REFILL)) == (0, 0)


def test_the_order_form_searches_at_once(desk: Desk, opens: Opens) -> None:
    make_service(name="Northern Lights Likes")
    page = opens("operator", "/orders/new/")
    expect(page.locator("#q")).to_be_focused()
    page.keyboard.type("northern")
    expect(page.get_by_role("radio", name=re.compile("Northern Lights"))).to_be_visible()


@pytest.mark.slow
def test_no_page_takes_words_for_commands(desk: Desk, opens: Opens, pages: dict[str, str]) -> None:
    page = opens(make_user(Role.OWNER), "/orders/")
    posts, wrong, tasks = list[str](), list[str](), Task.objects.count()
    page.on("request", lambda request: posts.append(request.url) if asks(request) else None)
    for name, path in pages.items():
        page.goto(desk.url + path)
        here, is_form = page.url, page.locator(FILLED_IN).filter(visible=True).count()
        for text in TYPED[:2] if is_form else TYPED[:1]:
            page.evaluate("document.activeElement.blur()")
            page.keyboard.type(text)
            page.evaluate("import(document.body.dataset.keys).then(() => 0)")  # all keys were heard
            if page.url != here:
                wrong.append(f"{name}: “{text}” led to {page.url}")
    assert not wrong
    assert [url for url in posts if "/receipt/" not in url] == []
    assert Task.objects.count() == tasks

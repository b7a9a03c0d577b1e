"""The order form as a person meets it: fields that follow the service, and a sign-out that loses nothing."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, Route, ViewportSize, expect

from accounts.models import User
from catalog.models import Service
from orders.models import Order
from tests.browser.conftest import Desk, Opens, reload_before_scripts
from tests.browser.test_every_page import TWO_LOOKS, faults, picture
from tests.makers import PASSWORD, make_order, make_service, make_user

LINK = "https://instagram.com/lumen.studio"
RECEIPT = "**/orders/new/receipt/"
COUNT_ANSWERS = """() => {
  const counted = document.documentElement.dataset;
  counted.answers = 0;
  document.addEventListener("htmx:beforeOnLoad", () => { counted.answers = Number(counted.answers) + 1; });
}"""
SENDING = 10_000  # ms: static/desk.js then lets a form without an answer go again
ALMOST_PAUSED = 699  # ms: one less than static/desk.js takes for a pause


@pytest.mark.slow
def test_the_fields_follow_the_service_and_nothing_typed_is_lost(desk: Desk, opens: Opens) -> None:
    plain = make_service(dripfeed=True)
    comments = make_service(type="Custom Comments", minimum=2, name="Instagram Comments")
    page = opens("operator", f"/orders/new/?service={plain.upstream_id}")
    page.get_by_label("Link").fill("@lumen.studio")
    expect(page.locator("#doctor")).to_contain_text(LINK)
    page.get_by_label("Quantity").fill("100")
    page.get_by_label("Runs", exact=True).fill("10")
    page.get_by_label("Minutes between runs").fill("30")
    expect(page.get_by_label("Receipt")).to_contain_text("10 runs × 100 = 1,000")
    another = page.get_by_role("button", name="Choose another")
    another.click()
    page.locator(f"#s{comments.upstream_id}").check()
    page.locator("#id_comments").fill("Nice!\nGreat")
    expect(page.get_by_label("Receipt")).to_contain_text("Quantity2")
    another.click()
    page.locator(f"#s{plain.upstream_id}").check()
    expect(page.get_by_label("Runs", exact=True)).to_have_value("10")
    another.click()
    page.locator(f"#s{comments.upstream_id}").check()
    expect(page.locator("#id_comments")).to_have_value("Nice!\nGreat")
    page.get_by_role("button", name="Place order").click()
    page.wait_for_url(re.compile(r"/orders/\d+/$"))
    assert Order.objects.get().body["comments"] == "Nice!\nGreat"


def test_what_is_typed_while_other_fields_are_on_their_way_stays(desk: Desk, opens: Opens) -> None:
    service = make_service(type="Custom Comments")
    page = opens("operator", "/orders/new/")
    waiting: list[Route] = []
    page.route("**/receipt/", lambda route: waiting.append(route))
    with page.expect_request("**/receipt/"):
        page.locator(f"#s{service.upstream_id}").check()
    for name, typed in (("link", LINK), ("quantity", "100")):  # without an event, so that no later question mends it
        page.locator(f"#id_{name}").evaluate("(field, typed) => { field.value = typed; }", typed)
    waiting[0].continue_()
    expect(page.locator("#id_comments")).to_be_visible()
    expect(page.get_by_label("Link")).to_have_value(LINK)
    expect(page.locator("input[name=quantity]")).to_have_value("100")


def test_what_is_typed_before_the_scripts_are_there_is_searched_for(desk: Desk, opens: Opens) -> None:
    service, other = make_service(), make_service()
    page = opens("operator", "/orders/new/")
    htmx = reload_before_scripts(page)
    page.get_by_label("Service").fill(str(service.upstream_id))
    htmx.continue_()
    expect(page.locator(f"#s{other.upstream_id}")).to_have_count(0)
    expect(page.locator(f"#s{service.upstream_id}")).to_be_visible()


def test_enter_chooses_though_the_words_before_it_are_told_again(desk: Desk, opens: Opens) -> None:
    service, _ = make_service(), make_service()
    page = opens("operator", "/orders/new/")
    page.get_by_label("Service").press_sequentially(str(service.upstream_id))
    page.keyboard.press("Enter")
    page.get_by_label("Service").dispatch_event("input")  # as desk.js does once htmx listens
    expect(page.get_by_label("Link")).to_be_focused()
    expect(page.locator(f"#s{service.upstream_id}")).to_be_checked()


@pytest.mark.slow
@pytest.mark.parametrize("script", [True, False], ids=["while typing", "without a script, by the button"])
def test_signed_out_in_mid_form_the_form_is_there_after_the_sign_in(desk: Desk, opens: Opens, script: bool) -> None:
    user, service = make_user(), make_service()
    page = opens(user, f"/orders/new/?service={service.upstream_id}", script=script)
    if script:
        with page.expect_response(RECEIPT):
            page.get_by_label("Link").fill(LINK)
        with page.expect_response(RECEIPT):  # of the change, so that the quantity asks the one question that is left
            page.get_by_label("Link").blur()
    else:
        page.get_by_label("Link").fill(LINK)
    page.context.clear_cookies(name="sessionid")
    page.get_by_label("Quantity").fill("777")
    if not script:
        page.get_by_role("button", name="Place order").click()
    sign_in_again(page, user)
    expect(page.get_by_label("Quantity")).to_have_value("777")
    expect(page.get_by_label("Link")).to_have_value(LINK)
    assert not Order.objects.exists()
    page.get_by_role("button", name="Place order").click()
    page.wait_for_url(re.compile(r"/orders/\d+/$"))
    assert Order.objects.get().quantity == 777


def test_a_form_that_goes_to_sign_in_takes_every_key_along_and_goes_once(desk: Desk, opens: Opens) -> None:
    """Though its questions are answered in mid-word. The page's clock is ours, so no slow machine makes a pause."""
    user, page, sent = signed_out_over_a_link(desk, opens)
    for digit in "123":
        page.keyboard.press(digit)
        page.clock.run_for(ALMOST_PAUSED)
        settle(page)
    expect(page.locator("html")).to_have_attribute("data-answers", "4")  # of the link that changed, and of each digit
    assert sent == []
    page.clock.run_for(1)
    sign_in_again(page, user)
    assert len(sent) == 1
    expect(page.get_by_label("Quantity")).to_have_value("123")
    expect(page.get_by_label("Link")).to_have_value(LINK)
    assert not Order.objects.exists()


def test_place_pressed_before_the_form_went_to_sign_in_sends_it_alone(desk: Desk, opens: Opens) -> None:
    user, page, sent = signed_out_over_a_link(desk, opens)
    page.keyboard.type("123")
    place = page.get_by_role("button", name="Place order")
    page.route("**/orders/new/", lambda route: route.fulfill(status=204))  # leaves us here, as an answer does for long
    with page.expect_response("**/orders/new/"):
        place.click()
    page.clock.run_for(ALMOST_PAUSED + 1)
    settle(page)
    assert len(sent) == 1
    page.unroute("**/orders/new/")
    page.clock.run_for(SENDING)
    place.click()
    sign_in_again(page, user)
    assert len(sent) == 2
    expect(page.get_by_label("Quantity")).to_have_value("123")
    assert not Order.objects.exists()


def signed_out_over_a_link(desk: Desk, opens: Opens) -> tuple[User, Page, list[str]]:
    """A form in whose quantity somebody begins to type while the answer about its link says that they are signed out.

    The page's clock stands, `data-answers` counts the answers, and the list says how often the form itself was sent.
    """
    user, service, sent = make_user(), make_service(), list[str]()
    page = opens(user, f"/orders/new/?service={service.upstream_id}")
    page.clock.install()
    page.clock.pause_at(timezone.now() + timedelta(minutes=1))
    page.evaluate(COUNT_ANSWERS)
    page.on("request", lambda asked: sent.append(asked.url) if asked.method == "POST" and is_form(asked.url) else None)
    page.get_by_label("Link").fill(LINK)
    page.context.clear_cookies(name="sessionid")
    page.get_by_label("Quantity").focus()
    expect(page.locator("html")).to_have_attribute("data-answers", "1")
    return user, page, sent


def is_form(url: str) -> bool:
    return url.endswith("/orders/new/")


def settle(page: Page) -> None:
    """Until no question is under way."""
    expect(page.locator(".htmx-request")).to_have_count(0)


def sign_in_again(page: Page, user: User) -> None:
    page.wait_for_url("**/accounts/login/**")
    page.get_by_label("Username").fill(user.username)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url("**/orders/new/**")


def test_the_same_again_needs_a_tick_and_a_moved_price_a_second_press(desk: Desk, opens: Opens) -> None:
    service = make_service()
    make_order("in_progress", service=service, link=LINK)
    page = opens("operator", f"/orders/new/?service={service.upstream_id}&link={LINK}&quantity=100")
    expect(page.locator("#alike")).to_contain_text("In progress")
    Service.objects.update(rate="1.35")
    page.get_by_label("Order it once more").check()
    page.get_by_role("button", name="Place order").click()
    expect(page.locator(".moved")).to_contain_text("$1.35")
    assert Order.objects.count() == 1
    page.get_by_role("button", name="Place order").click()
    page.wait_for_url(re.compile(r"/orders/\d+/$"))
    assert Order.objects.count() == 2


@pytest.mark.slow
@pytest.mark.parametrize(("width", "dark"), TWO_LOOKS, ids=["wide", "narrow-dark"])
def test_every_kind_of_form_is_accessible_and_within_its_borders(
    desk: Desk, opens: Opens, width: ViewportSize, dark: bool
) -> None:
    found = list[str]()
    page = opens("operator", "/orders/", width=width, dark=dark)
    for type in ("Default", "Custom Comments", "Subscriptions", "Comment Replies"):
        service = make_service(type=type, dripfeed=type == "Default")
        make_order("in_progress", service=service, link="@lumen" if type == "Subscriptions" else LINK)
        asked = f"service={service.upstream_id}&link={LINK}/p/C1?igsh=1&quantity=100&runs=10&interval=30&username=lumen"
        page.goto(f"{desk.url}/orders/new/?{asked}")
        if type == "Default":
            Service.objects.filter(pk=service.pk).update(rate="1.35", refill=False)
            page.get_by_label("Link").fill("tiktok.com/lumen?igsh=1")
            page.get_by_role("button", name="Place order").click()
            expect(page.locator(".moved")).to_be_visible()
        found += faults(page, type)
        picture(page, f"form-{type.split()[0].lower()}")
    assert not found, "\n".join(found)


def test_double_click_back_and_a_second_press_are_one_order(desk: Desk, opens: Opens) -> None:
    service = make_service()
    page = opens("operator", f"/orders/new/?service={service.upstream_id}&link={LINK}&quantity=100")
    expect(page.get_by_label("Receipt")).to_contain_text("$0.09")
    page.get_by_role("button", name="Place order").dblclick(no_wait_after=True)
    page.wait_for_url(re.compile(r"/orders/\d+/$"))
    page.go_back()
    with page.expect_response(lambda answer: answer.request.method == "POST" and answer.url.endswith("/orders/new/")):
        page.get_by_role("button", name="Place order").click()
    expect(page.locator("body")).to_contain_text(re.compile(r"Order \d+ is written down|The same was ordered lately"))
    assert Order.objects.count() == 1

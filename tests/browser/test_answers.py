"""Sixty numbers in a customer's message, sixty answers on the clipboard: with clicks hands."""

import re

import pytest
from playwright.sync_api import expect

from accounts.access import Role
from accounts.models import User
from orders.models import AnswerText, Order
from tests.browser.conftest import NARROW, Desk, Opens
from tests.browser.hands import Hands
from tests.browser.test_every_page import faults
from tests.makers import make_order, make_service, make_user, sold_by

NUMBERS = 60


@pytest.fixture
def ana(desk: Desk) -> User:
    return make_user(Role.MANAGER, name="Ana")


def message(orders: list[Order]) -> tuple[str, list[str]]:
    """A customer's message that names these orders in four ways, and two that are none; and each as it is written."""
    ways = (lambda o: f"#{o.pk}", lambda o: o.upstream_id, lambda o: o.link, lambda o: f"order {o.pk}")
    words = [str(ways[at % 4](order)) for at, order in enumerate(orders)]
    words[7:7], words[40:40] = ["#48999"], ["ord_nosuchorder"]
    return "Hi team!! these dropped again, pls refill asap:\n" + "\n".join(words) + "\nthanks a lot", words


@pytest.mark.slow
def test_sixty_numbers_become_sixty_refills_or_reasons_and_sixty_answers(desk: Desk, opens: Opens, ana: User) -> None:
    service, none = sold_by(desk.phone, refill=True), make_service(refill=False)
    known = []
    for at in range(NUMBERS - 2):
        upstream_id = desk.upstream.place(service=service.upstream_id)
        status = "completed" if at % 5 else "in_progress"
        desk.upstream.set_status(upstream_id, status)
        known.append(make_order(
            status, by=ana, upstream_id=upstream_id, remains=0,
            service=service if at % 7 else none, link=f"https://www.instagram.com/p/post{at:03}/",
        ))  # fmt: skip
    text, words = message(known[::-1])
    page = opens(ana, "/orders/")
    hands = Hands(page)
    hands.press("link", "Paste a message")
    expect(page.get_by_label("A chat message")).to_be_focused()
    hands.paste(text)
    hands.press("button", "Refill…")
    rows = page.locator(".grid-a .row .a-id .sub, .grid-a .row.is-warn .a-id b")
    expect(rows).to_have_count(NUMBERS)
    assert [word.strip("#").removeprefix("order ") for word in words] == rows.all_text_contents()
    assert not list(faults(page, "check"))
    hands.press("button", "Ask for")
    desk.work()
    hands.press("link", f"{NUMBERS} answers for the customer")
    expect(page.get_by_role("heading", level=1)).to_have_text(f"{NUMBERS} answers")
    assert not list(faults(page, "answers"))
    hands.press("button", f"Copy all {NUMBERS} answers")
    expect(page.locator("#copy-all")).to_have_class(re.compile("is-copied"))
    lines = hands.clipboard().split("\n")
    assert (hands.clicks, hands.seconds < 60) == (5, True), hands.seconds
    assert len(lines) == NUMBERS
    for line, word in zip(lines, words, strict=True):
        order = next((o for o in known if word in (f"#{o.pk}", o.upstream_id, o.link, f"order {o.pk}")), None)
        assert line.startswith(
            f"Order {order.pk} (" if order else f"We cannot find an order for “{word.lstrip('#')}”"
        ), line
    for told in ("its refill was accepted", "none can be asked for", "it is not finished yet"):
        assert any(told in line for line in lines), told
    expect(page.locator("#a1 [data-word]")).to_have_text("Copied")

    # What happens to an order after its answer was copied is seen.
    Order.objects.filter(pk=known[-1].pk).change(status="refunded")
    expect(page.locator("#a1")).to_contain_text("could not be delivered")
    expect(page.locator("#a1 [data-moved-on]")).to_be_visible()
    page.locator("#a1").get_by_role("button", name="Copy").click()
    assert "could not be delivered" in hands.clipboard()
    expect(page.locator("#a1 [data-moved-on]")).to_be_hidden()


def test_answers_alone_take_four_clicks_on_a_phone_and_another_language_one_choice(opens: Opens, ana: User) -> None:
    orders = [make_order("completed", by=ana) for _ in range(3)]
    AnswerText.objects.create(
        language="es", situation="completed", text="{which}: ¡listo!", changed_by=ana, changed_at=ana.date_joined
    )
    page = opens(ana, "/orders/", width=NARROW)
    hands = Hands(page)
    page.locator(".tools summary", has_text="More").click()
    hands.press("link", "Paste a message")
    page.get_by_label("A chat message").fill("\n".join(str(order.pk) for order in orders))
    hands.press("button", "Only answer")
    page.get_by_label("Language").select_option("es")
    expect(page.locator("#t1")).to_have_attribute("lang", "es")
    assert not list(faults(page, "answers on a phone"))
    hands.press("button", "Copy all 3")
    expect(page.locator(".bar-b .is-copied")).to_be_visible()
    assert [line.endswith(": ¡listo!") for line in hands.clipboard().split("\n")] == [True] * 3
    assert hands.clicks == 4, "one of them for the menu; the language is chosen from a list"


def test_where_the_browser_refuses_the_text_opens_selected(opens: Opens, ana: User) -> None:
    order = make_order("completed", by=ana)
    page = opens(ana, "/orders/bulks/new/")
    page.get_by_label("A chat message").fill(f"#{order.pk} #77777")
    page.get_by_role("button", name="Only answer").click()
    expect(page.locator("#copy-all")).to_be_visible()
    page.evaluate("() => { navigator.clipboard.writeText = () => Promise.reject(new Error('refused')); }")
    page.locator("#copy-all").focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Copy it by hand")
    expect(dialog).to_be_visible()
    wanted = page.locator("#all").input_value()
    assert page.evaluate("String(document.activeElement.value.slice(document.activeElement.selectionStart, "
                         "document.activeElement.selectionEnd))") == wanted  # fmt: skip
    assert wanted.count("\n") == 1
    assert not list(faults(page, "by hand"))
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(page.locator("#copy-all")).to_be_focused()


@pytest.mark.slow
@pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])
def test_a_manager_changes_a_text_from_the_answers(opens: Opens, ana: User, script: bool) -> None:
    order = make_order("completed", by=ana)
    page = opens(ana, "/orders/bulks/new/", script=script)
    page.get_by_label("A chat message").fill(f"#{order.pk}")
    page.get_by_role("button", name="Only answer").click()
    expect(page.locator("#all")).to_be_attached()
    answers = page.url
    page.get_by_role("link", name="Edit the text Completed").click()
    page.get_by_label("What the customer gets").fill("{whihc}: done.")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#errors")).to_contain_text("Did you mean {which}?")
    page.get_by_label("What the customer gets").fill("{which}: done & <b>dusted</b>.")
    page.get_by_role("button", name="Preview").click()
    expect(page.locator("#preview")).to_contain_text("done & <b>dusted</b>.")
    assert not script or not list(faults(page, "text"))
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#t-completed")).to_contain_text("done & <b>dusted</b>.")
    assert not script or not list(faults(page, "texts"))
    page.goto(answers)
    expect(page.locator("#t1")).to_contain_text(": done & <b>dusted</b>.")

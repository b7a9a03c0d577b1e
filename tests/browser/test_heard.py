"""What a screen reader says of an open page: nothing is overwritten, and only what changed now is told."""

import re
from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from accounts.models import BalanceReading
from orders.models import Order
from orders.rules.statuses import Status
from tests.browser.conftest import Desk, Opens, tells
from tests.makers import make_order, make_service, make_user

# Keeps every text that a live region of the page gets, as a screen reader is told of it.
RECORD = """() => {
  window.said = [];
  const REGION = "[role=status], [role=alert]";
  new MutationObserver((changes) => {
    const places = changes.map(({ target }) => (target.closest ? target : target.parentElement)?.closest(REGION));
    for (const place of new Set(places)) if (place?.textContent.trim()) said.push(place.textContent.trim());
  }).observe(document.body, { childList: true, characterData: true, subtree: true });
}"""


def said(page: Page) -> list[str]:
    """All texts since this was last asked."""
    texts: list[str] = page.evaluate("said.splice(0)")
    return texts


def said_until(page: Page, words: str) -> list[str]:
    """The same, once these words are among them."""
    expect(page.locator("#heard")).to_contain_text(words)
    return said(page)


def poll(page: Page) -> None:
    page.evaluate("htmx.trigger('#poll', 'desk:poll')")


def test_of_rows_only_what_changed_now_is_said_and_three_are_named(desk: Desk, opens: Opens) -> None:
    by, service = make_user(), make_service()
    old, *moving = (make_order(status, by=by, service=service) for status in ["completed", *["in_progress"] * 5])
    page = opens("operator", "/orders/")
    page.evaluate(RECORD)
    for order in moving[1:]:
        tells(order, status="completed", remains=0)
    Order.objects.filter(pk=old.pk).update(version=old.version + 1)  # as by a note: its row shows nothing new
    poll(page)
    [words] = said_until(page, "Completed")
    named = re.findall(r"Order (\d+): Completed\. ", words)
    assert {int(pk) for pk in named} < {order.pk for order in moving[1:]}
    assert (len(set(named)), words.rpartition("Completed. ")[2]) == (3, "1 more changed.")
    make_order(by=by, service=service)
    tells(moving[0], status="partial", remains=40)
    poll(page)
    assert said_until(page, "new order") == [f"1 new order. Order {moving[0].pk}: Partial."]


def test_what_is_said_in_one_moment_is_said_together_and_stands_until_it_was_heard(desk: Desk, opens: Opens) -> None:
    page = opens("viewer", "/accounts/preferences/")
    page.clock.install()
    page.clock.pause_at(timezone.now() + timedelta(minutes=1))
    page.evaluate(RECORD)
    page.evaluate("for (const words of ['Copied ord_1', 'One.', 'Two.', 'One.']) desk.say(words)")
    page.clock.run_for(100)
    assert said(page) == ["Copied ord_1. One. Two."]
    page.evaluate("desk.say('Three.')")
    page.clock.run_for(800)
    assert said(page) == []
    page.clock.run_for(800)
    assert said(page) == ["Three."]
    page.evaluate("desk.say('Three.')")
    page.clock.run_for(2_000)
    assert said(page) == ["Three."], "the same, said again"


def test_the_page_of_an_order_says_what_is_new_about_it(desk: Desk, opens: Opens) -> None:
    order = make_order(Status.IN_PROGRESS, by=make_user(), quantity=1000, remains=1000)
    page = opens("operator", f"/orders/{order.pk}/")
    page.evaluate(RECORD)
    tells(order, remains=400)
    poll(page)
    assert said_until(page, "600") == [f"Order {order.pk}: In progress, 600 of 1,000 delivered."]


@pytest.mark.slow
def test_the_receipt_says_all_that_it_shows_and_nothing_twice(desk: Desk, opens: Opens) -> None:
    now = timezone.now()
    BalanceReading.objects.create(amount=Decimal("1.00"), first_asked_at=now, asked_at=now)
    service = make_service(rate=Decimal("2.50"), minimum=100, maximum=100_000, category="Instagram › Followers")
    make_order(Status.IN_PROGRESS, service=service, link="https://www.instagram.com/lumen.studio")
    page = opens("operator", f"/orders/new/?service={service.upstream_id}")
    page.evaluate(RECORD)

    def types(label: str, text: str, expected: str) -> str:
        page.get_by_label(label, exact=True).fill(text)
        return " ".join(said_until(page, expected))

    assert types("Quantity", "5", "too few") == "At least 100 for this service; 5 is too few."
    odd = "The link looks odd. This link is on www.tiktok.com, and the service is for Instagram."
    assert types("Link", "https://www.tiktok.com/@lumen.studio", "The link looks odd.") == odd
    assert types("Quantity", "200", "Expected charge") == "Expected charge $0.50. This order leaves $0.50."
    page.locator("#order-form").evaluate(
        """form => {
          [form.elements.link.value, form.elements.quantity.value] = ["https://www.instagram.com/lumen.studio", "8000"];
          form.elements.link.dispatchEvent(new Event("input", { bubbles: true }));
        }"""
    )
    [words] = said_until(page, "The same was ordered lately.")
    assert words.startswith("The same was ordered lately. Expected charge $20.00. The balance does not cover this.")

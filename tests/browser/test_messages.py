"""What the desk says after a press, as a person reads it: markup is markup once, and a name stays a name."""

from collections.abc import Callable
from html import escape

import pytest
from playwright.sync_api import expect

from accounts.access import Role
from catalog.models import Service
from orders.models import Order, SavedView
from orders.rules.statuses import Status
from tests.browser.conftest import Desk, Opens
from tests.makers import make_order, make_service, make_user
from tests.orders.placing.test_order_form import filled

NAME = '<b>R&D</b> &lt;i> "x"'  # markup, escaped markup, quotes
Press = tuple[str, dict[str, str]]

# A form as any page of the desk sends it, but with these fields.
SEND = """([path, fields]) => {
  const form = Object.assign(document.createElement("form"), {method: "post", action: path});
  const token = JSON.parse(document.body.getAttribute("hx-headers"))["X-CSRFToken"];
  for (const [name, value] of Object.entries({...fields, csrfmiddlewaretoken: token})) {
    form.append(Object.assign(document.createElement("input"), {type: "hidden", name, value}));
  }
  document.body.append(form);
  form.submit();
}"""


def shared_view() -> SavedView:
    return SavedView.objects.create(owner=make_user(), name="Old", query="q=x", shared=True)


def queued() -> Order:
    return make_order(Status.QUEUED)


# What is pressed, and the sentence that is read after it: {} stands for the id of what it is about.
PRESSES: dict[str, tuple[Callable[[], Service | Order | SavedView], Callable[[int], Press], str]] = {
    "a view with a name": (
        shared_view, lambda pk: (f"/orders/views/{pk}/", {"name": NAME}), f"The view “{NAME}” is saved."),
    "a view without a name": (
        shared_view, lambda pk: (f"/orders/views/{pk}/", {"name": ""}), "Give it a name of up to 60 characters."),
    "a view that is removed": (
        shared_view, lambda pk: (f"/orders/views/{pk}/removal/", {}),
        "The view “Old” is removed. Its orders are where they were."),
    "an order that is given to somebody": (
        queued, lambda pk: (f"/orders/{pk}/assignment/", {"to": str(make_user(name=NAME).pk), "saw": "0"}),
        f"Order {{}} is assigned to {NAME}."),
    "an order that is given to nobody in particular": (
        queued, lambda pk: (f"/orders/{pk}/assignment/", {"to": ""}), "Choose whom this order is assigned to."),
    "a note that calls a person": (
        queued, lambda pk: (f"/orders/{pk}/notes/", {"text": f"@{make_user(name=NAME).username} look"}),
        f"Your note is written. {NAME} will find it under Notes to me."),
    "an adopted id": (
        lambda: make_order(Status.REVIEW), lambda pk: (f"/orders/{pk}/adoption/", {"upstream_id": " ord_2f9a "}),
        "Order {} is ord_2f9a now; the desk checks it at once."),
    "a stop": (
        queued, lambda pk: ("/orders/sending/stops/", {"reason": NAME}),
        "Sending is stopped. New orders are saved and wait."),
    "preferences": (
        queued, lambda pk: ("/accounts/preferences/", {"time_zone": "UTC", "numbers": "1,234.56", "page_length": "50"}),
        "Saved. Every page is written for you like this from now on."),
    "a refusal": (
        lambda: make_order("completed"), lambda pk: (f"/orders/{pk}/withdrawal/", {}), ""),
}  # fmt: skip


@pytest.mark.parametrize("press", PRESSES)
def test_a_message_reads_as_it_is_meant(desk: Desk, opens: Opens, press: str) -> None:
    make, form, sentence = PRESSES[press]
    subject = make()
    page = opens(make_user(Role.OWNER), "/team/")
    page.evaluate(SEND, list(form(subject.pk)))
    message = page.locator(".banners[role=status]").first
    expect(message).to_be_visible()
    if sentence:
        expect(message).to_have_text(sentence.replace("{}", str(subject.pk)))
    assert message.locator("b").count() == 0, "a name is no markup"


def test_the_first_message_of_a_newcomer_has_its_number_in_bold(desk: Desk, opens: Opens) -> None:
    page = opens("operator", "/orders/new/")
    page.evaluate(SEND, ["/orders/new/", filled(make_service(), link="instagram.com/lumen.studio?igsh=abc&x=1")])
    message = page.locator(".banners[role=status]")
    expect(message).to_contain_text("is saved and will be sent.")
    order = Order.objects.get()
    expect(message).to_contain_text(f"Order {order.pk} is saved and will be sent.")
    expect(message.locator("b")).to_have_text(str(order.pk))
    assert not any(sign in message.inner_text() for sign in ("<b>", escape("<"), escape("&")))

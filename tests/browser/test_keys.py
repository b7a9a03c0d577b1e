"""The desk without a mouse: by single keys and the palette, and by Tab alone."""

import re

import pytest
from playwright.sync_api import Page, Route, expect

from orders.models import Order, Task
from tests.browser.conftest import Desk, Opens, says_yes
from tests.browser.test_every_page import faults, picture
from tests.makers import make_order, make_service, make_user


@pytest.fixture
def orders(desk: Desk) -> list[Order]:
    """Five of them, oldest first: all completed, and the newest of a service without refill."""
    by, service, bare = make_user(), make_service(), make_service(refill=False)
    return [make_order("completed", by=by, service=service) for _ in range(4)] + [
        make_order("completed", by=by, service=bare)
    ]


# As if somebody typed in the very moment in which the palette opens.
TYPES_AT_ONCE = """typed => {
  const show = HTMLDialogElement.prototype.showModal;
  HTMLDialogElement.prototype.showModal = function () {
    show.call(this);
    const field = this.querySelector("#go");
    field.value = typed;
    field.dispatchEvent(new Event("input", {bubbles: true}));
  };
}"""


def focused(page: Page) -> str:
    return str(page.evaluate("document.activeElement.id"))


@pytest.mark.slow
def test_a_walk_with_keys_alone(desk: Desk, opens: Opens, orders: list[Order]) -> None:
    page = opens("operator", "/orders/")
    newest, third = f"o{orders[-1].pk}", f"o{orders[-3].pk}"
    loaded = list[str]()
    page.on("request", lambda request: loaded.append(request.url))
    assert not [url for url in loaded if "keys" in url]

    # The first key brings the script, and is not lost.
    page.keyboard.press("j")
    expect(page.locator(f"#{newest}")).to_be_focused()
    assert [url for url in loaded if "keys.js" in url]
    page.keyboard.press("r")  # a reason, openly and aloud
    expect(page.locator(f"#{newest}-r")).to_be_focused()
    expect(page.locator(f"#{newest}-r-w")).to_be_visible()
    expect(page.locator("#heard")).to_have_text("Its service has no refill.")
    assert not Task.objects.filter(kind="refill").exists()

    page.keyboard.press("j")
    page.keyboard.press("x")
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("Shift+X")
    expect(page.locator("#ticked")).to_have_text("the 3 ticked")
    expect(page.locator("#heard")).to_have_text(re.compile("ticked; the 3 ticked"))
    page.keyboard.press("k")
    expect(page.locator(f"#{third}")).to_be_focused()
    orders[-3].change()  # a poll brings the row anew, and the cursor stays in it
    expect(page.locator(f"#order-{orders[-3].pk}.is-changed")).to_be_visible()
    expect(page.locator(f"#{third}")).to_be_focused()
    picture(page, "keys-list")
    page.keyboard.press("r")
    says_yes(page, "Ask for refill", key="Enter")
    expect(page.locator("#heard")).to_have_text(re.compile("You asked for a refill"))
    page.keyboard.press("r")
    expect(page.locator("#heard")).to_have_text(re.compile("has not answered yet"))
    assert Task.objects.filter(kind="refill").count() == 1
    expect(page.locator(f"#order-{orders[-3].pk} [role=img]")).to_have_accessible_name(re.compile("1 pending"))
    expect(page.locator(f"#{third}-t")).to_be_checked()

    # A press that nobody answered says so, and claims nothing.
    page.route("**/refills/", lambda asked: asked.abort())
    page.keyboard.press("j")
    page.keyboard.press("r")
    says_yes(page, "Ask for refill", key="Enter")
    expect(page.locator(".toast")).to_have_text(re.compile("no clear answer.*check before you press again"))
    assert Task.objects.filter(kind="refill").count() == 1
    page.keyboard.press("k")

    # The palette takes what is typed while it comes, and Enter before the answer is there.
    page.keyboard.press("Control+k")
    palette = page.get_by_role("dialog", name="Go to")
    expect(palette.get_by_role("combobox")).to_be_focused()
    expect(palette.get_by_role("option", selected=True)).to_have_text(re.compile("Orders"))
    page.keyboard.press("ArrowDown")
    expect(palette.get_by_role("option", selected=True)).to_have_text(re.compile("New order"))
    page.keyboard.type("instagram")
    expect(palette.get_by_role("group", name="Services")).to_be_visible()
    assert list(faults(page, "palette")) == []
    picture(page, "keys-palette")
    page.keyboard.press("Escape")
    expect(palette).to_have_count(0)
    assert focused(page).startswith(third)  # where one was
    page.keyboard.press("Control+k")
    expect(palette.get_by_role("combobox")).to_be_focused()
    page.keyboard.type(str(orders[0].upstream_id))
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/orders/{orders[0].pk}/")

    page.keyboard.press("c")
    expect(page.get_by_role("button", name="Cancel")).to_be_focused()
    expect(page.locator("#heard")).to_have_text(re.compile("nothing left to cancel"))
    page.keyboard.press("u")  # the page has a form to fill in, so no letter leads away from it
    page.keyboard.press("n")
    expect(page.get_by_role("heading", name=f"Order {orders[0].pk}")).to_be_visible()
    page.get_by_role("link", name="Orders", exact=True).last.click()
    page.wait_for_url("**/orders/")
    page.keyboard.press("r")  # no row shows the cursor yet, so nothing is done to one
    expect(page.locator(".toast")).to_have_text("No row is chosen. Press j to come to the first.")
    assert Task.objects.filter(kind="refill").count() == 1
    page.keyboard.press("j")
    expect(page.locator(f"#{third}")).to_be_focused()

    # Keys rest while one types; Escape leads back.
    page.keyboard.press("g")
    page.keyboard.press("s")
    page.wait_for_url("**/services/")
    page.keyboard.press("j")
    expect(page.locator("main .row a:focus")).to_have_count(1)
    page.keyboard.press("/")
    expect(page.locator("#q")).to_be_focused()
    page.keyboard.type("jnx")
    expect(page.locator("#q")).to_have_value("jnx")
    expect(page.get_by_text("No service fits")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#q")).not_to_be_focused()
    page.keyboard.press("g")
    page.keyboard.press("o")
    page.wait_for_url("**/orders/")

    # All keys in a dialog, where single ones can be switched off.
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog", name="Keyboard shortcuts")
    expect(dialog).to_be_visible()
    assert list(faults(page, "keys")) == []
    picture(page, "keys-dialog")
    page.keyboard.press("j")  # rests in a dialog
    dialog.get_by_label("Use single-key shortcuts").uncheck()
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    page.keyboard.press("g")
    page.keyboard.press("t")
    page.keyboard.press("Control+k")
    expect(palette).to_be_visible()
    assert page.url.endswith("/orders/")
    page.keyboard.press("Escape")
    expect(palette).to_have_count(0)
    page.evaluate("localStorage.keys = 'on'")
    page.keyboard.press("g")
    page.keyboard.press("t")
    page.wait_for_url("**/team/")
    page.keyboard.press("/")  # nothing to search on this page but in the bar
    expect(page.locator("#find")).to_be_focused()


def test_what_is_typed_before_the_keys_have_come_is_searched_for(opens: Opens, orders: list[Order]) -> None:
    page = opens("operator", "/orders/")
    held = list[Route]()
    page.route("**/keys*.js", lambda route: held.append(route))
    with page.expect_request("**/keys*.js"):
        page.keyboard.press("/")
    page.keyboard.type("nike")  # n alone would lead to a new order
    held[0].continue_()
    expect(page.locator("#find")).to_be_focused()
    expect(page.locator("#find")).to_have_value("nike")
    page.keyboard.type("jordan")
    expect(page.locator("#find")).to_have_value("nikejordan")
    assert page.url.endswith("/orders/")


def test_a_walk_with_tab_alone(desk: Desk, opens: Opens, orders: list[Order]) -> None:
    page = opens("operator", "/orders/")
    row = f"o{orders[0].pk}"
    wanted = {"#main", "/orders/new/", "/orders/?status=completed", "/orders/refills/", "tick-page"}
    met = list[str]()
    for _ in range(60):
        page.keyboard.press("Tab")
        met += page.evaluate("(e => [e.id, e.getAttribute('href'), e.tagName])(document.activeElement)")
        if page.locator("#rows :focus").count():
            break
    assert wanted <= set(met), wanted - set(met)
    # The rows are one stop, in which arrows walk.
    for _ in range(orders[-1].pk - orders[0].pk):
        page.keyboard.press("ArrowDown")
    assert focused(page) == row
    page.keyboard.press("ArrowLeft")
    assert focused(page) == f"{row}-t"
    for _ in range(9):
        page.keyboard.press("ArrowRight")
        if focused(page) == f"{row}-r":
            break
    assert "SUMMARY" in met  # the menu, which leads to the keys and to the palette
    page.keyboard.press("Enter")
    says_yes(page, "Ask for refill", key="Enter")
    expect(page.locator(f"#order-{orders[0].pk} [role=img]")).to_have_accessible_name(re.compile("1 pending"))
    assert focused(page) == f"{row}-r"
    page.locator("summary.me").focus()
    page.keyboard.press("Enter")
    for _ in range(9):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.getAttribute('href')") == "/palette/":
            break
    page.keyboard.press("Enter")
    page.wait_for_url("**/palette/")
    page.get_by_label("Go to a place").focus()
    page.keyboard.type(str(orders[1].pk))
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/palette/?q={orders[1].pk}")  # a key pressed while a page still loads may be lost
    page.locator("main").get_by_role("link", name=re.compile(f"^{orders[1].pk}")).focus()
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/orders/{orders[1].pk}/")


def test_the_palette_hears_the_first_key_it_could_be_given(desk: Desk, opens: Opens, orders: list[Order]) -> None:
    page = opens("operator", "/orders/")
    page.evaluate(TYPES_AT_ONCE, str(orders[0].upstream_id))
    page.keyboard.press("Control+k")
    expect(page.get_by_role("option", selected=True)).to_contain_text(str(orders[0].pk))
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/orders/{orders[0].pk}/")

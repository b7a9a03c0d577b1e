"""Whoever uses a keyboard: every Tab stop of every page can be seen, wears a ring, and lies under nothing."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, ViewportSize, expect

from accounts.models import User
from orders.models import Order
from tests.browser.conftest import Desk, Opens
from tests.browser.test_every_page import pages
from tests.makers import make_order

__all__ = ["pages"]  # a fixture

# A desk's screen, a laptop's, a tablet's, a phone's, and a laptop's at 200 % and at 400 %.
SCREENS: tuple[ViewportSize, ...] = (
    {"width": 1440, "height": 900}, {"width": 1152, "height": 720}, {"width": 900, "height": 720},
    {"width": 390, "height": 844}, {"width": 640, "height": 400}, {"width": 320, "height": 256},
)  # fmt: skip
ADMIN = {
    "admin": "/admin/",
    "admin-orders": "/admin/orders/order/",
    "admin-person": "/admin/accounts/user/{mira}/change/",
}
# Goes to each stop as Tab does, and says of each what is wrong with it.
WALK = r"""() => {
    const ENOUGH = 24;  // px of a stop that have to be on the screen; browsers take 32 px of one for all of it
    const STOPS = 'a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex], iframe';
    const isStop = (stop) => stop.checkVisibility({ visibilityProperty: true }) && !stop.disabled && stop.tabIndex >= 0;
    const name = (one) => {
        const words = one.getAttribute('aria-label') || one.textContent || one.name || '';
        return `${one.tagName}#${one.id}.${one.className} “${words.trim().replace(/\s+/g, ' ').slice(0, 40)}”`;
    };
    const part = (stop) => {  // of its box what no edge cuts off
        let { left, top, right, bottom } = stop.getBoundingClientRect();
        const cut = (edge) => {
            [left, top] = [Math.max(left, edge.left), Math.max(top, edge.top)];
            [right, bottom] = [Math.min(right, edge.right), Math.min(bottom, edge.bottom)];
        };
        cut({ left: 0, top: 0, right: innerWidth, bottom: innerHeight });
        for (let at = stop.parentElement; at && at !== document.body; at = at.parentElement) {
            if (getComputedStyle(at).overflowX !== 'visible') cut(at.getBoundingClientRect());
        }
        return { left, top, width: right - left, height: bottom - top };
    };
    const why = (stop) => {
        const box = stop.getBoundingClientRect(), shown = part(stop);
        if (box.width < 3 || box.height < 3) return 'has no size';
        if (shown.width < Math.min(box.width, ENOUGH)) return 'is off the screen';
        if (shown.height < Math.min(box.height, ENOUGH) - 1) return 'is off the screen';
        const hit = document.elementFromPoint(shown.left + shown.width / 2, shown.top + shown.height / 2);
        const isOwn = [stop, ...(stop.labels ?? [])].some((own) => own.contains(hit) || hit?.contains(own));
        if (!isOwn) return `lies under ${hit ? name(hit) : 'nothing'}`;
        let isRinged = false;
        for (let at = stop; at; at = at.parentElement) {
            const { outlineStyle, outlineWidth, opacity, clipPath } = getComputedStyle(at);
            if (opacity === '0' || clipPath === 'inset(50%)') return 'is not drawn';
            if (outlineStyle === 'none' || parseFloat(outlineWidth) < 1) continue;
            isRinged ||= at.matches(':focus-visible, :has(:focus-visible)');
        }
        return isRinged ? '' : 'has no ring';
    };
    const faults = [];
    for (const stop of [...document.querySelectorAll(STOPS)].filter(isStop)) {
        if (!stop.isConnected || !isStop(stop)) continue;
        stop.focus();
        if (document.activeElement !== stop) continue;  // of a group of radios another one has it
        const fault = why(stop);
        if (fault) faults.push(`${name(stop)} ${fault}`);
    }
    scrollTo(0, 0);
    return faults;
}"""


def faults(page: Page, name: str) -> Iterator[str]:
    """Of the page at each of the sizes, which it takes on without being loaded anew."""
    for screen in SCREENS:
        page.set_viewport_size(screen)
        for fault in page.evaluate(WALK):
            yield f"{name} at {screen['width']}: {fault}"


def misnamed(page: Page, name: str) -> Iterator[str]:
    """A page that has no heading of the first rank, or several, or one that leaves out a word of its title."""
    headings, title = page.locator("h1").all_inner_texts(), page.title().split(" · ")[0]
    if len(headings) != 1 or not set(title.split()) <= set(headings[0].replace(":", " ").split()):
        yield f"{name}: “{title}” is headed {headings}"


@pytest.mark.slow
def test_no_tab_stop_of_any_page_is_hidden_and_each_page_has_one_name(
    desk: Desk, opens: Opens, pages: dict[str, str]
) -> None:
    mira = User.objects.get(username="mira")
    page = opens(mira, "/orders/", width=SCREENS[0])
    page.evaluate("localStorage.walked = 'yes'")  # or a word about arrows stands on the page for some seconds, once
    found: list[str] = []
    for name, path in (pages | ADMIN).items():
        page.goto(desk.url + path.format(mira=mira.pk))
        page.keyboard.press("Tab")
        found += [*misnamed(page, name), *faults(page, name)]
    page.set_viewport_size(SCREENS[0])
    page.goto(f"{desk.url}/orders/")
    page.locator("#tick-page").press("Space")  # the bar of ticked rows comes
    found += faults(page, "orders, ticked")
    assert not found, "\n".join(found)


# ── The way to the rows ──────────────────────────────────────────────────────────────────────────
@pytest.fixture
def orders(desk: Desk) -> list[Order]:
    """More than fit a page, so that it has a pager; newest first."""
    service = make_order("completed").service
    return [make_order("completed", service=service) for _ in range(60)][::-1]


def focused(page: Page) -> str:
    found: str = page.evaluate("document.activeElement.id")
    return found


def test_the_way_to_the_first_order_and_from_the_ticks_to_what_is_done_with_them(
    desk: Desk, opens: Opens, orders: list[Order]
) -> None:
    page = opens("operator", "/orders/")
    first, second = (f"o{order.pk}" for order in orders[:2])
    for _ in range(2):
        page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the orders")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator(f"#{first}")).to_be_focused()
    page.keyboard.press("ArrowDown")
    assert focused(page) == second
    for _ in range(2):
        page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Space")  # on the tick of the whole page
    expect(page.locator("#ticked")).to_have_text("the 50 ticked")
    assert focused(page) == "tick-page"
    page.keyboard.press("Tab")
    assert focused(page) == first
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    expect(page.get_by_label("the 50 ticked on this page")).to_be_focused()
    page.keyboard.press("Shift+Tab")
    assert focused(page) == second  # where one was
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowUp")
    assert focused(page) == f"{first}-t"  # arrows keep to the column
    page.keyboard.press("Shift+Tab")
    assert page.evaluate("document.activeElement.closest('thead') !== null")


@pytest.mark.slow
def test_the_rows_stay_one_stop_when_a_poll_brings_them_anew(desk: Desk, opens: Opens, orders: list[Order]) -> None:
    page = opens("viewer", "/orders/")
    first = orders[0]
    page.locator(f"#o{first.pk}-s").focus()
    first.status, first.version = "partial", first.version + 1
    first.save(update_fields=["status", "version"])
    page.evaluate("htmx.trigger('#poll', 'desk:poll')")
    expect(page.locator(f"#order-{first.pk}")).to_contain_text("Partial")
    page.keyboard.press("ArrowDown")
    assert focused(page) == f"o{orders[1].pk}-s"
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Older")).to_be_focused()


# ── What lies over the page goes away ────────────────────────────────────────────────────────────
def test_a_menu_closes_when_the_focus_leaves_it(desk: Desk, opens: Opens, orders: list[Order]) -> None:
    page = opens("operator", "/orders/")
    menu = page.locator("details.export")
    menu.locator("summary").focus()
    page.keyboard.press("Enter")
    for _ in range(2):
        page.keyboard.press("Tab")
    expect(menu).to_have_attribute("open", "")
    page.keyboard.press("Tab")
    expect(menu).not_to_have_attribute("open", "")
    menu.locator("summary").click()
    menu.locator(".drop").click(position={"x": 2, "y": 2})  # beside its links
    expect(menu).to_have_attribute("open", "")


@pytest.mark.slow
def test_a_reason_can_be_pointed_at_and_goes_on_escape(desk: Desk, opens: Opens, orders: list[Order]) -> None:
    page = opens("operator", "/orders/")
    button = page.locator(f"#o{orders[3].pk}-k")
    tip = page.locator(f"#o{orders[3].pk}-k-w")
    button.hover()
    expect(tip).to_be_visible()
    near, far = button.bounding_box(), tip.bounding_box()
    assert near and far
    for y in range(int(near["y"]) + 4, int(far["y"]) + 4, -1):  # px by px, over what lies between
        page.mouse.move(near["x"] + 8, y)
    expect(tip).to_be_visible()
    page.keyboard.press("Escape")
    expect(tip).to_be_hidden()
    page.mouse.move(0, 0)
    button.focus()
    expect(tip).to_be_visible()
    page.keyboard.press("Escape")
    expect(tip).to_be_hidden()

"""Whoever uses a keyboard: every Tab stop of every page can be seen, wears a ring, and lies under nothing."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, ViewportSize

from accounts.models import User
from tests.browser.conftest import Desk, Opens
from tests.browser.test_every_page import pages

__all__ = ["pages"]  # a fixture

# Besides the desks' two: a laptop's half screen, a tablet, a phone, and a laptop at 400 %.
SCREENS: tuple[ViewportSize, ...] = (
    {"width": 1440, "height": 900}, {"width": 1152, "height": 720}, {"width": 900, "height": 720},
    {"width": 390, "height": 844}, {"width": 320, "height": 256},
)  # fmt: skip
ADMIN = {
    "admin": "/admin/", "admin-orders": "/admin/orders/order/", "admin-person": "/admin/accounts/user/add/",
}
# Goes to each stop as Tab does, and says of each what is wrong with it.
WALK = """() => {
    const STOPS = 'a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex], iframe';
    const seen = (stop) => stop.checkVisibility({ visibilityProperty: true }) && !stop.disabled && stop.tabIndex >= 0
        && !stop.closest('[inert]');
    const stops = [...document.querySelectorAll(STOPS)].filter(seen);
    const faults = [];
    const ENOUGH = 24;  // px of a stop that have to be on the screen; browsers take 32 px of one for all of it
    const part = (stop) => {  // of its box what no edge cuts off
        let { left, top, right, bottom } = stop.getBoundingClientRect();
        [left, top, right, bottom] = [Math.max(left, 0), Math.max(top, 0), Math.min(right, innerWidth), Math.min(bottom, innerHeight)];
        for (let at = stop.parentElement; at && at !== document.body; at = at.parentElement) {
            if (getComputedStyle(at).overflowX === 'visible') continue;
            const edge = at.getBoundingClientRect();
            [left, top, right, bottom] = [Math.max(left, edge.left), Math.max(top, edge.top), Math.min(right, edge.right), Math.min(bottom, edge.bottom)];
        }
        return { left, top, right, bottom };
    };
    const name = (stop) => `${stop.tagName.toLowerCase()}${stop.id && '#' + stop.id}.${stop.className} `
        + `“${(stop.getAttribute('aria-label') || stop.textContent || stop.name || '').trim().replace(/\\s+/g, ' ').slice(0, 40)}”`;
    for (const stop of stops) {
        if (!stop.isConnected || !seen(stop)) continue;
        stop.focus();
        if (document.activeElement !== stop) continue;  // of a group of radios another one has it
        const [box, shown] = [stop.getBoundingClientRect(), part(stop)];
        const [wide, high] = [shown.right - shown.left, shown.bottom - shown.top];
        const own = (at) => at && (stop.contains(at) || at.contains(stop) || [...(stop.labels ?? [])].some((label) => label.contains(at)));
        const hit = document.elementFromPoint(shown.left + wide / 2, shown.top + high / 2);
        if (box.width < 3 || box.height < 3) faults.push(`${name(stop)} has no size`);
        else if (wide < Math.min(box.width, ENOUGH) || high < Math.min(box.height, ENOUGH) - 1) faults.push(`${name(stop)} is off the screen`);
        else if (!own(hit)) faults.push(`${name(stop)} lies under ${hit ? name(hit) : 'nothing'}`);
        let ring = false;
        for (let at = stop; at; at = at.parentElement) {
            const style = getComputedStyle(at);
            ring ||= style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 1 && at.matches(':focus-visible, :has(:focus-visible)');
            if (style.opacity === '0' || style.clipPath === 'inset(50%)') faults.push(`${name(stop)} is not drawn`);
        }
        if (!ring) faults.push(`${name(stop)} has no ring`);
    }
    scrollTo(0, 0);
    return [stops.length, faults];
}"""


def faults(page: Page, name: str) -> Iterator[str]:
    for screen in SCREENS:
        page.set_viewport_size(screen)
        count, found = page.evaluate(WALK)
        for fault in found:
            yield f"{name} at {screen['width']}: {fault}"


@pytest.mark.slow
def test_no_tab_stop_of_any_page_is_hidden(desk: Desk, opens: Opens, pages: dict[str, str]) -> None:
    page = opens(User.objects.get(username="mira"), "/orders/", width=SCREENS[0])
    found: list[str] = []
    for name, path in (pages | ADMIN).items():
        page.goto(desk.url + path)
        page.keyboard.press("Tab")
        found += faults(page, name)
    assert not found, "\n".join(found)

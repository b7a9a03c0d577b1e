"""What is drawn and said so that it reaches everybody: own colours, large aims, titles, whole names without hover."""

from collections.abc import Iterator

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page, expect

from accounts.models import User
from tests.browser.conftest import NARROW, WIDE, Desk, Opens
from tests.browser.test_every_page import faults, pages
from tests.makers import make_order, make_service

__all__ = ["pages"]  # a fixture

# Of a row the words of its service and when it was placed, and null for what is cut off.
SHOWN = """row => ['.name', '.c-id time'].map((where) => {
    const one = document.querySelector(`${row} ${where}`), cell = one.closest('td');
    const isWhole = cell.scrollWidth <= cell.clientWidth + 1 && getComputedStyle(one).overflowX === 'visible';
    return isWhole ? getComputedStyle(one, '::after').content.slice(1, -1).replace('attr(title)', one.title) : null;
})"""
MIDDLE = (1152, 901)  # px; the other widths are looked at in test_every_page.py
AIMS = {"runOnly": {"type": "rule", "values": ["target-size"]}, "resultTypes": ["violations"]}
# Each thing that is drawn and says something: where, which part of it, and the property that draws it.
DRAWN = [
    *((where, "", "fill") for where in (".gauge .val", ".hour rect", ".refill .u", ".refill .p")),
    *((where, "", "stroke") for where in (".gauge .track", ".hour .limit", ".chart .steps", ".chart .mark",
                                          ".spark", ".refill .pr", ".refill .l")),
    *((where, "::before", "mark") for where in (".badge", ".live", ".line li:not(.day)")),
    *((where, "", "border-top-color") for where in (".check:not(:checked)", ".in-t")),
    ("progress", "", "border-bottom-color"), ("progress", "", "--pg"), (".key", "", "background-color"),
]  # fmt: skip
# Says what stands out less than 3:1 from what is behind it.
FAINT = r"""drawn => {
    const paint = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
    const rgba = (colour) => {
        paint.clearRect(0, 0, 1, 1);
        paint.fillStyle = colour;
        paint.fillRect(0, 0, 1, 1);
        return [...paint.getImageData(0, 0, 1, 1).data];
    };
    const light = (colour) => rgba(colour).slice(0, 3).map((part) => part / 255)
        .map((part) => (part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4))
        .reduce((sum, part, at) => sum + part * [0.2126, 0.7152, 0.0722][at], 0);
    const apart = (...two) => {
        const [low, high] = two.map(light).sort((a, b) => a - b);
        return (high + 0.05) / (low + 0.05);
    };
    const behind = (one) => {
        for (let at = one; at; at = at.parentElement) {
            const colour = getComputedStyle(at).backgroundColor;
            if (rgba(colour)[3] === 255) return colour;
        }
        return 'Canvas';
    };
    const found = new Map();
    for (const [where, part, property] of drawn) {
        for (const one of document.querySelectorAll(`:is(main, header) ${where}`)) {
            const style = getComputedStyle(one, part || null);
            if (style.appearance === 'auto' || !one.checkVisibility() || style.content === 'none') continue;
            one.style.color = `var(${property})`;
            const colours = property === '--pg' ? [style.color]
                : property === 'mark' ? [style.backgroundColor, style.boxShadow.match(/^rgba?[^)]*.|$/)[0] || '#0000']
                : [style.getPropertyValue(property)];  // a mark is a dot, or a ring around nothing
            const back = behind(part || property.startsWith('border-bottom') ? one : one.parentElement);
            const ratio = Math.max(...colours.map((colour) => apart(rgba(colour)[3] ? colour : back, back)));
            one.style.color = '';
            if (ratio < 2.99) found.set(where, `${where} ${property} ${colours} on ${back}: ${ratio.toFixed(2)}`);
        }
    }
    return [...found.values()];
}"""
LOOKS = (("light", "none", ""), ("dark", "none", ""), ("light", "active", ""), ("dark", "active", "light"))


def faint(page: Page, name: str) -> Iterator[str]:
    """In light and dark, and in the person's own colours, the desk set to another than theirs as well."""
    for colours, forced, theme in LOOKS:
        page.emulate_media(color_scheme=colours, forced_colors=forced)  # type: ignore[arg-type]  # a literal of a tuple
        page.evaluate("theme => { document.documentElement.dataset.theme = theme; }", theme)
        for fault in page.evaluate(FAINT, DRAWN):
            yield f"{name}, {colours}, forced colours {forced}: {fault}"


@pytest.mark.slow
def test_what_is_drawn_stands_out_also_in_a_persons_own_colours(
    desk: Desk, opens: Opens, pages: dict[str, str]
) -> None:
    page = opens(User.objects.get(username="mira"), "/orders/", width=WIDE)
    found: list[str] = []
    for name in ("orders", "order", "new", "upstream", "balance", "late", "services", "job", "alarms", "components"):
        page.goto(desk.url + pages[name])
        found += faint(page, name)
    assert not found, "\n".join(found)


@pytest.mark.slow
def test_no_aim_is_too_small_on_screens_between(desk: Desk, opens: Opens, pages: dict[str, str]) -> None:
    page = opens(User.objects.get(username="mira"), "/orders/")
    found: list[str] = []
    for name in ("orders", "order", "services", "late", "new", "job"):
        page.goto(desk.url + pages[name])
        page.evaluate(f"{AXE_SCRIPT}; null")
        for width in MIDDLE:
            page.set_viewport_size({"width": width, "height": 800})
            for fault in page.evaluate("rules => axe.run(rules).then(found => found.violations)", AIMS):
                found += [f"{name} at {width}: {node['html'][:140]}" for node in fault["nodes"]]
    assert not found, "\n".join(found)


def test_a_wrong_sign_in_leads_to_what_is_wrong(desk: Desk, opens: Opens) -> None:
    page = opens("stranger", "/accounts/login/")
    name = page.get_by_label("Username or e-mail")
    expect(name).to_have_attribute("autocomplete", "username")
    name.fill("nobody")
    page.get_by_label("Password").fill("wrong")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_be_focused()
    page.keyboard.press("Tab")
    expect(name).to_be_focused()


def test_names_are_told_in_their_language_and_whole_without_a_pointer(desk: Desk, opens: Opens) -> None:
    """In the row, on a phone too; the switch is kept in the browser."""
    service = make_service(name="Подписчики Instagram живые русские, быстрый старт, без списаний, гарантия 30 дней")
    order = make_order("completed", service=service, reported_at=None)
    page = opens("operator", "/orders/")
    row = page.locator(f"#order-{order.pk}")
    name, placed = row.locator(".name"), row.locator(".c-id time")
    expect(name.locator("bdi")).to_have_attribute("lang", "ru")
    page.locator("summary.me").click()
    page.get_by_role("button", name="Whole names, exact times").click()
    expect(page.get_by_role("button", name="Whole names, exact times")).to_have_attribute("aria-pressed", "true")
    page.reload()
    for width in (WIDE, {"width": 1100, "height": 800}, NARROW):
        page.set_viewport_size(width)  # type: ignore[arg-type]  # each is a ViewportSize
        shown = page.evaluate(SHOWN, f"#order-{order.pk}")
        assert shown == [service.name, placed.get_attribute("title")]
    page.locator("summary.me").click()
    page.get_by_role("button", name="Whole names, exact times").click()
    expect(page.locator("html")).not_to_contain_class("is-whole")


def test_a_saved_view_gives_the_page_its_name(desk: Desk, opens: Opens) -> None:
    make_order("completed")
    page = opens("operator", "/orders/?status=completed")
    assert page.title() == "Completed · Order Desk"
    page.get_by_text("Save view").first.click()
    page.get_by_label("Name", exact=True).fill("Done this week")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Orders: Done this week")
    assert page.title() == "Done this week · Order Desk"


def test_the_link_back_is_told_from_the_number_beside_it(desk: Desk, opens: Opens) -> None:
    """By more than its colour, where the number is long enough for axe to take both for a sentence."""
    page = opens("operator", f"/orders/{make_order('completed').pk}/")
    page.evaluate("document.querySelector('.crumb [aria-current]').textContent = '100567'")
    assert list(faults(page, "order")) == []

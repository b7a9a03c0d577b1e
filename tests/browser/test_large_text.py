"""Whoever has set larger letters in their browser gets every page larger, as by its zoom, and nothing of it cut."""

import re
from typing import Any

import pytest
from playwright.sync_api import BrowserType

from accounts.models import User
from panel.settings import BASE_DIR
from tests.browser.conftest import WIDE, Desk
from tests.browser.test_every_page import pages

__all__ = ["pages"]  # a fixture

NOT_STYLE = re.compile(r"/\*.*?\*/", re.DOTALL)
LENGTH = re.compile(r"(?<![\w.#])(\d*\.?\d+)px")
HAIRLINE = 2  # px
TWICE = "--blink-settings=defaultFontSize=32"  # px; 16 where nobody has chosen
# The texts that an ancestor cuts off above or below, but for what is out of sight or ends in … on purpose.
CUT = r"""() => {
    const cut = [];
    for (const el of document.querySelectorAll('body *')) {
        const isText = [...el.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
        const box = el.getBoundingClientRect();
        if (!isText || box.width < 3 || !el.checkVisibility({ visibilityProperty: true })) continue;
        const above = [];
        for (let at = el; at !== document.body; at = at.parentElement) above.push(at);
        const style = (at) => getComputedStyle(at);
        const isMeant = (at) => style(at).clipPath === 'inset(50%)' || style(at).webkitLineClamp !== 'none';
        const cuts = (at) => {
            const edge = at.getBoundingClientRect(), isOut = box.bottom > edge.bottom + 3 || box.top < edge.top - 3;
            return isOut && ['hidden', 'clip'].includes(style(at).overflowY);
        };
        const by = above.find(cuts);
        if (by && !above.some(isMeant)) cut.push(`${el.outerHTML.slice(0, 80)} in ${by.className}`);
    }
    if (document.documentElement.scrollWidth > innerWidth) cut.push('the page is too wide');
    return cut;
}"""


@pytest.mark.slow
def test_text_of_twice_the_size_is_whole_on_every_page(
    desk: Desk, browser_type: BrowserType, browser_type_launch_args: dict[str, Any], pages: dict[str, str]
) -> None:
    browser = browser_type.launch(**{**browser_type_launch_args, "args": [*browser_type_launch_args["args"], TWICE]})
    with browser.new_context(viewport=WIDE) as context:
        desk.sign_in(context, User.objects.get(name="Olivia"))
        page = context.new_page()
        cut = {}
        for name, path in pages.items():
            page.goto(desk.url + path)
            assert page.evaluate("getComputedStyle(document.documentElement).fontSize") == "32px"
            if found := page.evaluate(CUT):
                cut[name] = found[:5]
    browser.close()
    assert cut == {}


def test_no_length_keeps_its_size_when_letters_grow() -> None:
    """Hairlines and rings may. A media query in px would ask about another size than the page's."""
    kept = {
        f"{style.name}: {length}"
        for style in (BASE_DIR / "static/css").glob("*.css")
        for length in LENGTH.findall(NOT_STYLE.sub("", style.read_text()))
        if float(length) > HAIRLINE
    }
    assert kept == set()

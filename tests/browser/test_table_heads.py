"""Whoever hears a table: every cell is read under its own head, at every width, and each row has its header."""

import pytest
from playwright.sync_api import Page

from accounts.models import User
from orders.models import Order
from tests.browser.conftest import Desk, Opens
from tests.browser.test_every_page import pages

__all__ = ["pages"]  # a fixture

# Widths at which a table takes on another shape, and one between each two.
WIDTHS = (1440, 1300, 1152, 1000, 900, 390)
# What is taken out of the page is taken out of the table as well, and the cells after it move up under other heads.
HEADS = r"""() => {
    const there = (cell) => cell.checkVisibility({ visibilityProperty: true });
    const places = (row) => { // of the cells that are there, each by the column that it stands in
        let at = 0;
        const found = [];
        for (const cell of row.cells) {
            if (there(cell)) found.push(...Array.from({ length: cell.colSpan }, (_, more) => at + more));
            at += cell.colSpan;
        }
        return found.join();
    };
    const faults = new Map(); // one of a table is enough
    for (const table of document.querySelectorAll('main table')) {
        const name = table.caption?.textContent.trim().replace(/\s+/g, ' ') ?? table.className;
        const [head, ...rows] = table.rows;
        if (!table.tHead) continue;
        for (const row of rows) {
            const words = row.textContent.trim().slice(0, 20), [at, heads] = [places(row), places(head)];
            const own = row.querySelector(':scope > :is([role=rowheader], th[scope=row])');
            if (at !== heads) faults.set(table, `${name}: heads ${heads}, cells ${at} of “${words}”`);
            if (!own) faults.set(table, `${name}: “${words}” has no header`);
        }
    }
    return [...faults.values()];
}"""


def faults(page: Page, name: str) -> list[str]:
    found = []
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        found += [f"{name} at {width}: {fault}" for fault in page.evaluate(HEADS)]
    return found


@pytest.mark.slow
def test_every_cell_stands_under_its_own_head(desk: Desk, opens: Opens, pages: dict[str, str]) -> None:
    page = opens(User.objects.get(username="mira"), "/orders/")
    tables = ("orders", "late", "charges", "drift", "balance", "services", "upstream", "webhooks", "team", "job",
              "components")  # fmt: skip
    others = {"all-columns": "/orders/?cols=remains,start,upstream,link,charge,assigned", "refills": "/orders/refills/"}
    found: list[str] = []
    for name, path in [*((name, pages[name]) for name in tables), *others.items()]:
        page.goto(desk.url + path)
        found += faults(page, name)
    page.goto(desk.url + "/orders/bulks/new/")
    page.get_by_label("A chat message").fill(f"{Order.objects.latest('pk').pk} 77777")
    page.get_by_role("button", name="Refill…").click()
    page.locator(".grid-a").wait_for()
    found += faults(page, "pasted message")
    assert not found, "\n".join(found)

"""Texts that mean harm, on every page that shows many: nothing of them runs, and no row is broken by them."""

from typing import Any

import pytest
from playwright.sync_api import Page, ViewportSize

from accounts.access import Role
from orders.models import Bulk, Order
from tests.browser.conftest import NARROW, WIDE, Desk, Opens
from tests.hostile import HOSTILE, furnish
from tests.makers import make_user

pytestmark = pytest.mark.slow
WORST = 420, 120  # px that a row of the orders table may be high: as a card, and in the table
# Rows that are too high, and rows that reach into the next one or beyond the screen's side.
ROWS = """most => {
  const rows = [...document.querySelectorAll("tr.row, .kept li, .jobs li, .line li, .tree a")];
  const found = [];
  rows.forEach((row, at) => {
    const box = row.getBoundingClientRect(), next = rows[at + 1]?.getBoundingClientRect();
    if (!box.height) return;
    if (row.id.startsWith("order-") && box.height > most) found.push(`${row.id} is ${box.height} px high`);
    const follows = next?.height && row.nextElementSibling === rows[at + 1] && next.left < box.right - 1;
    if (follows && next.top < box.bottom - 1)
      found.push(`${row.id || row.tagName} ${at} lies over the next`);
    for (const part of row.querySelectorAll("td > *, p, a, b, span")) {
      const inner = part.getBoundingClientRect(), style = getComputedStyle(part);
      if (!inner.height || style.position === "absolute" || part.closest(".vh, .tip, .drop, .clip, .host")) continue;
      const what = `${row.id || row.tagName} ${at}: ${part.className || part.tagName}`;
      if (inner.bottom > box.bottom + 1) found.push(`${what} reaches below`);
      if (inner.right > innerWidth + 1) found.push(`${what} reaches beyond the side`);
    }
  });
  return [...new Set(found)];
}"""


def pages(order: Order) -> list[str]:
    job = Bulk.objects.latest("pk").get_absolute_url()
    lists = ("", "views/", "refills/", "cancels/", "bulks/", "filters/", "?q=%3Cscript%3E", f"{order.pk}/")
    places = ("/services/", "/activity/", "/team/", job, f"/orders/new/?service={order.service.upstream_id}")
    return [*(f"/orders/{rest}" for rest in lists), *places]


@pytest.mark.parametrize("width", [WIDE, NARROW], ids=["wide", "narrow"])
def test_nothing_of_it_runs_and_no_row_breaks(desk: Desk, opens: Opens, width: ViewportSize) -> None:
    owner = make_user(Role.OWNER)
    orders = furnish(HOSTILE, owner)
    page, faults = opens(owner, "/keys/", width=width), list[Any]()
    page.on("dialog", lambda dialog: faults.append(dialog.message))
    page.on("console", lambda said: faults.append(f"{page.url}: {said.text}") if said.type == "error" else None)
    page.on(
        "request", lambda asked: faults.append(asked.url) if not asked.url.startswith((desk.url, "data:")) else None
    )
    for path in pages(orders[-1]):
        page.goto(desk.url + path)
        faults += [(path, fault) for fault in broken(page, WORST[width is WIDE])]
    assert not faults, "\n".join(map(str, faults))


def broken(page: Page, most: int) -> list[str]:
    faults: list[str] = page.evaluate(ROWS, most)
    if page.evaluate("'__xss' in window"):
        faults.append("a text ran as a script")
    beyond = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return [*faults, f"scrolls {beyond} px sideways"] if beyond else faults

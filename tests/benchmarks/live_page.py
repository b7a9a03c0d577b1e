"""An open orders page in a real browser: that nothing on it jumps while it polls, and how long a swap of rows takes."""

import os
from statistics import quantiles
from typing import Any

from django.conf import settings
from django.db import connections
from playwright.sync_api import Page, sync_playwright

from orders.models import Order
from panel.management.commands.demo import HERE
from tests.benchmarks import data, measure
from tests.benchmarks.first_visit import serving
from tests.benchmarks.page import browser_of
from tests.chromium import chromium
from tests.upstream import free_port

os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"  # playwright's loop runs in this thread
POLLS, SWAPS, ROWS = 100, 40, 50
CHANGED = 5  # rows that move with each of the polls
MOST_MS = 50  # from the answer's arrival to the page laid out anew

# Collects what shifts, and what moved.
WATCH = """() => {
  window.shifts = [];
  new PerformanceObserver((list) => list.getEntries().forEach(({ value, sources }) => shifts.push(
    `${value.toFixed(4)} by ${sources.map(({ node }) => node?.id || node?.className || node?.nodeName).join(", ")}`,
  ))).observe({ type: "layout-shift", buffered: true });
}"""
# One poll, now; gives the milliseconds from its answer to the page as it stands after it, laid out.
POLL = """() => new Promise((done) => {
  const poll = document.getElementById("poll");
  let came = 0;
  poll.addEventListener("htmx:beforeOnLoad", () => { came = performance.now(); }, { once: true });
  poll.addEventListener("htmx:afterRequest", () => {
    document.body.getBoundingClientRect();
    done(performance.now() - came);
  }, { once: true });
  htmx.trigger(poll, "desk:poll");
})"""
# What a person has in hand: a menu that is open, a field with the focus and a part of it selected, a place on the page.
SETTLE = """() => {
  document.querySelector(".tools details").open = true;
  scrollTo(0, 400);
  const find = document.getElementById("find");
  find.value = "lumen.studio"; find.focus({ preventScroll: true }); find.setSelectionRange(2, 7);
}"""
IN_HAND = """() => { const at = document.activeElement; return [
  scrollY, at.id, at.selectionStart, at.selectionEnd, document.querySelector(".tools details").open];
}"""


def main() -> int:
    figures = measure.Figures(f"a live page: Chromium, {ROWS} rows, {POLLS} polls that change {CHANGED} of them")
    figures.say(f"load of the machine: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    with measure.desk(pages=True) as folder:
        owner = data.open_desk()
        data.write_orders(1, data.RECENT)
        session = browser_of(owner).cookies[settings.SESSION_COOKIE_NAME].value
        url = f"http://{HERE}:{free_port()}"
        with serving(folder, int(url.rpartition(":")[2])), sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
            context = browser.new_context(viewport={"width": 1440, "height": 1000})
            context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": url}])
            page = context.new_page()
            page.goto(f"{url}/orders/", wait_until="networkidle")
            judge(page, figures)
            browser.close()
        connections.close_all()
    figures.say(f"load of the machine: {os.getloadavg()[0]:.1f}")
    return figures.end()


def judge(page: Page, figures: measure.Figures) -> None:
    ids = page.evaluate("[...document.querySelectorAll('tr[data-v]')].map(row => row.id)")
    pks = [int(row.removeprefix("order-")) for row in ids]
    assert len(pks) == ROWS
    page.evaluate(WATCH)
    page.evaluate(SETTLE)
    page.wait_for_timeout(600)  # ms; what is shown and scrolled by a person is no shift, and is over
    before = page.evaluate("shifts.length"), page.evaluate(IN_HAND)
    few = []
    for turn in range(POLLS):
        change(pks[turn * CHANGED % ROWS :][:CHANGED], turn)
        few.append(page.evaluate(POLL))
    for shift in (shifts := page.evaluate("shifts")[before[0] :])[:10]:
        figures.say(f"shifted: {shift}")
    figures.exactly(f"layout shifts in {POLLS} polls", len(shifts), 0)
    figures.exactly("place, focus, selection, open menu", page.evaluate(IN_HAND), before[1])
    page.evaluate("document.querySelector('h1').style.paddingTop = '40px'")
    page.wait_for_timeout(200)  # ms; a shift is told with the next frame
    figures.at_least("and one that is made on purpose is seen", page.evaluate("shifts.length") - before[0], 1)
    times = []
    for turn in range(SWAPS):
        change(pks, POLLS + turn)
        times.append(page.evaluate(POLL))
    usual, all_ = (quantiles(found, n=20) for found in (few, times))
    for rows, cuts in ((CHANGED, usual), (ROWS, all_)):
        figures.say(f"{rows} rows swapped and laid out: p50 {cuts[9]:.1f} ms, p95 {cuts[18]:.1f} ms")
        figures.at_most(f"answer to settled page, {rows} rows, p95 in ms", cuts[18], MOST_MS)


def change(pks: list[int], turn: int) -> Any:
    """Facts of other lengths each time, as upstream reports them."""
    facts = {"start_count": 7 * 10 ** (turn % 7), "charge": "12.345678" if turn % 2 else "0.9"}
    return Order.objects.filter(pk__in=pks).change(**facts)


if __name__ == "__main__":
    raise SystemExit(main())

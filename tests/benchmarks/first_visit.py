"""The first visit with an empty cache: what a real browser loads from a real server, in bytes on the wire."""

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from django.conf import settings
from django.db import connection
from django.urls import reverse
from playwright.sync_api import Browser, sync_playwright

from panel.demo.processes import Processes
from panel.management.commands.demo import HERE, START_SECONDS, answer, gunicorn
from tests.benchmarks import data, measure
from tests.benchmarks.page import browser_of
from tests.chromium import chromium
from tests.upstream import free_port

MOST_BYTES = 60_000
MOST_REQUESTS = 8
MOST_ELEMENTS = 2_450  # of the orders page with 50 rows; it had 2,996


class Load(NamedTuple):
    """One thing that the browser fetched; `size` is of the answer's head and body as they came, in bytes."""

    url: str
    size: int


def main() -> int:
    figures = measure.Figures("first visit: Chromium with an empty cache, gunicorn, whitenoise")
    with measure.desk(pages=True) as folder:
        owner = data.open_desk()
        data.write_orders(1, data.RECENT)
        session = browser_of(owner).cookies[settings.SESSION_COOKIE_NAME].value
        port = free_port()
        with serving(folder, port), sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
            for what, name, cookie in (("sign-in page", "account_login", ""), ("orders page", "orders:index", session)):
                loads, elements = visit(browser, f"http://{HERE}:{port}{reverse(name)}", cookie)
                judge(what, loads, figures)
                figures.at_most(f"{what}: elements", elements, MOST_ELEMENTS)
            browser.close()
    return figures.end()


@contextmanager
def serving(folder: Path, port: int) -> Iterator[None]:
    """The desk as `make demo` serves it, on this measurement's database."""
    server = "sqlite://" if measure.on_sqlite() else settings.DATABASE_URL.rpartition("/")[0]
    database = f"{server}/{connection.settings_dict['NAME']}"
    env = os.environ | {"DATABASE_URL": database, "STATIC_ROOT": str(folder / "static")}
    with Processes(env, io.StringIO()) as programs:
        programs.start("web", (sys.executable, "-m", *gunicorn(port)))
        programs.wait_until(lambda: answer(port, "/healthz") == 200, "The web server", START_SECONDS)
        yield


def visit(browser: Browser, url: str, session: str) -> tuple[list[Load], int]:
    """Everything that is loaded until the page is at rest, and the page's elements; its polls come later."""
    context = browser.new_context()
    if session:
        context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": url}])
    page = context.new_page()
    wire = context.new_cdp_session(page)
    urls: dict[str, str] = {}
    loads: list[Load] = []

    def asked(said: dict[str, Any]) -> None:
        urls[said["requestId"]] = said["request"]["url"]

    def came(said: dict[str, Any]) -> None:
        loads.append(Load(urls[said["requestId"]], int(said["encodedDataLength"])))

    wire.on("Network.requestWillBeSent", asked)
    wire.on("Network.loadingFinished", came)
    wire.send("Network.enable")
    answered = page.goto(url, wait_until="networkidle")
    assert answered and answered.status == 200 and page.url == url, f"asked for {url}, got {answered} at {page.url}"
    elements = page.evaluate("document.querySelectorAll('*').length")
    context.close()
    return [load for load in loads if not load.url.startswith("data:")], elements


def judge(what: str, loads: list[Load], figures: measure.Figures) -> None:
    for load in loads:
        figures.say(f"{what}: {load.size:7,} bytes {urlsplit(load.url).path}")
    strangers = {host for load in loads if (host := urlsplit(load.url).hostname) != HERE}
    figures.at_most(f"{what}: bytes on the wire", sum(load.size for load in loads), MOST_BYTES)
    figures.at_most(f"{what}: requests", len(loads), MOST_REQUESTS)
    figures.exactly(f"{what}: other hosts", strangers, set())


if __name__ == "__main__":
    raise SystemExit(main())

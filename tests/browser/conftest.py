"""A real Chromium in front of a real desk: web server, worker and supplier, each over its own socket."""

import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from django.conf import settings
from django.core.signals import request_finished, request_started
from django.db import connections
from django.test import Client as Session
from django.utils import timezone
from playwright.sync_api import Browser, BrowserContext, Page, Route, ViewportSize, expect
from pytest_django.live_server_helper import LiveServer

from accounts.access import Role
from accounts.models import User
from orders.following.poll import apply_reports
from orders.models import Order
from panel.notpanel.client import Client
from panel.notpanel.shapes import Reports
from panel.upstream.client import record_call
from panel.worker import loop
from tests.chromium import chromium
from tests.makers import make_report, make_user
from tests.upstream import Upstream

os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"  # playwright's loop runs in the test's thread
HANG = 60_000  # ms; whatever takes so long, on a machine with other work too, will not come any more
expect.set_options(timeout=HANG)
CALM_LOOKS = 3  # in a row, for a request may have come that nobody has begun

WIDE: ViewportSize = {"width": 1440, "height": 1000}
NARROW: ViewportSize = {"width": 390, "height": 844}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, object]:
    """Debian's Chromium; nothing is downloaded, and it calls nobody."""
    quiet = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking", "--disable-sync",
             "--disable-component-update", "--no-first-run"]  # fmt: skip
    return {"executable_path": chromium(), "args": quiet}


@dataclass
class Desk:
    """The running desk, as a test drives it."""

    url: str
    upstream: Upstream
    phone: Client

    def work(self) -> None:
        """Lets the worker do all that is due."""
        while loop.work_round(self.phone):
            pass

    def sign_in(self, context: BrowserContext, user: User) -> None:
        """By cookie; the sign-in page has a test of its own."""
        session = Session()
        session.force_login(user)
        cookie = session.cookies[settings.SESSION_COOKIE_NAME].value
        context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": cookie, "url": self.url}])


under_way = Counter[str]()  # requests that the web server has begun, and those that it has ended
request_started.connect(lambda **_: under_way.update(["begun"]), weak=False)
request_finished.connect(lambda **_: under_way.update(["ended"]), weak=False)


def wait_for_answers() -> None:
    """Waits until no request is under way. A closed page leaves some behind, and what they write once the tables are
    emptied, other tests would find.
    """
    until = time.monotonic() + HANG / 1000
    calm = 0
    while calm < CALM_LOOKS and time.monotonic() < until:
        calm = calm + 1 if under_way["ended"] >= under_way["begun"] else 0
        time.sleep(0.01)


@pytest.fixture
def desk(transactional_db: None, live_server: LiveServer, upstream: Upstream) -> Iterator[Desk]:
    phone = Client(upstream.url, upstream.key, on_call=record_call, connect_seconds=5, total_seconds=10)
    under_way.clear()  # a test of another kind may have left an answer unread, which never ends
    yield Desk(live_server.url, upstream, phone)
    wait_for_answers()


@pytest.fixture
def working(desk: Desk) -> Iterator[Desk]:
    """The desk with a worker that runs beside it, in a thread of its own."""
    stop = threading.Event()

    def run() -> None:
        try:
            loop.work(desk.phone, stop, once=False)
        finally:
            connections.close_all()

    thread = threading.Thread(target=run)
    thread.start()
    yield desk
    stop.set()
    thread.join(timeout=HANG / 1000)


def reload_before_scripts(page: Page) -> Route:
    """The page anew, as on a slow line: htmx has not come yet, nor what waits for it. `continue_()` lets it come."""
    held: list[Route] = []
    page.route("**/htmx*.js", lambda route: held.append(route))  # playwright takes no builtin
    page.reload(wait_until="commit")
    for _ in range(HANG // 10):
        if held:
            return held[0]
        page.wait_for_timeout(10)
    raise TimeoutError("The page did not ask for htmx.")


def tells(order: Order, **said: object) -> None:
    """Has the supplier report this about the order now."""
    report = make_report(order, **said)  # type: ignore[arg-type]
    apply_reports([report.upstream_id], Reports({report.upstream_id: report}, {}), timezone.now())


def polled(page: Page) -> None:
    """Waits for a poll that brings something."""
    with page.expect_response(lambda answer: "v=" in answer.url and answer.status == 200):
        page.keyboard.press("Shift")


DEAF = 300  # ms in which a question that just came takes no press: static/ask.js


def says_yes(page: Page, words: str, key: str = "") -> None:
    """Answers the question that is open by its button with these words, or by a key, as if it had stood for a while."""
    expect(page.get_by_role("button", name=words, exact=True)).to_be_focused()
    page.evaluate("ms => { const at = performance.now(); performance.now = () => at + ms; }", DEAF + 1)
    if key:
        page.keyboard.press(key)
    else:
        page.get_by_role("button", name=words, exact=True).click()
    page.evaluate("delete performance.now")


Opens = Callable[..., Page]


@pytest.fixture
def opens(browser: Browser, desk: Desk) -> Iterator[Opens]:
    """`opens("operator", "/orders/", dark=True, width=NARROW)`: a signed-in person's page. Any script error fails."""
    contexts: list[BrowserContext] = []
    errors: list[str] = []

    def open_page(
        who: User | str, path: str, *, dark: bool = False, width: ViewportSize | None = None, script: bool = True
    ) -> Page:
        context = browser.new_context(
            viewport=width or WIDE,
            color_scheme="dark" if dark else "light",
            java_script_enabled=script,
        )
        context.set_default_timeout(HANG)
        contexts.append(context)
        if who != "stranger":
            desk.sign_in(context, who if isinstance(who, User) else make_user(Role(who)))
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda said: errors.append(said.text) if "Content Security Policy" in said.text else None)
        page.goto(desk.url + path)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not errors, errors

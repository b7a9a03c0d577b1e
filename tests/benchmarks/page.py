"""An open orders page without a browser: it polls as static/live.js does."""

import re
from typing import Any
from urllib.parse import urlencode

from django.test import Client
from django.urls import reverse

from accounts.models import User

BROWSER = {"host": "localhost", "accept-encoding": "gzip"}
HTMX = {"HX-Request": "true", "HX-Current-URL": "http://localhost/orders/"}
ROW = re.compile(r'id="order-(\d+)"[^>]*? data-v="([^"]+)"')
BAR = re.compile(r'id="bar"[^>]*? data-version="(\w+)"')
TOP = re.compile(r'id="fresh"[^>]*? data-top="(\d+)"')
NEWEST = re.compile(r"\?newest=(\d+)")


def browser_of(user: User) -> Client:
    """Somebody's signed-in browser."""
    browser = Client(headers=BROWSER)
    browser.force_login(user)
    return browser


class OpenPage:
    """The first orders page in somebody's tab: the rows on screen and the versions it knows."""

    def __init__(self, user: User) -> None:
        self.browser = browser_of(user)
        html = self._read(self.browser.get(reverse("orders:index"), headers={"accept-encoding": "identity"}))
        self.newest = NEWEST.findall(html)[0]
        assert self.bar and self.top, "the page no longer says what live.js reads from it"

    def poll(self) -> Any:
        """Asks once what is new, and takes it in."""
        said = {"v": ",".join(f"{pk}:{version}" for pk, version in self.rows.items()), "bar": self.bar, "top": self.top}
        url = f"{reverse('orders:changes')}?newest={self.newest}&{urlencode(said)}"
        response = self.browser.get(url, headers={**HTMX, "accept-encoding": "identity"})
        if response.status_code != 204:
            self._read(response)
        return response

    rows: dict[str, str]
    bar = top = ""

    def _read(self, response: Any) -> str:
        assert response.status_code == 200, response
        html: str = response.content.decode()
        rows = dict(ROW.findall(html))
        self.rows = {**self.rows, **rows} if self.bar else rows
        self.bar = (BAR.findall(html) or [self.bar])[0]
        self.top = (TOP.findall(html) or [self.top])[0]
        return html

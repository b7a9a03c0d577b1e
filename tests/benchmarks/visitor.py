"""A signed-in browser that comes to addresses, each written as a line: visits.py says how."""

import re
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

from django.conf import settings
from django.test import Client
from django.utils import timezone

from accounts.models import DeskSession, User
from accounts.models.door import digest_of
from tests.addresses import plain_route
from tests.benchmarks.page import BROWSER, HTMX

METHODS = {"GET": "get", "POST": "post", "ASK": "post"}
LINE = re.compile(r"(GET|POST|ASK) +(\S+)(?: \| (.*?))?(?: -> (\d+))?")


class Line(NamedTuple):
    """One visit, as a line of LINES says it."""

    method: str
    address: str
    sent: str
    status: int | None

    @classmethod
    def read(cls, text: str) -> "Line":
        found = LINE.fullmatch(text)
        assert found, text
        method, address, sent, status = found.groups()
        return cls(method, address, sent or "", int(status) if status else None)

    @property
    def name(self) -> str:
        what = re.sub(r"&?(token|seen|picked|password\d?|oldpassword)=[^&]*", "", self.sent)
        address = re.sub(r"=\d{4}-\d\d-\d\d[^&]*", "={today}", self.address)
        return f"{self.method:4} {address}{f' | {what}' if what else ''}"


class Visitor:
    """The owner's signed-in browser, and the routes that it has come to."""

    def __init__(self, owner: User, subjects: dict[str, str]) -> None:
        self.owner, self.subjects = owner, subjects
        self.routes: set[str] = set()
        browser = Client(headers=BROWSER)
        browser.force_login(owner)
        self._key = browser.cookies[settings.SESSION_COOKIE_NAME].value
        self.last_used(
            timezone.now() + timedelta(days=1)
        )  # or some visits would note the use, whenever a minute is over
        self._cookies = browser.cookies.output(header="")

    def last_used(self, at: datetime) -> None:
        """Sets when the session of this browser was used last."""
        DeskSession.objects.filter(digest=digest_of(self._key)).update(used_at=at)
        User.objects.filter(pk=self.owner.pk).update(seen_at=at)

    def go(self, line: Line, *, htmx: bool = False) -> None:
        """Comes to the address, and checks that it is answered as the line says."""
        url, sent = line.address.format(**self.subjects), parse_qsl(line.sent, keep_blank_values=True)
        form: dict[str, list[str]] = {}
        for name, value in sent:
            form.setdefault(name, []).append(value.format(**self.subjects))
        response = self.send(METHODS[line.method], url, form, HTMX if htmx else {})
        if line.method == "GET" or line.status:
            assert response.status_code == (line.status or 200), f"{line.name}: {response.status_code}"
        else:
            assert response.status_code < 400, f"{line.name}: {response.status_code}"

    def send(self, method: str, url: str, form: Any = None, headers: dict[str, str] | None = None) -> Any:
        browser = Client(headers=BROWSER)
        browser.cookies.load(self._cookies)
        response = getattr(browser, method)(url, form or {}, headers=headers) if method == "post" else browser.get(
            url, headers=headers)  # fmt: skip
        assert b"".join(response) or response.status_code != 200, url
        self.routes.add(plain_route(response.resolver_match.route))
        return response

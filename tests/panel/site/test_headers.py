"""Every page, also the admin's, has a strict policy and keeps to it: nothing inline, nothing from elsewhere."""

import json
import os
import secrets
import subprocess
import sys
from html.parser import HTMLParser
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client

from accounts.access import Role
from orders.webhooks.endpoint import HEADERS as ENDPOINT_HEADERS
from panel.web.headers import POLICY
from tests import ROOT
from tests.addresses import address, one_of_everything, routes
from tests.people import STRANGER, as_a, htmx

pytestmark = pytest.mark.django_db
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
}
DATA_BLOCK = "application/json"  # a script element that no browser runs


@pytest.fixture(autouse=True)
def _desk() -> None:
    one_of_everything()


@pytest.fixture
def owner() -> Client:
    """An owner, signed in."""
    return as_a(Role.OWNER)


def pages(client: Client, *, ours: bool = False) -> dict[str, Any]:
    """The pages that this person is shown, by address; with `ours` without those of Django and allauth."""
    answers = {route: client.get(address(route)) for route, view in routes() if hasattr(view, "needs") or not ours}
    return {route: answer for route, answer in answers.items() if answer["Content-Type"].startswith("text/html")}


class Reader(HTMLParser):
    """Collects what the policy would block: inline styles and scripts, handlers, and things from other hosts."""

    def __init__(self) -> None:
        super().__init__()
        self.blocked: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Collects the tag or its attributes."""
        attributes = dict(attrs)
        if tag == "style" or (tag == "script" and "src" not in attributes and attributes.get("type") != DATA_BLOCK):
            self.blocked.append(f"<{tag}>")
        self.blocked += [name for name in attributes if name == "style" or name.startswith(("on", "hx-on"))]
        for name in ("src", "action", "formaction", *(["href"] if tag == "link" else [])):
            if (value := attributes.get(name) or "").startswith(("http:", "https:", "//", "javascript:")):
                self.blocked.append(f"{name}={value}")


def blocked(response: Any) -> list[str]:
    """What the policy would block of this page."""
    reader = Reader()
    reader.feed(response.content.decode())
    return reader.blocked


def test_the_policy_allows_nothing_unsafe() -> None:
    assert HEADERS["Content-Security-Policy"] == POLICY
    assert "unsafe" not in POLICY
    assert "*" not in POLICY


@pytest.mark.slow
@pytest.mark.parametrize(
    ("person", "among_them"),
    [
        (STRANGER, {"accounts/login/", "accounts/inactive/"}),
        (Role.OWNER, {"orders/", "orders/<pk>/", "admin/orders/order/", "admin/accounts/user/add/", "admin/<url>"}),
    ],
)
def test_every_page_carries_the_headers_and_keeps_to_the_policy(person: str, among_them: set[str]) -> None:
    seen = pages(as_a(person))
    assert among_them < set(seen)
    for route, page in seen.items():
        assert {name: page.get(name) for name in HEADERS} == HEADERS, route
        assert "no-store" in page["Cache-Control"], route
        assert blocked(page) == [], route
        assert "Cookie" in page["Vary"], f"{route} is for one person, and not kept for another"


def test_what_the_policy_would_block_is_found() -> None:
    page = "<b style=x onclick=y><script>1</script><style></style><img src=//evil><link href=http://evil>"
    assert blocked(HttpResponse(page)) == ["style", "onclick", "<script>", "<style>", "src=//evil", "href=http://evil"]


def test_a_form_with_errors_keeps_to_the_policy_too(owner: Client) -> None:
    for path in ("/orders/new/", "/accounts/password/change/", "/team/new/", "/accounts/factors/app/"):
        assert blocked(owner.post(path, {})) == []


@pytest.mark.slow
def test_caches_tell_a_page_from_its_part_for_htmx(owner: Client) -> None:
    partial_routes = []
    for route, page in pages(owner, ours=True).items():
        part = owner.get(address(route), headers=htmx())
        if (b"<html" in page.content) != (b"<html" in part.content):
            partial_routes.append(route)
            for answer in (page, part):
                assert {"HX-Request", "HX-Boosted", "HX-History-Restore-Request"} <= set(answer["Vary"].split(", "))
    assert partial_routes == [
        "orders/filters/",
        "orders/columns/",
        "orders/views/new/",
        "orders/mass/lists/<pk>/",
        "orders/bulks/<pk>/",
        "orders/answers/<pk>/",
        "orders/approvals/",
        "orders/<pk>/",
        "services/",
        "customers/",
        "alarms/",
        "upstream/",
        "palette/",
        "keys/",
    ]


def test_each_answer_has_an_id_of_its_own(owner: Client) -> None:
    ids = {owner.get("/orders/")["X-Request-ID"] for _ in range(3)}
    assert len(ids) == 3


# ── What is no page: files, errors, redirects, parts of a page, exports, deliveries ──────────────
FILE = {
    "Content-Security-Policy": "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}


@pytest.mark.parametrize(
    ("method", "path", "person", "status"),
    [
        ("get", "/", STRANGER, 302), ("get", "/orders/", STRANGER, 302), ("get", "/nothing/", STRANGER, 404),
        ("get", "/orders/new/", Role.VIEWER, 403), ("post", "/orders/", Role.VIEWER, 405),
        ("get", "/healthz", STRANGER, 200), ("get", f"/orders/{9**30}/", Role.VIEWER, 404),
        ("post", "/orders/export/", Role.VIEWER, 200), ("get", "/static/nothing.js", STRANGER, 404),
        ("get", "/orders/changes/?v=0", Role.VIEWER, 200),
    ],
)  # fmt: skip
def test_every_answer_says_who_may_use_it(method: str, path: str, person: str, status: int) -> None:
    answer = getattr(as_a(person), method)(path)
    assert answer.status_code == status
    assert "no-store" in answer["Cache-Control"]
    assert {name: answer.get(name) for name in HEADERS} == HEADERS


def test_a_host_that_is_not_ours_gets_the_headers_too() -> None:
    answer = Client().get("/orders/", headers={"Host": "evil.example"})
    assert (answer.status_code, answer["Cache-Control"], answer["Content-Security-Policy"]) == (400, "no-store", POLICY)


@pytest.mark.parametrize("file", ["desk.js", "css/desk.css", "icons.svg"])
def test_a_file_may_do_nothing_by_itself_and_may_be_kept(file: str) -> None:
    answer = Client().get(f"/static/{file}")
    assert {name: answer.get(name) for name in FILE} == FILE
    assert "no-store" not in answer["Cache-Control"]
    assert "Access-Control-Allow-Origin" not in answer
    answer.close()


def test_the_answer_to_a_delivery_has_them() -> None:
    for answer in (Client().post("/webhooks/notpanel/"), Client().get("/webhooks/notpanel/")):
        assert {name: answer.get(name) for name in FILE} == FILE
    assert FILE.items() <= dict(ENDPOINT_HEADERS).items()


# ── TLS ──────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("get", "/accounts/login/", 301), ("head", "/orders/", 301), ("post", "/accounts/login/", 403),
        ("post", "/orders/new/", 403), ("delete", "/orders/", 403), ("post", "/webhooks/notpanel/", 403),
    ],
)  # fmt: skip
def test_nothing_is_taken_over_plain_http(settings: Any, method: str, path: str, status: int) -> None:
    settings.SECURE_SSL_REDIRECT = True
    answer = getattr(Client(), method)(path)
    assert answer.status_code == status
    assert answer["Location"].startswith("https://") if status == 301 else b"Nothing was done." in answer.content
    over_tls = getattr(Client(), method)(path, secure=True)
    assert over_tls.status_code not in (301, 403) or b"plain HTTP" not in over_tls.content


def settings_of(*names: str, **environment: str) -> list[object]:
    """What a start with this environment makes of some settings, or the sentence with which it refuses."""
    names_read = ", ".join(f"settings.{name}" for name in names)
    code = f"import json; from panel import settings; print(json.dumps([{names_read}]))"
    served = {"PATH": os.environ["PATH"], "DEBUG": "false", "SECRET_KEY": secrets.token_urlsafe(50)}
    ran = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**served, **environment},
        capture_output=True,
        text=True,
        timeout=60,
    )
    found: list[object] = json.loads(ran.stdout) if ran.returncode == 0 else [ran.stderr.strip().splitlines()[-1]]
    return found


def test_cookies_are_bound_to_this_host_where_there_is_tls() -> None:
    names = ("SESSION_COOKIE_NAME", "CSRF_COOKIE_NAME", "OWN_COOKIE", "SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE")
    assert settings_of(*names) == ["__Host-sessionid", "__Host-csrftoken", "__Host-", True, True]
    assert settings_of(*names, SECURE="false") == ["sessionid", "csrftoken", "", False, False]


@pytest.mark.parametrize(
    ("environment", "trusted"),
    [
        ({}, 0), ({"BEHIND_PROXY": "true"}, 1), ({"BEHIND_PROXY": "true", "TRUSTED_PROXIES": "2"}, 2),
        ({"TRUSTED_PROXIES": "1"}, "disagree"), ({"BEHIND_PROXY": "true", "TRUSTED_PROXIES": "0"}, "disagree"),
        ({"BEHIND_PROXY": "true", "TRUSTED_PROXIES": "11"}, "from 0 to 10"),
    ],
)  # fmt: skip
def test_how_many_proxies_are_trusted_is_a_setting(environment: dict[str, str], trusted: int | str) -> None:
    (found,) = settings_of("TRUSTED_PROXIES", **environment)
    assert found == trusted if isinstance(trusted, int) else trusted in str(found)

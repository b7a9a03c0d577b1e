"""Every page, the admin's too, comes under a strict policy and keeps to it: nothing inline, nothing from elsewhere."""

from html.parser import HTMLParser
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client

from accounts.access import Role
from panel.site.middleware import POLICY
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
}
DATA_BLOCK = "application/json"  # a script element that no browser runs


@pytest.fixture(autouse=True)
def _desk() -> None:
    one_of_everything()


@pytest.fixture
def owner() -> Client:
    return as_a(Role.OWNER)


def pages(client: Client, *, ours: bool = False) -> dict[str, Any]:
    """Each address (or only those of our own) that shows this person a page, with it."""
    answers = {route: client.get(address(route)) for route, view in routes() if hasattr(view, "needs") or not ours}
    return {route: answer for route, answer in answers.items() if answer["Content-Type"].startswith("text/html")}


class Reader(HTMLParser):
    """Notes what the policy would block: inline styles and scripts, handlers, and things from other hosts."""

    def __init__(self) -> None:
        super().__init__()
        self.blocked: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = dict(attrs)
        if tag == "style" or (tag == "script" and "src" not in said and said.get("type") != DATA_BLOCK):
            self.blocked.append(f"<{tag}>")
        self.blocked += [name for name in said if name == "style" or name.startswith(("on", "hx-on"))]
        for name in ("src", "action", "formaction", *(["href"] if tag == "link" else [])):
            if (value := said.get(name) or "").startswith(("http:", "https:", "//", "javascript:")):
                self.blocked.append(f"{name}={value}")


def blocked(response: Any) -> list[str]:
    reader = Reader()
    reader.feed(response.content.decode())
    return reader.blocked


def test_the_policy_allows_nothing_unsafe() -> None:
    assert HEADERS["Content-Security-Policy"] == POLICY
    assert "unsafe" not in POLICY
    assert "*" not in POLICY


@pytest.mark.parametrize(
    ("person", "among_them"),
    [
        (STRANGER, {"accounts/login/", "accounts/inactive/"}),
        (Role.OWNER, {"orders/", "orders/<pk>/", "admin/orders/order/", "admin/accounts/user/add/", "admin/<url>"}),
    ],
)
def test_every_page_carries_the_headers_and_keeps_to_the_policy(person: str, among_them: set[str]) -> None:
    shown = pages(as_a(person))
    assert among_them < set(shown)
    for route, page in shown.items():
        assert {name: page.get(name) for name in HEADERS} == HEADERS, route
        assert blocked(page) == [], route
        assert "Cookie" in page["Vary"], f"{route} is for one person, and not kept for another"


def test_what_the_policy_would_block_is_found() -> None:
    page = "<b style=x onclick=y><script>1</script><style></style><img src=//evil><link href=http://evil>"
    assert blocked(HttpResponse(page)) == ["style", "onclick", "<script>", "<style>", "src=//evil", "href=http://evil"]


def test_a_form_with_errors_keeps_to_the_policy_too(owner: Client) -> None:
    for path in ("/orders/new/", "/accounts/password/change/", "/admin/accounts/user/add/"):
        assert blocked(owner.post(path, {})) == []


def test_a_page_that_htmx_gets_in_part_is_not_taken_for_the_whole(owner: Client) -> None:
    halves = []
    for route, page in pages(owner, ours=True).items():
        part = owner.get(address(route), headers=htmx())
        if (b"<html" in page.content) != (b"<html" in part.content):
            halves.append(route)
            for answer in (page, part):
                assert {"HX-Request", "HX-Boosted", "HX-History-Restore-Request"} <= set(answer["Vary"].split(", "))
    assert halves == [
        "orders/filters/",
        "orders/columns/",
        "orders/views/new/",
        "orders/bulks/<pk>/",
        "orders/<pk>/",
        "services/",
        "alarms/",
        "upstream/",
        "palette/",
        "keys/",
    ]


def test_each_answer_has_a_name_of_its_own(owner: Client) -> None:
    names = {owner.get("/orders/")["X-Request-ID"] for _ in range(3)}
    assert len(names) == 3

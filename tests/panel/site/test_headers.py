"""Every page, also the admin's, has a strict policy and keeps to it: nothing inline, nothing from elsewhere."""

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
        assert blocked(page) == [], route
        assert "Cookie" in page["Vary"], f"{route} is for one person, and not kept for another"


def test_what_the_policy_would_block_is_found() -> None:
    page = "<b style=x onclick=y><script>1</script><style></style><img src=//evil><link href=http://evil>"
    assert blocked(HttpResponse(page)) == ["style", "onclick", "<script>", "<style>", "src=//evil", "href=http://evil"]


def test_a_form_with_errors_keeps_to_the_policy_too(owner: Client) -> None:
    for path in ("/orders/new/", "/accounts/password/change/", "/team/new/", "/accounts/factors/app/"):
        assert blocked(owner.post(path, {})) == []


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
        "orders/bulks/<pk>/",
        "orders/answers/<pk>/",
        "orders/<pk>/",
        "services/",
        "alarms/",
        "upstream/",
        "palette/",
        "keys/",
    ]


def test_each_answer_has_an_id_of_its_own(owner: Client) -> None:
    ids = {owner.get("/orders/")["X-Request-ID"] for _ in range(3)}
    assert len(ids) == 3

"""The score that Mozilla's HTTP Observatory gives the desk behind TLS: its rules (version 2 and later) as a table.

It asks for `/` by plain HTTP and by HTTPS, follows where that leads, and adds what each of ten tests gives to 100.
Bonuses count only where all that takes away leaves 90. Two bonuses are not ours to have: 5 for a host on browsers' list
of preloaded hosts, which each owner asks for, and 5 for integrity hashes, which say something only of files of others.
"""

import re
from collections.abc import Callable
from http.cookies import Morsel
from typing import Any, NamedTuple

import pytest
from django.test import Client

from accounts.access import Role
from panel.web.headers import POLICY
from tests.makers import PASSWORD, make_user

pytestmark = pytest.mark.django_db
LEAST, BEST = 135, 135  # what the desk is held to; what it has
START, BONUSES_FROM = 100, 90
HALF_A_YEAR_SECONDS = 15_552_000
BROAD = {"*", "http:", "https:", "ftp:", "data:", "'unsafe-inline'", "'unsafe-eval'"}


class Seen(NamedTuple):
    """What the Observatory gets to see: where plain HTTP leads, the page at the end, and all cookies on the way."""

    redirected_to: str
    page: Any
    cookies: list["Morsel[str]"]

    def header(self, name: str) -> str:
        """A header of the page, "" where it has none."""
        return str(self.page.get(name, ""))

    @property
    def policy(self) -> dict[str, set[str]]:
        """The content policy: directive → sources."""
        parts = [part.split() for part in self.header("Content-Security-Policy").split(";") if part.strip()]
        return {name: set(sources) for name, *sources in parts}


# ── The ten tests. Each is a list of rows: what is seen, and what it gives; the first that fits counts. ──────────
Rule = tuple[Callable[[Seen], Any], int]


def sources(seen: Seen, name: str) -> set[str]:
    """The sources of a directive, or of default-src; everything where there is neither."""
    return seen.policy.get(name) or seen.policy.get("default-src") or {"*"}


def is_session(cookie: "Morsel[str]") -> bool:
    """Whether the Observatory takes a cookie for the key of a session."""
    return any(word in cookie.key.lower() for word in ("login", "sess"))


def max_age(seen: Seen) -> int:
    """The seconds of HSTS; -1 where there is none."""
    found = re.search(r"max-age=(\d+)", seen.header("Strict-Transport-Security"))
    return int(found[1]) if found else -1


def foreign_scripts(seen: Seen) -> list[str]:
    """Scripts that the page loads from elsewhere."""
    return re.findall(r'<script[^>]+src="((?:https?:)?//[^"]*)', seen.page.content.decode())


RULES: dict[str, list[Rule]] = {
    "content-security-policy": [
        (lambda seen: not seen.policy, -25),
        (lambda seen: (sources(seen, "script-src") | sources(seen, "object-src")) & BROAD, -20),
        (lambda seen: sources(seen, "style-src") & BROAD, 0),
        (lambda seen: seen.policy.get("default-src") == {"'none'"}, 10),
        (lambda seen: True, 5),
    ],
    "cookies": [
        (lambda seen: not seen.cookies, 0),
        (lambda seen: any(is_session(cookie) and not cookie["secure"] for cookie in seen.cookies), -40),
        (lambda seen: any(is_session(cookie) and not cookie["httponly"] for cookie in seen.cookies), -30),
        (lambda seen: any(cookie["samesite"] not in ("", "Lax", "Strict") for cookie in seen.cookies), -20),
        (lambda seen: any("csrf" in cookie.key and not cookie["samesite"] for cookie in seen.cookies), -20),
        (lambda seen: not all(cookie["secure"] for cookie in seen.cookies), -20),
        (lambda seen: all(cookie["samesite"] for cookie in seen.cookies), 5),
        (lambda seen: True, 0),
    ],
    "cross-origin-resource-sharing": [
        (lambda seen: seen.header("Access-Control-Allow-Credentials"), -50),
        (lambda seen: True, 0),
    ],
    "cross-origin-resource-policy": [
        (lambda seen: seen.header("Cross-Origin-Resource-Policy") in ("same-origin", "same-site"), 10),
        (lambda seen: seen.header("Cross-Origin-Resource-Policy") in ("", "cross-origin"), 0),
        (lambda seen: True, -5),
    ],
    "redirection": [
        (lambda seen: seen.redirected_to.startswith("https://desk.example.com/"), 0),
        (lambda seen: seen.redirected_to.startswith("https://"), -5),
        (lambda seen: True, -20),
    ],
    "referrer-policy": [
        (lambda seen: seen.header("Referrer-Policy") in ("no-referrer", "same-origin", "strict-origin",
                                                         "strict-origin-when-cross-origin"), 5),
        (lambda seen: not seen.header("Referrer-Policy"), 0),
        (lambda seen: True, -5),
    ],
    "strict-transport-security": [
        (lambda seen: max_age(seen) < 0, -20),
        (lambda seen: max_age(seen) < HALF_A_YEAR_SECONDS, -10),
        (lambda seen: True, 0),  # 5 where the host is on browsers' list
    ],
    "subresource-integrity": [
        (foreign_scripts, -50),  # the most that they cost
        (lambda seen: True, 0),
    ],
    "x-content-type-options": [
        (lambda seen: seen.header("X-Content-Type-Options") == "nosniff", 0),
        (lambda seen: True, -5),
    ],
    "x-frame-options": [
        (lambda seen: "frame-ancestors" in seen.policy, 5),
        (lambda seen: seen.header("X-Frame-Options") in ("DENY", "SAMEORIGIN"), 0),
        (lambda seen: True, -20),
    ],
}  # fmt: skip


def given(seen: Seen) -> dict[str, int]:
    """What each test gives or takes."""
    return {test: next(points for fits, points in rules if fits(seen)) for test, rules in RULES.items()}


def score(points: dict[str, int]) -> int:
    """The score: without bonuses where they would hide what is wrong."""
    plain = START + sum(point for point in points.values() if point < 0)
    return START + sum(points.values()) if plain >= BONUSES_FROM else max(plain, 0)


@pytest.fixture
def served(settings: Any) -> Client:
    """A browser of a stranger, and a desk whose settings are those of a server (test_headers.py reads these)."""
    settings.ALLOWED_HOSTS = ["desk.example.com"]
    settings.SECURE_SSL_REDIRECT = settings.SECURE_HSTS_INCLUDE_SUBDOMAINS = settings.SECURE_HSTS_PRELOAD = True
    settings.SECURE_HSTS_SECONDS = 31_536_000
    settings.SECURE = settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = True
    settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME = "__Host-sessionid", "__Host-csrftoken"
    return Client(headers={"Host": "desk.example.com"})


def seen_by(client: Client, path: str = "/") -> Seen:
    """What there is to see at this path."""
    plain = client.get(path)
    page = client.get(path, secure=True, follow=True)
    assert page.status_code == 200 and page["Content-Type"].startswith("text/html")
    kept = [cookie for cookie in client.cookies.values() if cookie.value]  # without those that were taken back
    return Seen(plain.get("Location", ""), page, kept)


def test_the_desk_has_135_points(served: Client) -> None:
    points = given(seen_by(served))
    assert {test: point for test, point in points.items() if point} == {
        "content-security-policy": 10, "cookies": 5, "cross-origin-resource-policy": 10, "referrer-policy": 5,
        "x-frame-options": 5,
    }  # fmt: skip
    assert score(points) == BEST >= LEAST


@pytest.mark.parametrize("path", ["/orders/", "/orders/new/", "/team/", "/upstream/settings/", "/admin/"])
def test_so_has_each_page_behind_the_sign_in(served: Client, path: str) -> None:
    make_user(Role.OWNER, username="olga")
    served.post("/accounts/login/", {"login": "olga", "password": PASSWORD}, secure=True)
    assert "__Host-sessionid" in served.cookies
    assert score(given(seen_by(served, path))) >= LEAST


def test_no_page_is_shared_with_other_origins(served: Client) -> None:
    page = served.get("/accounts/login/", secure=True, headers={"Origin": "https://evil.example"})
    assert not [name for name in page.headers if name.startswith("Access-Control-")]


@pytest.mark.parametrize(
    ("header", "value", "worth"),
    [
        ("Content-Security-Policy", "", 75), ("Content-Security-Policy", POLICY.replace("'none'", "'self'", 1), 130),
        ("Content-Security-Policy", POLICY.replace("script-src 'self'", "script-src 'self' 'unsafe-inline'"), 80),
        ("Cross-Origin-Resource-Policy", "", 125), ("Referrer-Policy", "unsafe-url", 125),
        ("Strict-Transport-Security", "max-age=60", 125), ("Strict-Transport-Security", "", 80),
        ("X-Content-Type-Options", "", 130),
        ("Access-Control-Allow-Credentials", "true", 50),
    ],
)  # fmt: skip
def test_what_would_be_worse_has_fewer(served: Client, header: str, value: str, worth: int) -> None:
    seen = seen_by(served)
    seen.page[header] = value
    assert score(given(seen)) == worth

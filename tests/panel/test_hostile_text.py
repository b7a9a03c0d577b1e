"""What upstream or a person writes stays text: it becomes markup on no page, and no page fails over it."""

from collections.abc import Iterator
from html.parser import HTMLParser
from urllib.parse import urlencode

import pytest
from django.db import transaction
from django.test import Client

from accounts.access import Role
from tests.addresses import address, routes
from tests.hostile import CALM, HOSTILE, furnish, trouble
from tests.makers import make_user
from tests.people import as_user, htmx

pytestmark = [pytest.mark.django_db, pytest.mark.slow]
NO_PAGE = ("logout", "healthz", "jsi18n", "webhooks/notpanel")
ADDRESSES = ("href", "src", "action", "formaction", "hx-get", "hx-post", "data", "xlink:href")
ASKED = ("q", "category", "status", "open", "service", "by", "host", "from", "to", "least", "most", "sort", "cols",
         "past", "money", "category_now", "view", "before", "after", "link", "quantity", "result", "kind", "v", "bar",
         "top", "next")  # fmt: skip
SEARCHED = (
    "/orders/", "/orders/filters/", "/orders/columns/", "/orders/views/new/", "/orders/new/", "/orders/new/receipt/",
    "/orders/bulks/matching/", "/orders/refills/", "/services/", "/services/found/", "/palette/",
)  # fmt: skip
SENSIBLE = ("me", "completed", "live", "dearest", "2026-01-01", "7.5", "instagram", "a.example", "status", "1")


class MarkupReader(HTMLParser):
    """Collects a page's markup: (tag, attribute) pairs, links with risky schemes, and inline scripts."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.markup: set[tuple[str, str]] = set()
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.markup.add((tag, ""))
        for name, value in attrs:
            self.markup.add((tag, name))
            # A browser reads an address without control characters and without spaces at its ends.
            plain = "".join(letter for letter in value or "" if letter > " ").lower()
            if name in ADDRESSES and plain.partition(":")[0] in ("javascript", "vbscript", "data", "file"):
                self.markup.add((tag, f"{name}={plain[:40]}"))
            if name in ADDRESSES and tag not in ("a", "form") and plain.startswith(("//", "http")):
                self.markup.add((tag, f"{name} elsewhere"))

    def handle_data(self, data: str) -> None:
        if self.lasttag == "script" and self.cdata_elem == "script" and data.strip():
            self.markup.add(("script", "with words"))

    def handle_comment(self, data: str) -> None:
        self.markup.add(("comment", ""))


def every_page(client: Client) -> Iterator[tuple[str, str]]:
    """Each address that shows this person a page, with the page."""
    for path in [address(route) for route, _ in routes() if not any(word in route for word in NO_PAGE)]:
        answer = client.get(path)
        assert answer.status_code < 500, path
        if answer.status_code == 200 and answer["Content-Type"].startswith("text/html"):
            yield path, answer.content.decode()


def harmless_markup(client: Client) -> set[tuple[str, str]]:
    """All markup of the pages while they show harmless texts."""
    return set().union(*(MarkupReader(page).markup for _, page in every_page(client)))


def test_no_text_becomes_markup_anywhere() -> None:
    owner = make_user(Role.OWNER)
    client, calm_markup = as_user(owner), dict[str, object]()
    with transaction.atomic():
        for order in furnish(CALM * 20, owner):  # more than a page of the admin, which then has further links
            calm_markup[str(order)] = MarkupReader(client.get(order.get_absolute_url()).content.decode()).markup
        harmless = harmless_markup(client).union(*calm_markup.values())  # type: ignore[arg-type]
        transaction.set_rollback(True)
    owner.refresh_from_db()
    orders = furnish(HOSTILE, owner)
    pages = dict(every_page(client))
    for order in orders:
        answer = client.get(order.get_absolute_url())
        assert answer.status_code == 200, (order.pk, order.link)
        pages[order.link] = answer.content.decode()
    for text in HOSTILE:
        trouble(text)
        pages[f"trouble {text}"] = client.get("/orders/changes/?bar=old", headers=htmx()).content.decode()
    assert len(HOSTILE) == len(set(HOSTILE)) == 200
    assert "/orders/" in pages and "/activity/" in pages
    new = {path: markup for path, page in pages.items() if (markup := MarkupReader(page).markup - harmless)}
    assert not new


def test_no_address_becomes_markup() -> None:
    owner = make_user(Role.OWNER)
    client = as_user(owner)
    furnish(CALM, owner)

    def markup(path: str, **query: str) -> set[tuple[str, str]]:
        answer = client.get(f"{path}?{urlencode(query)}", follow=True)
        assert answer.status_code in (200, 400, 404), (path, query)
        return MarkupReader(answer.content.decode()).markup

    harmless, unexpected = harmless_markup(client), []
    for path in SEARCHED:
        for text in (*CALM, *SENSIBLE):
            harmless |= markup(path, **dict.fromkeys(ASKED, text))
        harmless |= markup(path, q=CALM[0], link=CALM[0])
    for number, text in enumerate(HOSTILE):
        for step in (0, 4):  # two places a text
            path, names = SEARCHED[(number + step) % len(SEARCHED)], ("q", "link") if number % 2 else ASKED
            if new := markup(path, **dict.fromkeys(names, text[:200])) - harmless:
                unexpected.append((path, text, new))
    assert not unexpected

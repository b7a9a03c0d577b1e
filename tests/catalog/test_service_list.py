"""Finding a service: words, flags, limits and the tree, all in the address; and what to leave out when none matches."""

import re
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from catalog.category_tree import category_tree, split_category
from catalog.models import Change, Service
from catalog.service_list import COUNTED_SERVICES, ROWS_A_PAGE
from catalog.sync import service_of
from tests.makers import make_row, make_service
from tests.people import as_a, htmx

pytestmark = pytest.mark.django_db


@pytest.fixture
def viewer() -> Client:
    """A viewer's browser."""
    return as_a("viewer")


def make_services(number: int, **fields: Any) -> None:
    """Adds so many services, over three networks and seven rates."""
    Service.objects.bulk_create([
        service_of(make_row(rate=Decimal(i % 7), category=f"Network {i % 3} › Goods {i % 5}", **fields), timezone.now())
        for i in range(number)
    ])  # fmt: skip


def page(client: Client, query: str = "", **how: Any) -> str:
    """The services page for this query; `how` goes to the client."""
    return str(client.get(f"/services/{query}", **how).content.decode())


def listed_ids(text: str) -> list[int]:
    """Upstream's ids of the services on a page, in its order."""
    return [int(number) for number in re.findall(r'class="v-id mono"[^>]*>(\d+)<', text)]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", [1, 2, 3]),
        ("?refill=1", [1]),
        ("?cancel=1", [2]),
        ("?dripfeed=1", [3]),
        ("?refill=1&cancel=1", []),
        ("?rate=1", [1]),
        ("?rate=1.5", [1, 2]),
        ("?rate=1.499999", [1]),
        ("?minimum=100", [1, 2]),
        ("?minimum=99", [1]),
        ("?q=YOUTUBE+2", [2]),
        ("?q=4", [4]),
        ("?only=gone", [4]),
        ("?only=lately", [3]),
        ("?category=YouTube+%E2%80%BA+Likes", [2]),
        ("?category=YouTube", [2, 3]),
        ("?category=YouTube&dripfeed=1&q=3&rate=2&minimum=1000", [3]),
        ("?sort=rate", [1, 2, 3]),
        ("?refill=yes&rate=cheap&minimum=-1&only=x&sort=y&after=z", [1, 2, 3]),
        ("?rate=NaN&minimum=1e3&q=%00&category=%00", [1, 2, 3]),
    ],
)
def test_each_filter_lists_what_matches(viewer: Client, query: str, expected: list[int]) -> None:
    off: dict[str, Any] = {"refill": False, "cancel": False, "dripfeed": False}
    make_service(
        upstream_id=1, **{**off, "refill": True}, rate=Decimal(1), minimum=10, category="Instagram", name="One"
    )
    make_service(
        upstream_id=2, **{**off, "cancel": True}, rate=Decimal("1.5"), minimum=100, category="YouTube › Likes", name="B"
    )
    three = make_service(
        upstream_id=3, **{**off, "dripfeed": True}, rate=Decimal(2), minimum=1000, category="YouTube › Views", name="C"
    )
    make_service(upstream_id=4, active=False, category="YouTube › Views", name="Four")
    Change.objects.create(service=three, moved={"refill": [True, False]}, at=timezone.now())
    assert sorted(listed_ids(page(viewer, query))) == expected


@pytest.mark.parametrize("sort", ["", "rate"])
def test_pages_follow_each_other_without_gap_or_repeat(viewer: Client, sort: str) -> None:
    make_services(2 * ROWS_A_PAGE + 7)
    url, listed = f"?sort={sort}", []
    while url:
        text = page(viewer, url)
        listed += listed_ids(text)
        more = re.search(r'href="/services/([^"]+)" rel="next"', text)
        url = more[1].replace("&amp;", "&") if more else ""
    order = ("rate", "upstream_id") if sort else ("category", "upstream_id")
    assert listed == list(Service.objects.order_by(*order).values_list("upstream_id", flat=True))


def test_the_next_page_keeps_every_filter(viewer: Client) -> None:
    make_services(ROWS_A_PAGE + 20)
    text = page(viewer, "?q=r30&refill=1&minimum=50&sort=rate&category=&cancel=")
    assert re.search(
        r'href="/services/\?q=r30&amp;refill=1&amp;minimum=50&amp;sort=rate&amp;after=\d+" rel="next"', text
    )


def test_the_page_says_how_many_match_and_counts_no_further_than_needed(viewer: Client) -> None:
    make_services(COUNTED_SERVICES)
    assert "1,000 services match" in page(viewer, "?refill=1")
    make_services(1)
    assert "1,000+ services match" in page(viewer, "?refill=1")


def test_when_no_service_matches_each_filter_may_be_left_out(viewer: Client) -> None:
    make_service()
    text = page(viewer, "?q=zebra&refill=1&rate=0.5&minimum=7&only=favourites&category=A+%26+B")
    assert "No service fits all of this" in text
    for words, without in (
        ("zebra", "category=A+%26+B&only=favourites&refill=1&rate=0.5&minimum=7"),
        ("A &amp; B", "q=zebra&only=favourites&refill=1&rate=0.5&minimum=7"),
        ("With refill", "q=zebra&category=A+%26+B&only=favourites&rate=0.5&minimum=7"),
        ("up to $0.50", "q=zebra&category=A+%26+B&only=favourites&refill=1&minimum=7"),
        ("Your favourites", "q=zebra&category=A+%26+B&refill=1&rate=0.5&minimum=7"),
        ("up to 7", "q=zebra&category=A+%26+B&only=favourites&refill=1&rate=0.5"),
    ):
        assert re.search(
            rf'href="/services/\?{re.escape(without.replace("&", "&amp;"))}">.*{re.escape(words)}', text
        ), words


def test_while_a_person_types_the_address_holds_only_the_filters_in_use(viewer: Client) -> None:
    make_service()
    answer = viewer.get("/services/?q=r30&category=&only=&rate=&minimum=&sort=rate", headers=htmx())
    assert answer["HX-Replace-Url"] == "/services/?q=r30&sort=rate"
    assert answer.content.decode().lstrip().startswith('<div id="services"')


def test_one_service_and_a_full_page_cost_the_same(viewer: Client) -> None:
    def queries(**how: Any) -> int:
        with CaptureQueriesContext(connection) as captured:
            page(viewer, "?q=r30&category=Network+0&sort=rate", **how)
        return len(captured)

    make_services(1)
    queries()
    one, swap = queries(), queries(headers=htmx())
    make_services(3 * (ROWS_A_PAGE - 1))
    assert (queries(), queries(headers=htmx())) == (one, swap)
    assert swap <= 8
    assert one <= 16


# ── The tree ─────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("category", "network", "words"),
    [
        ("Instagram › Followers", "Instagram", "Followers"),
        ("TikTok | Likes | Real", "TikTok", "Likes | Real"),
        ("X (Twitter) - Views", "X (Twitter)", "Views"),
        ("YouTube: Watch Hours", "YouTube", "Watch Hours"),
        ("Instagram Followers [Refill]", "Instagram", "Followers [Refill]"),
        ("🔥 Instagram Likes", "Instagram", "Likes"),
        ("Spotify", "Spotify", "Spotify"),
        ("★★★", "★★★", "★★★"),
        ("", "", ""),
        (" › x", "x", " › x"),
    ],
)
def test_a_category_is_split_into_a_network_and_what_is_sold_for_it(category: str, network: str, words: str) -> None:
    assert split_category(category) == (network, words)


def test_the_tree_counts_what_is_on_sale_in_one_query() -> None:
    for category, number in (("Instagram › Likes", 2), ("Instagram › Views", 1), ("Spotify", 1)):
        for _ in range(number):
            make_service(category=category)
    make_service(category="Instagram › Likes", active=False)
    with CaptureQueriesContext(connection) as captured:
        grown = category_tree()
    assert len(captured) == 1
    assert [(b.name, b.services, [(leaf.words, leaf.services) for leaf in b.leaves]) for b in grown.branches] == [
        ("Instagram", 3, [("Likes", 2), ("Views", 1)]),
        ("Spotify", 1, [("Spotify", 1)]),
    ]
    assert (grown.on_sale, grown.gone) == (4, 1)


def test_the_branch_of_the_category_is_open(viewer: Client) -> None:
    make_service(category="Instagram › Likes")
    make_service(category="Instagram › Views")
    assert '<details name="branch">' in page(viewer)
    for name in ("Instagram", "Instagram+%E2%80%BA+Views"):
        assert '<details name="branch" open>' in page(viewer, f"?category={name}")

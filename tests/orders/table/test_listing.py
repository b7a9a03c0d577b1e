"""The list finds by every facet, alone and together, in every order, and says how far it looked."""

from datetime import timedelta
from decimal import Decimal
from itertools import combinations
from typing import Any
from urllib.parse import urlencode

import pytest
from django.db import connection
from django.http import QueryDict
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from catalog.models import Service
from orders.models import Order, Task
from orders.rules.statuses import Status
from orders.table import paging
from orders.table.filters import FILTERS, OPEN_FILTERS
from orders.table.listing import Listing
from orders.table.paging import SORTS
from tests.makers import make_order, make_service, make_user

pytestmark = pytest.mark.django_db
NETWORKS = {
    "instagram": ("Instagram › Followers", "https://www.instagram.com/lumen.studio"),
    "tiktok": ("TikTok › Views", "https://www.tiktok.com/@harbour"),
    "": ("Website traffic", "https://example.org/page"),
}


@pytest.fixture
def desk() -> User:
    """Orders of two people, three networks, all statuses, many days and prices; some wait for a refill."""
    mira, tomas = make_user(name="Mira"), make_user(name="Tomás")
    services = [make_service(category=category, refill=True) for category, _ in NETWORKS.values()]
    links = [link for _, link in NETWORKS.values()]
    now = timezone.now()
    for number in range(48):
        status = list(Status)[number % len(Status)]
        order = make_order(
            status, by=(mira, tomas)[number % 2], service=services[number % 3], link=f"{links[number % 3]}/{number:03}",
            created_at=now - timedelta(days=48 - number), charge=Decimal(number) / 4 if number % 4 else None,
        )  # fmt: skip
        if number % 5 == 0:
            Order.objects.filter(pk=order.pk).update(assigned_to=(mira, tomas)[number % 2])
        if number % 7 == 0:
            Order.objects.filter(pk=order.pk).update(doubts="charge")
        if status in ("in_progress", "processing"):  # some are late, some not yet
            Order.objects.filter(pk=order.pk).update(late_from=now + timedelta(hours=number - 30))
        if status in ("completed", "partial"):
            kind = (Task.Kind.REFILL, Task.Kind.CANCEL)[number % 2]
            outcome = Task.Outcome.UNCLEAR if number % 3 == 0 else Task.Outcome.DONE
            order.tasks.create(kind=kind, asked_by=mira, settled_at=now, outcome=outcome)
    return mira


def open_lists(some: dict[str, object]) -> list[dict[str, Any]]:
    """Each further value of `open`, alone and with every other facet."""
    more: list[dict[str, Any]] = [{"open": value} for value in OPEN_FILTERS if value != some["open"]]
    return more + [{**query, name: some[name]} for query in more for name in some if name != "open"]


def listing(user: User, **query: object) -> Listing:
    return Listing.of(user, QueryDict(urlencode(query)))


def some_of(user: User) -> dict[str, object]:
    """A value for each facet, such that some orders have it and some do not."""
    day = timezone.now().date()
    service = Service.objects.order_by("pk")[1]
    return {
        "status": "completed", "open": "live", "service": service.upstream_id, "category": "TikTok › Views",
        "network": "instagram", "by": user.pk, "host": "tiktok.com", "from": day - timedelta(days=30),
        "assigned": user.pk, "to": day - timedelta(days=9), "least": "2.5", "most": 9,
    }  # fmt: skip


def walk(user: User, **query: Any) -> list[int]:
    """The ids on all pages, from the first to the last."""
    found: list[int] = []
    here = listing(user, **query)
    for _ in range(200):
        context = here.context()
        found += [order.pk for order in context["orders"]]  # type: ignore[attr-defined]
        onward = str(context["older"] or context["further"])
        if not onward:
            return found
        here = Listing.of(user, QueryDict(onward.partition("?")[2]))
    raise AssertionError("the list has no end")


def in_order(pks: set[int], sort: str) -> list[int]:
    field, down = SORTS[sort].field, SORTS[sort].down
    costs = dict(Order.objects.values_list("pk", "cost"))
    return sorted(pks, key=lambda pk: (costs[pk], pk) if field else (pk, pk), reverse=down)


@pytest.mark.parametrize("sort", SORTS)
@pytest.mark.parametrize("probed", [paging.PROBED_ROWS, 3], ids=["few", "many"])
def test_every_facet_and_every_pair_gives_what_the_condition_says(
    desk: User, monkeypatch: pytest.MonkeyPatch, sort: str, probed: int
) -> None:
    monkeypatch.setattr("orders.table.listing.ROWS_A_PAGE", 5)
    monkeypatch.setattr(User, "page_length", 7)
    monkeypatch.setattr(paging, "PROBED_ROWS", probed)
    monkeypatch.setattr(paging, "SCANNED_IDS", (4, 9))
    some = some_of(desk)
    assert some.keys() == FILTERS.keys()
    queries: list[dict[str, object]] = [{}] + [{name: value} for name, value in some.items()]
    queries += [{a: some[a], b: some[b]} for a, b in combinations(some, 2)]
    queries += [{**query, "q": "lumen"} for query in queries[1:12]] + [{"q": "mira tiktok"}, {"q": "zz"}]
    queries += open_lists(some)
    for query in queries:
        wanted = listing(desk, **query)
        expected = in_order(set(Order.objects.filter(wanted.where).values_list("pk", flat=True)), sort)
        assert walk(desk, **query, sort=sort) == expected, query
        if len(query) == 1 and "q" not in query:
            assert 0 < len(expected) < Order.objects.count(), query


def test_pages_lead_back_as_they_came(desk: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(User, "page_length", 7)
    for sort in SORTS:
        queries: list[dict[str, Any]] = [{}, {"status": "completed"}, {"by": desk.pk, "network": "instagram"}]
        for query in queries:
            first = listing(desk, **query, sort=sort)
            second = Listing.of(desk, QueryDict(str(first.context()["older"]).partition("?")[2]))
            if second.before is None:
                continue
            back = Listing.of(desk, QueryDict(str(second.context()["newer"]).partition("?")[2]))
            assert back.context()["orders"] == first.context()["orders"], (sort, query)


@pytest.mark.parametrize(
    ("typed", "found"),
    [("lumen", "lumen.studio"), ("LUMEN.stud", "lumen.studio"), ("https://www.instagram.com/lumen", "lumen.studio"),
     ("harb", "harbour"), ("mira", ""), ("𝗟𝘂𝗺𝗲𝗻", "lumen.studio"), ("tiktok views", "harbour"),
     ("lumen st", "lumen.studio")],
)  # fmt: skip
def test_search_finds_parts_of_links_and_names(desk: User, typed: str, found: str) -> None:
    orders = listing(desk, q=typed).page().rows
    assert orders
    assert all(found in order.link for order in orders)


def test_search_understands_ids_of_ours_and_upstreams_and_whole_messages(desk: User) -> None:
    a, b, c = Order.objects.exclude(upstream_id=None).order_by("pk")[:3]
    assert [order.pk for order in listing(desk, q=str(a.pk)).page().rows] == [a.pk]
    assert [order.pk for order in listing(desk, q=b.upstream_id).page().rows] == [b.pk]
    assert [order.pk for order in listing(desk, q=c.request_id).page().rows] == [c.pk]
    message = f"Hi! Please look at order {a.pk}, then {b.upstream_id}\nand {c.link} - also ord_nowhere, thanks"
    found = listing(desk, q=message)
    assert sorted(order.pk for order in found.page().rows) == sorted([a.pk, b.pk, c.pk])
    assert found.pasted
    assert found.pasted.unknown == ["ord_nowhere"]


def test_a_search_without_an_index_is_bounded_and_goes_on_where_it_stopped(
    desk: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paging, "SCANNED_IDS", (5, 5))
    first = listing(desk, least="0", most="0.01", by=desk.pk, status="nonsense")
    context = first.context()
    assert context["orders"] == []
    assert context["looked_to"] or not context["further"]
    assert walk(desk, q="zq") == []


def test_the_newest_of_a_list_that_matches_nothing_is_the_newest_of_all(desk: User) -> None:
    """Or each poll of it would look through all orders."""
    newest = Order.objects.order_by("-pk").first()
    assert newest
    assert listing(desk, by=desk.pk, least=10_000).context()["newest"] == newest.pk


@pytest.mark.skipif(connection.vendor != "sqlite", reason="asks SQLite for its plans")
def test_no_page_scans_or_sorts_orders(desk: User) -> None:
    some = some_of(desk)
    plans: dict[str, list[str]] = {}
    queries: list[dict[str, Any]] = [{}, {"q": "lumen"}, *({name: value} for name, value in some.items())]
    for query in [*queries, *open_lists(some), *({a: some[a], b: some[b]} for a, b in combinations(some, 2))]:
        for sort in SORTS:
            with CaptureQueriesContext(connection) as captured:
                context = listing(desk, **query, sort=sort).context()
                listing(desk, **query, sort=sort, newest=context["newest"]).count_new()
            for asked in list(captured):
                with connection.cursor() as cursor:
                    cursor.execute("EXPLAIN QUERY PLAN " + asked["sql"].replace("%", "%%"), [])
                    steps = [row[3] for row in cursor.fetchall()]
                plans[asked["sql"]] = [s for s in steps if bad(s)]
    assert len(plans) > 100
    assert {sql: steps for sql, steps in plans.items() if steps} == {}


def bad(step: str) -> bool:
    return "TEMP B-TREE" in step or (step.startswith("SCAN") and "orders_order" in step and "USING" not in step)

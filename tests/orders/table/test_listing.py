"""The list finds by every filter, alone and together, in every order, and says how far it has looked."""

from datetime import timedelta
from decimal import Decimal
from itertools import combinations
from typing import Any
from urllib.parse import urlencode

import pytest
from django.db import connection, reset_queries
from django.http import QueryDict
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from catalog.models import Service
from orders.models import Customer, Order, Task
from orders.rules.statuses import FINAL, Status
from orders.table import paging
from orders.table.filters import FILTERS, MONEY, OPEN_FILTERS, PAST
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
    """Orders of two people, three networks, all statuses, many days and prices; some have a pending task."""
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
            order.tasks.create(kind="refill", asked_by=mira, settled_at=now, over_at=now, over_how="marked")
        ends = {"expected_charge": 9, "currency": ("", "EUR")[number % 2], "ended_late": number % 3 == 0}
        Order.objects.filter(pk=order.pk, pk__gt=number // 2, status__in=FINAL).update(**ends)
        Order.objects.filter(pk=order.pk).update(sold_for=(None, 3)[number // 2 % 2])
    return mira


def open_queries(values: dict[str, object]) -> list[dict[str, Any]]:
    """Each further value of `open`, alone and with every other filter."""
    alone: list[dict[str, Any]] = [{"open": value} for value in OPEN_FILTERS if value != values["open"]]
    facts = [{"past": name} for name in PAST] + [{"money": name} for name in MONEY] + [{"customer": 0}]
    pairs = [{**query, name: values[name]} for query in alone for name in values if name != "open"]
    return alone + pairs + facts + [{**query, "service": values["service"]} for query in facts]


def listing(user: User, **query: object) -> Listing:
    """The list with these parameters in its address."""
    return Listing.of(user, QueryDict(urlencode(query)))


def filter_values(user: User) -> dict[str, object]:
    """A value for each filter that some of the desk's orders have and others do not."""
    day = timezone.now().date()
    service = Service.objects.order_by("pk")[1]
    return {
        "status": "completed", "open": "live", "service": service.upstream_id, "category": "TikTok › Views",
        "network": "instagram", "by": user.pk, "host": "tiktok.com", "from": day - timedelta(days=30),
        "assigned": user.pk, "to": day - timedelta(days=9), "least": "2.5", "most": 9,
        "customer": some_customer(user).pk, "reference": "inv-7", "past": "ended", "money": "charged",
        "category_now": "TikTok › Views",
    }  # fmt: skip


def some_customer(user: User) -> Customer:
    """A customer of every third order, some of which they call INV-7."""
    customer, new = Customer.objects.get_or_create(key="lumen", defaults={"name": "Lumen", "created_by": user})
    if new:
        pks = list(Order.objects.order_by("pk").values_list("pk", flat=True))
        Order.objects.filter(pk__in=pks[::3]).update(customer=customer)
        Order.objects.filter(pk__in=pks[::4]).update(customer_reference="INV-7")
    return customer


def ids_on_all_pages(user: User, **query: Any) -> list[int]:
    """The orders on all pages of a list, from the first to the last."""
    ids: list[int] = []
    page = listing(user, **query)
    for _ in range(200):
        context = page.context()
        ids += [order.pk for order in context["orders"]]
        next_page = str(context["older"] or context["further"])
        if not next_page:
            return ids
        page = Listing.of(user, QueryDict(next_page.partition("?")[2]))
    raise AssertionError("the list has no end")


def sorted_ids(pks: set[int], sort: str) -> list[int]:
    """These orders as the list sorts them, computed without a database."""
    field, down = SORTS[sort].field, SORTS[sort].down
    costs = dict(Order.objects.values_list("pk", "cost"))
    return sorted(pks, key=lambda pk: (costs[pk], pk) if field else (pk, pk), reverse=down)


@pytest.mark.slow
@pytest.mark.parametrize("sort", SORTS)
@pytest.mark.parametrize("probed", [paging.PROBED_ROWS, 3], ids=["few", "many"])
def test_every_filter_and_every_pair_lists_what_its_condition_says(
    desk: User, monkeypatch: pytest.MonkeyPatch, sort: str, probed: int
) -> None:
    """The pages together hold the matching orders, whether a filter's ids count as few or as many."""
    monkeypatch.setattr("orders.table.listing.ROWS_A_PAGE", 5)
    monkeypatch.setattr(User, "page_length", 7)
    monkeypatch.setattr(paging, "PROBED_ROWS", probed)
    monkeypatch.setattr(paging, "SCANNED_IDS", (4, 9))
    values = filter_values(desk)
    assert values.keys() == FILTERS.keys()
    queries: list[dict[str, object]] = [{}] + [{name: value} for name, value in values.items()]
    queries += [{a: values[a], b: values[b]} for a, b in combinations(values, 2)]
    queries += [{**query, "q": "lumen"} for query in queries[1:12]] + [{"q": "mira tiktok"}, {"q": "zz"}]
    queries += open_queries(values)
    for query in queries:
        matching = Order.objects.filter(listing(desk, **query).where).values_list("pk", flat=True)
        expected = sorted_ids(set(matching), sort)
        assert ids_on_all_pages(desk, **query, sort=sort) == expected, query
        if len(query) == 1 and "q" not in query:
            assert 0 < len(expected) < Order.objects.count(), query


def test_the_way_back_leads_over_the_same_pages(desk: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """The link back from the second page leads to the first, for lists with no, one and two filters."""
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
    ("typed", "part_of_link"),
    [("lumen", "lumen.studio"), ("LUMEN.stud", "lumen.studio"), ("https://www.instagram.com/lumen", "lumen.studio"),
     ("harb", "harbour"), ("mira", ""), ("𝗟𝘂𝗺𝗲𝗻", "lumen.studio"), ("tiktok views", "harbour"),
     ("lumen st", "lumen.studio")],
)  # fmt: skip
def test_search_finds_parts_of_links_and_names(desk: User, typed: str, part_of_link: str) -> None:
    """Case, scheme and fancy letters do not matter, and several words may be typed."""
    orders = listing(desk, q=typed).page().orders
    assert orders
    assert all(part_of_link in order.link for order in orders)


def test_search_finds_our_ids_upstreams_ids_and_whole_messages(desk: User) -> None:
    """Request ids are found too, and an id in a message that no order has is listed as unknown."""
    a, c, b = Order.objects.exclude(upstream_id=None).order_by("pk")[:3]
    assert [order.pk for order in listing(desk, q=str(a.pk)).page().orders] == [a.pk]
    assert [order.pk for order in listing(desk, q=b.upstream_id).page().orders] == [b.pk]
    assert [order.pk for order in listing(desk, q=c.request_id).page().orders] == [c.pk]
    message = f"Hi! Please look at order {a.pk}, then {b.upstream_id}\nand {c.link} - also ord_nowhere, thanks"
    by_message = listing(desk, q=message)
    assert sorted(order.pk for order in by_message.page().orders) == sorted([a.pk, b.pk, c.pk])
    assert by_message.pasted
    assert by_message.pasted.unknown == ["ord_nowhere"]


def test_a_search_without_an_index_is_bounded_and_continues_where_it_stopped(
    desk: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page says how far back it has looked."""
    monkeypatch.setattr(paging, "SCANNED_IDS", (5, 5))
    first = listing(desk, least="0", most="0.01", by=desk.pk, status="nonsense")
    context = first.context()
    assert context["orders"] == []
    assert context["looked_to"] or not context["further"]
    assert ids_on_all_pages(desk, q="zq") == []


def test_the_newest_of_a_list_that_matches_nothing_is_the_newest_of_all(desk: User) -> None:
    """Otherwise each poll of the list would scan all orders."""
    newest = Order.objects.order_by("-pk").first()
    assert newest
    assert listing(desk, by=desk.pk, least=10_000).context()["newest"] == newest.pk


@pytest.mark.slow
@pytest.mark.skipif(connection.vendor != "sqlite", reason="asks SQLite for its plans")
def test_no_page_scans_or_sorts_orders(desk: User) -> None:
    """Reads SQLite's plans for every filter, pair and order, and for counting new orders."""
    values = filter_values(desk)
    plans: dict[str, list[str]] = {}
    queries: list[dict[str, Any]] = [{}, {"q": "lumen"}, *({name: value} for name, value in values.items())]
    queries += [*open_queries(values), *({a: values[a], b: values[b]} for a, b in combinations(values, 2))]
    for query in queries:
        for sort in SORTS:
            reset_queries()  # more than 9,000 are not kept
            with CaptureQueriesContext(connection) as captured:
                context = listing(desk, **query, sort=sort).context()
                opened = listing(desk, **query, sort=sort, newest=context["newest"])
                opened.count_new([])
                list(opened.own_new_orders([]))
            for executed in list(captured):
                with connection.cursor() as cursor:
                    cursor.execute("EXPLAIN QUERY PLAN " + executed["sql"].replace("%", "%%"), [])
                    steps = [row[3] for row in cursor.fetchall()]
                plans[executed["sql"]] = [step for step in steps if scans_or_sorts(step)]
    assert len(plans) > 100
    assert {sql: steps for sql, steps in plans.items() if steps} == {}


def scans_or_sorts(step: str) -> bool:
    """Whether a step of SQLite's plan sorts, or reads all orders without an index."""
    return "TEMP B-TREE" in step or (step.startswith("SCAN") and "orders_order" in step and "USING" not in step)

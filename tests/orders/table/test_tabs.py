"""The tabs of the orders page: which orders they have, what they count, and what an empty one says."""

import re
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.http import QueryDict
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.access import Role
from accounts.models import User
from orders.models import Order
from orders.rules.statuses import Status
from orders.table import listing as listings
from orders.table.filters import ALL_TABS, NOTHING, OPEN_FILTERS
from orders.table.listing import Listing
from tests.makers import make_order, make_service, make_user
from tests.people import as_user, htmx

pytestmark = pytest.mark.django_db


@pytest.fixture
def ana() -> User:
    return make_user(Role.OPERATOR, name="Ana")


def waiting(by: User, **facts: object) -> Order:
    """An order that is tried again in an hour."""
    order = make_order(by=by)
    order.tasks.update(due_at=timezone.now() + timedelta(hours=1), attempts=1, **facts)
    return order


def unfunded(by: User) -> Order:
    return waiting(by, needs=Decimal("4.5"), answer="Insufficient balance")


def confirming(by: User) -> Order:
    return waiting(by, unclear_since=timezone.now(), answer="No answer within 10 s.")


def ids(user: User, query: str) -> list[int]:
    """The orders of a list, from its top."""
    return [int(row.pk) for row in Listing.of(user, QueryDict(query)).page().rows]


def counts(client: Client, query: str = "") -> dict[str, str]:
    """The tabs of a page that have a number."""
    page = client.get(f"/orders/?{query}").content.decode()
    return {
        tab: count for tab, count in re.findall(r'<span class="n" id="n-(\w+)">([^<]+)</span>', page) if tab != "late"
    }


# ── Which orders ─────────────────────────────────────────────────────────────────────────────────
def test_what_waits_for_money_and_what_has_no_answer_have_tabs(ana: User) -> None:
    """They are queued too; what is settled is in neither."""
    make_order(Status.IN_PROGRESS, by=ana)
    poor, unclear, plain = unfunded(ana), confirming(ana), make_order(by=ana)
    assert ids(ana, "status=unfunded") == [poor.pk]
    assert ids(ana, "status=confirming") == [unclear.pk]
    assert ids(ana, "status=queued") == [plain.pk, unclear.pk, poor.pk]
    assert ids(ana, f"status=unfunded&by={ana.pk}&sort=dearest") == [poor.pk]
    assert ids(ana, f"status=unfunded&by={make_user().pk}") == []
    poor.tasks.update(settled_at=timezone.now(), due_at=None)
    assert ids(ana, "status=unfunded") == []


def test_their_tabs_count_them(ana: User) -> None:
    """Also while nothing filters the list."""
    unfunded(ana), unfunded(ana), confirming(ana)
    assert counts(as_user(ana)) == {"all": "3", "unfunded": "2", "confirming": "1", "queued": "3"}


# ── Numbers under filters ────────────────────────────────────────────────────────────────────────
def test_filters_and_searches_keep_the_numbers(ana: User) -> None:
    """Of what the other filters leave, whichever tab is open."""
    mate, service = make_user(name="Bo"), make_service()
    for status in (Status.COMPLETED, Status.COMPLETED, Status.PENDING):
        make_order(status, by=ana, service=service, link="https://instagram.com/quince")
    make_order(Status.COMPLETED, by=mate, service=service)
    make_order(Status.IN_PROGRESS, by=ana, service=service, missing_since=timezone.now())
    unfunded(ana), confirming(ana)
    mine = {"all": "6", "completed": "2", "pending": "1", "in_progress": "1", "review": "1", "queued": "2",
            "unfunded": "1", "confirming": "1"}  # fmt: skip
    for tab in ("", "&status=pending", "&status=unfunded"):
        assert counts(as_user(ana), f"by={ana.pk}{tab}") == mine
    assert counts(as_user(ana), "q=quince&status=completed") == {"all": "3", "completed": "2", "pending": "1"}


def test_of_many_only_the_newest_are_counted_and_the_number_says_so(ana: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """A tab of which none was met claims nothing."""
    monkeypatch.setattr(listings, "COUNTED_IDS", 3)
    service = make_service()
    for status in (Status.REFUNDED, Status.COMPLETED, Status.COMPLETED, Status.PENDING):
        make_order(status, by=ana, service=service)
    assert counts(as_user(ana), f"by={ana.pk}") == {"all": "3+", "completed": "2+", "pending": "1+"}


def test_counting_reads_no_more_than_its_bound(ana: User) -> None:
    """No count over orders, and the same statements for a few as for many."""
    service, statements = make_service(), []
    for many in (3, 60):
        for _ in range(many):
            make_order(Status.COMPLETED, by=ana, service=service)
        with CaptureQueriesContext(connection) as queries:
            Listing.of(ana, QueryDict(f"by={ana.pk}")).tab_counts()
        statements.append(len(queries))
    assert statements[0] == statements[1] <= 3


def test_a_poll_of_a_filtered_list_brings_its_own_numbers(ana: User) -> None:
    """Not those of the whole desk."""
    order = make_order(Status.PENDING, by=ana)
    make_order(Status.PENDING)
    poll = as_user(ana).get(f"/orders/changes/?by={ana.pk}&v={order.pk}:1&counts=old", headers=htmx()).content.decode()
    assert '<span class="n" id="n-pending" hx-swap-oob="true">1</span>' in poll


# ── Nothing ──────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("query", [*(f"status={tab}" for tab in ALL_TABS), *(f"open={name}" for name in OPEN_FILTERS)])
def test_an_empty_list_says_what_is_true(ana: User, query: str) -> None:
    """“Nothing needs a look” is good news and no failed search."""
    page = as_user(ana).get(f"/orders/?{query}").content.decode()
    assert f"<h2>{NOTHING[query.partition('=')[2]]}</h2>" in page


def test_an_empty_list_names_the_filter_to_drop(ana: User) -> None:
    """With one filter besides the tab, and with a search."""
    make_order(Status.PENDING, by=ana)
    page = as_user(ana).get(f"/orders/?by={ana.pk}&status=completed").content.decode()
    assert "No order matches all of this" in page
    assert f'<a class="btn " href="/orders/?by={ana.pk}">Drop “Status”</a>' in page
    assert "<h2>No order is assigned to you</h2>" in as_user(ana).get(f"/orders/?assigned={ana.pk}").content.decode()


# ── One's own new orders ─────────────────────────────────────────────────────────────────────────
def poll(user: User, shown: Order, query: str = "") -> str:
    """What an open page with this order on it is told of newer ones."""
    address = f"/orders/changes/?{query}&newest={shown.pk}&top={shown.pk}&v={shown.pk}:{shown.version}"
    return as_user(user).get(address, headers=htmx()).content.decode()


def test_ones_own_new_order_comes_at_once_and_a_teammates_behind_the_pill(ana: User) -> None:
    """The pill counts only what the page does not have."""
    shown = make_order(Status.PENDING, by=ana)
    mine, theirs = make_order(by=ana), make_order()
    told = poll(ana, shown)
    assert '<tbody hx-swap-oob="afterbegin:#rows">' in told
    assert f'id="order-{mine.pk}"' in told
    assert f'id="order-{theirs.pk}"' not in told
    assert "1 new order</a>" in told
    assert f'data-top="{theirs.pk}"' in told


def test_ones_own_new_order_comes_once(ana: User) -> None:
    """The next poll names it among the rows on the page."""
    shown, mine = make_order(Status.PENDING, by=ana), make_order(by=ana)
    address = f"/orders/changes/?newest={shown.pk}&v={shown.pk}:{shown.version},{mine.pk}:{mine.version}"
    told = as_user(ana).get(f"{address}&top={shown.pk}", headers=htmx()).content.decode()
    assert "afterbegin" not in told
    assert "new order</a>" not in told


def test_ones_own_new_order_stays_away_where_it_does_not_belong(ana: User) -> None:
    """A list that it does not match, or that is sorted otherwise: there is no place for it on top."""
    shown = make_order(Status.PENDING, by=ana)
    make_order(by=ana)
    assert "afterbegin" not in poll(ana, shown, "status=pending")
    sorted_otherwise = poll(ana, shown, "sort=dearest")
    assert "afterbegin" not in sorted_otherwise
    assert "1 new order</a>" in sorted_otherwise

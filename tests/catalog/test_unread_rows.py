"""A service whose newest row cannot be read is marked and takes a deliberate yes; rounding sells nothing at $0."""

from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.access import Role
from catalog.models import Service, SetAside
from catalog.sync import UNCATEGORISED, sync
from orders.models import Order
from orders.rules.refusal import Refusal
from panel.notpanel.client import Client
from panel.notpanel.shapes import Catalog
from tests.catalog.test_sync import apply
from tests.makers import make_row, make_service, place_order
from tests.orders.placing.test_order_form import filled
from tests.people import as_a
from tests.upstream import Upstream

pytestmark = pytest.mark.django_db

READABLE: dict[str, Any] = {
    "service": 7, "name": "Followers", "type": "Default", "category": "Instagram", "rate": "0.90", "min": "50",
    "max": "10000", "refill": True, "cancel": True, "dripfeed": False,
}  # fmt: skip


def listed(**changed: Any) -> Service:
    """Service 7 after upstream listed it as READABLE, and then with these changes beside another."""
    first, other = dict(READABLE), READABLE | {"service": 8}
    for rows in ([first, other], [first | changed, other]):
        parsed = Catalog.parse(rows)
        apply(parsed.rows, parsed.bad)
    return Service.objects.get(upstream_id=7)


@pytest.mark.parametrize(
    "changed",
    [
        {"rate": "1,20"}, {"rate": "ask us"}, {"rate": None}, {"rate": "-1"}, {"rate": ""}, {"rate": {"usd": 1}},
        {"rate": "0.0000004"}, {"rate": "0.0000000000001"}, {"min": "fifty"}, {"min": 1.5}, {"max": None}, {"min": -1},
        {"min": "900", "max": "100"}, {"name": ""}, {"name": "\u200b\u2060"}, {"name": "\u3164"}, {"name": "x" * 501},
        {"type": "x" * 61},
    ],
    ids=str,
)  # fmt: skip
def test_a_row_that_cannot_be_read_marks_its_service(changed: dict[str, Any]) -> None:
    service = listed(**changed)
    assert service.active and service.unread_since and service.unread_why
    assert service.rate == Decimal("0.90"), "it is not overwritten either"
    with pytest.raises(Refusal, match="cannot be read"):
        place_order(service=service)
    assert not Service.objects.get(upstream_id=8).unread_since
    assert SetAside.objects.get().why == service.unread_why


@pytest.mark.parametrize(
    "changed",
    [
        {}, {"rate": Decimal("0.9")}, {"rate": "0.90000"}, {"rate": "1.20"}, {"rate": "0"}, {"rate": "0.000001"},
        {"min": 50}, {"min": "0"}, {"type": None}, {"category": None}, {"refill": "maybe"}, {"desc": "x" * 9000},
    ],
    ids=str,
)  # fmt: skip
def test_a_row_that_can_be_read_does_not(changed: dict[str, Any]) -> None:
    service = listed(**changed)
    assert not service.unread_since and not service.unread_why
    assert place_order(service=service).pk


def test_the_mark_goes_when_the_row_can_be_read_again() -> None:
    service = listed(rate="?")
    parsed = Catalog.parse([READABLE, READABLE | {"service": 8}])
    apply(parsed.rows)
    service.refresh_from_db()
    assert service.unread_since is None and not service.unread_why
    assert not service.changes.exists(), "nothing moved, so nothing is in the inbox"


def test_the_same_bad_row_again_writes_nothing_and_another_asks_anew() -> None:
    service = listed(rate="?")
    bad = Catalog.parse([READABLE | {"rate": "?"}, READABLE | {"service": 8}])
    with CaptureQueriesContext(connection) as queries:
        apply(bad.rows, bad.bad)
    assert all(query["sql"].startswith("SELECT") for query in queries)
    other = Catalog.parse([READABLE | {"min": "?"}, READABLE | {"service": 8}])
    apply(other.rows, other.bad)
    again = Service.objects.get(pk=service.pk)
    assert again.unread_since and service.unread_since and again.unread_since > service.unread_since
    assert "min or max" in again.unread_why


def test_a_second_row_that_is_worse_than_the_first_changes_nothing() -> None:
    parsed = Catalog.parse([READABLE, READABLE | {"rate": "?"}])
    apply([make_row(upstream_id=7)])
    apply(parsed.rows, parsed.bad)
    assert not Service.objects.get().unread_since


def test_a_service_off_sale_is_not_marked() -> None:
    make_service(upstream_id=7, active=False)
    parsed = Catalog.parse([READABLE | {"rate": "?"}])
    apply(parsed.rows, parsed.bad)
    service = Service.objects.get()
    assert (service.active, service.unread_since) == (False, None)


def test_over_the_wire(upstream: Upstream, phone: Client) -> None:
    sync(phone)
    upstream.catalog_is([READABLE | {"rate": "by agreement"}])
    sync(phone)
    assert not Service.objects.filter(upstream_id=7).exists(), "a new one is not sold at all"


# ── The deliberate yes ───────────────────────────────────────────────────────────────────────────
def test_the_form_says_why_and_takes_a_yes_to_what_was_shown() -> None:
    service, operator = listed(rate="?"), as_a(Role.OPERATOR)
    page = operator.get("/orders/new/?service=7").content.decode()
    for words in ("its rate is not an amount", "Order although the price may be another", "Rate, as last read"):
        assert words in page, words
    answer = operator.post("/orders/new/", filled(service))
    assert answer.status_code == 422
    assert "cannot be read" in answer.content.decode()
    answer = operator.post("/orders/new/", filled(service, despite_unread=service.unread_mark), follow=True)
    assert Order.objects.count() == 1
    assert "newest row could not be read (its rate is not an amount" in answer.content.decode()


@pytest.mark.parametrize("typed", ["", "1", "on", "1e9", "\0"])
def test_nonsense_and_an_older_yes_are_no_consent(typed: str) -> None:
    service = listed(rate="?")
    assert as_a(Role.OPERATOR).post("/orders/new/", filled(service, despite_unread=typed)).status_code == 422
    assert not Order.objects.exists()


def test_a_form_whose_order_exists_leads_to_it_even_if_the_row_cannot_be_read_now() -> None:
    service, operator = make_service(), as_a(Role.OPERATOR)
    form = filled(service)
    first = operator.post("/orders/new/", form)["Location"]
    Service.objects.update(unread_since=timezone.now(), unread_why="its rate is not an amount")
    assert operator.post("/orders/new/", form)["Location"] == first


def test_lists_and_the_picker_say_so() -> None:
    listed(rate="?")
    for url in ("/services/", "/services/found/"):
        assert "Newest row unreadable" in as_a(Role.OPERATOR).get(url).content.decode(), url


# ── Labels ───────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("nothing", ["", " ", "\u200b", "\u2060\ufeff", "\u3164", "\u2800", "\u00ad"])
def test_a_category_or_type_that_shows_nothing_gets_a_name(nothing: str) -> None:
    service = listed(category=nothing, type=nothing)
    assert (service.category, service.type) == (UNCATEGORISED, "Default")
    assert UNCATEGORISED in as_a(Role.VIEWER).get("/services/").content.decode()

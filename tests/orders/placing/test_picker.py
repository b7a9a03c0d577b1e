"""The picker shows what this person and team use first; a vanished service offers its category; equals are compared."""

from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from catalog.changes import add_changes, hold
from catalog.favourites import star
from catalog.models import Change, Service
from orders.models import Order
from orders.placing.picker import cheaper_than, picker
from tests.makers import make_order, make_service, make_user
from tests.orders.placing.test_order_form import filled
from tests.people import as_user

pytestmark = pytest.mark.django_db


def names(shown: dict[str, Any]) -> list[tuple[str, list[str]]]:
    return [(group.title, [service.name for service in group.services]) for group in shown["groups"]]


def test_what_is_used_comes_first_each_service_once() -> None:
    me, services = make_user(), [make_service(name=f"S{n}") for n in range(6)]
    star(services[5], True, by=me)
    for service in (services[3], services[5]):  # the favourite is used as well
        make_order("completed", by=me, service=service)
    for n in range(3):
        make_order("completed", service=services[2], link=f"https://instagram.com/a{n}")
    gone = make_order("completed", by=me).service
    Service.objects.filter(pk=gone.pk).update(active=False)
    assert names(picker("", "", me)) == [
        ("Your favourites", ["S5"]), ("You used lately", ["S3"]), ("The team uses most", ["S2"]),
        ("Others", ["S0", "S1", "S4"]),
    ]  # fmt: skip
    assert names(picker("instagram", "", me)) == [("", ["S5", "S3", "S2", "S0", "S1", "S4"])]


def test_the_service_whose_id_is_typed_comes_first_also_before_what_is_used() -> None:
    me = make_user()
    used, longer, exact = (make_service(upstream_id=number, name=str(number)) for number in (31010, 1010, 101))
    star(used, True, by=me)
    assert names(picker(" 101 ", "", me)) == [("", ["101", "31010", "1010"])]
    Service.objects.filter(pk=exact.pk).update(active=False)
    assert names(picker("101", "", me)) == [("", ["31010", "1010"])]
    assert longer.active


def test_a_new_desk_shows_its_catalog_without_titles() -> None:
    services = [make_service(name=f"S{n}") for n in range(25)]
    assert names(picker("", "", make_user())) == [("", [service.name for service in services[:20]])]


def test_the_choice_stays_in_the_list_whatever_is_searched_for() -> None:
    me, chosen, other = make_user(), make_service(name="Chosen"), make_service(name="Other")
    shown = picker("other", str(chosen.upstream_id), me)
    assert names(shown) == [("Chosen", ["Chosen"]), ("", ["Other"])]
    assert not shown["open"], "a choice that can be ordered folds the list"
    assert picker("", "", me)["open"]
    assert other in shown["services"]  # type: ignore[operator]


def test_a_vanished_service_offers_its_own_category_its_type_first(operator: Client) -> None:
    gone = make_service(name="Gone", category="TikTok › Views", active=False)
    make_service(name="Package", category="TikTok › Views", type="Package")
    make_service(name="Alike", category="TikTok › Views")
    make_service(name="Elsewhere")
    shown = picker("", str(gone.upstream_id), make_user())
    assert names(shown) == [("Chosen", ["Gone"]), ("On sale in TikTok › Views", ["Alike", "Package"])]
    assert shown["open"]
    page = operator.get(f"/orders/new/?service={gone.upstream_id}").content.decode()
    assert "On sale in TikTok › Views" in page and 'class="found is-open"' in page


def test_the_picker_costs_the_same_few_statements_whatever_was_ordered() -> None:
    me, service = make_user(), make_service()
    counts = []
    for more in (1, 12):
        for n in range(more):
            make_order("completed", by=me, service=service, link=f"https://instagram.com/{more}x{n}")
            make_order("completed", link=f"https://instagram.com/{more}y{n}")
        with CaptureQueriesContext(connection) as queries:
            picker("", "", me)
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 6


# ── Cheaper ──────────────────────────────────────────────────────────────────────────────────────
def equal(**fields: Any) -> Service:
    return make_service(**{"category": "TikTok › Views", "rate": Decimal("0.80"), **fields})


@pytest.fixture
def dear() -> Service:
    return equal(rate=Decimal("1"))


def test_the_cheapest_equal_service_is_named(dear: Service) -> None:
    equal(name="Cheap")
    cheapest = equal(name="Cheapest", rate=Decimal("0.70"))
    assert cheaper_than(dear, 1000) == cheapest


@pytest.mark.parametrize(
    "other",
    [
        {"category": "TikTok › Likes"}, {"type": "Custom Comments"}, {"refill": False}, {"cancel": False},
        {"dripfeed": True}, {"active": False}, {"minimum": 2000}, {"maximum": 500}, {"rate": Decimal("1")},
        {"rate": Decimal("0")},
    ],
    ids=str,
)  # fmt: skip
def test_what_is_not_equal_or_not_cheaper_is_not_named(dear: Service, other: dict[str, Any]) -> None:
    equal(**other)
    assert cheaper_than(dear, 1000) is None


def test_what_is_in_doubt_is_not_named(dear: Service) -> None:
    held, undecided, unread = equal(), equal(), equal()
    for service in (held, undecided):
        add_changes({service.pk: {"name": ["Old", service.name]}}, timezone.now())
    hold(Change.objects.get(service=held).pk, by=make_user(), at=timezone.now())
    Service.objects.filter(pk=unread.pk).update(unread_since=timezone.now())
    assert cheaper_than(dear, 1000) is None


def test_packages_and_unknown_types_are_not_compared() -> None:
    for kind in ("Package", "Mystery"):
        dear = equal(type=kind, rate=Decimal("1"))
        equal(type=kind)
        assert cheaper_than(dear, 1000) is None
    assert cheaper_than(None, 1000) is None


def test_the_cheaper_one_can_be_taken_without_losing_what_is_typed(dear: Service) -> None:
    cheap, client = equal(name="Cheap"), as_user(make_user())
    form = filled(dear, quantity="500", link="https://www.tiktok.com/@lumen/video/73")
    page = client.post("/orders/new/receipt/", form).content.decode()
    assert f"Service {cheap.upstream_id} is cheaper: ≈ $0.40 for this order." in page
    answer = client.post("/orders/new/", {**form, "instead": str(cheap.upstream_id)})
    page = answer.content.decode()
    assert answer.status_code == 200
    assert f'value="{cheap.upstream_id}" checked' in page and 'value="500"' in page
    assert not Order.objects.exists()

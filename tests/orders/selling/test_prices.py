"""Selling prices: kept by managers, shown while somebody types, frozen with the order, and warned of when too low."""

from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts.access import Role
from accounts.models import DeskSettings, TrailLine, User
from catalog.models import Change, Service
from orders.models import Order, PriceList, SellingRule
from orders.models.order import COSTS_MORE, SOLD_UNSENT
from orders.rules.refusal import Refusal
from orders.selling.below import charged_above, sold_below, unsent_below
from orders.selling.change import make_list, remove_rule, set_rule
from orders.selling.prices import PriceBook, sale_of
from panel.ops.database import ONLY_ROW
from tests.accounts.roles.switched import switch
from tests.makers import make_order, make_service, make_user, place_order
from tests.orders.customers.shops import make_customer, sold_to
from tests.orders.placing.test_order_form import filled
from tests.people import as_a, as_user

pytestmark = pytest.mark.django_db
COST = Decimal("2.80")


@pytest.fixture
def manager() -> User:
    return make_user(Role.MANAGER)


@pytest.fixture
def service() -> Service:
    return make_service(rate=COST)


def rule(by: User, percent: str, **of: Any) -> SellingRule:
    whom = {"customer": None, "price_list": None, "service": None, **of}
    return set_rule(**whom, percent=Decimal(percent), plus=Decimal(0), step=Decimal(0), by=by)


# ── Rules ────────────────────────────────────────────────────────────────────────────────────────
def test_what_is_nearer_to_the_customer_wins(manager: User, service: Service) -> None:
    agency = make_list("Agency", by=manager)
    customer, other = make_customer("Northside Gym", price_list=agency), make_customer("Harbour Coffee")
    steps: list[tuple[str, dict[str, Any]]] = [
        ("10", {}), ("20", {"service": service}), ("30", {"price_list": agency}),
        ("40", {"price_list": agency, "service": service}), ("50", {"customer": customer}),
        ("60", {"customer": customer, "service": service}),
    ]  # fmt: skip
    assert sale_of(customer, service, COST) is None
    for percent, of in steps:
        rule(manager, percent, **of)
        sale = sale_of(customer, service, COST)
        assert sale and sale.price == COST * (100 + int(percent)) / 100
    book = PriceBook.load()
    for whom in (customer, other, None):
        assert book.sale(whom, service, COST) == sale_of(whom, service, COST)
    assert sale_of(other, service, COST).price == COST * 120 / 100  # type: ignore[union-attr]


def test_a_price_is_one_query_however_many_rules_there_are(
    manager: User, service: Service, django_assert_num_queries: Any
) -> None:
    for number in range(5):
        rule(manager, "50", customer=make_customer(f"Shop {number}"))
    customer = make_customer("Northside Gym")
    with django_assert_num_queries(1):
        sale_of(customer, service, COST)


def test_there_is_one_rule_for_each_customer_and_service(manager: User, service: Service) -> None:
    rule(manager, "50", service=service)
    rule(manager, "60", service=service)
    assert SellingRule.objects.get().percent == 60
    line = TrailLine.objects.filter(kind="price_set").latest("pk")
    assert (line.before, line.after) == ({"price": "cost + 50 %"}, {"price": "cost + 60 %"})
    rule(manager, "60", service=service)
    assert TrailLine.objects.filter(kind="price_set").count() == 2, "setting the same again is no change"


def test_a_removed_rule_leaves_what_was_sold(manager: User, service: Service) -> None:
    kept = rule(manager, "50")
    order = place_order(service=service)
    remove_rule(kept.pk, by=manager)
    remove_rule(kept.pk, by=manager)
    order.refresh_from_db()
    assert order.sold_for == Decimal("4.20")
    assert place_order(service=service, link="https://instagram.com/another").sold_for is None
    assert TrailLine.objects.filter(kind="price_removed").count() == 1


def test_only_managers_set_prices(service: Service) -> None:
    with pytest.raises(Refusal, match="Only managers and owners may set selling prices"):
        rule(make_user(), "50")
    assert as_a(Role.OPERATOR).get("/customers/prices/").status_code == 403


def test_a_price_list_has_a_name_of_its_own(manager: User) -> None:
    make_list("Agency", by=manager)
    for name, why in (("AGENCY", "There is a price list called “Agency” already"), (" ", "Write a name"),
                      ("x" * 61, "at most 60 characters")):  # fmt: skip
        with pytest.raises(Refusal, match=why):
            make_list(name, by=manager)
    assert PriceList.objects.count() == 1


# ── The page ─────────────────────────────────────────────────────────────────────────────────────
def test_a_manager_sets_a_rule_on_the_page(manager: User, service: Service) -> None:
    make_customer("Northside Gym")
    page = as_user(manager)
    sent = {"customer": "northside gym", "service": str(service.upstream_id), "percent": "50", "plus": "0.05",
            "step": "0.10"}  # fmt: skip
    assert page.post("/customers/prices/", sent).status_code == 302
    shown = page.get("/customers/prices/").content.decode()
    assert "cost + 50 % + $0.05, rounded up to $0.10" in shown and "Northside Gym" in shown


@pytest.mark.parametrize(
    ("sent", "why"),
    [({}, "Write how much is added"), ({"percent": "lots"}, "Write a number, such as 20"),
     ({"percent": "-95"}, "Not below -90."), ({"plus": "-1"}, "Not below zero."),
     ({"percent": "1.234"}, "At most 2 decimals."),
     ({"customer": "Zebra", "percent": "5"}, "No customer has this name."),
     ({"service": "99999999", "percent": "5"}, "There is no service with this id."),
     ({"price_list": "77", "percent": "5"}, "There is no such price list any more.")],
)  # fmt: skip
def test_what_is_wrong_with_a_rule_stands_beside_its_field(manager: User, sent: dict[str, str], why: str) -> None:
    answer = as_user(manager).post("/customers/prices/", sent)
    assert answer.status_code == 422 and why in answer.content.decode()
    assert not SellingRule.objects.exists()


# ── In the form and with the order ───────────────────────────────────────────────────────────────
def test_the_receipt_says_what_they_pay_while_somebody_types(operator: Client, manager: User, service: Service) -> None:
    customer = make_customer("Northside Gym")
    rule(manager, "50")
    rule(manager, "100", customer=customer)
    typed = filled(service)
    receipt = operator.post("/orders/new/receipt/", typed).content.decode()
    assert "They pay $4.20." in receipt and "$1.40" in receipt and ", 33 %" in receipt
    receipt = operator.post("/orders/new/receipt/", {**typed, "customer": "northside gym"}).content.decode()
    assert "They pay $5.60." in receipt and ", 50 %" in receipt
    operator.post("/orders/new/", {**typed, "customer": "northside gym"})
    assert Order.objects.get().sold_for == Decimal("5.60")


def test_a_price_below_cost_or_the_least_margin_is_warned_of(operator: Client, manager: User, service: Service) -> None:
    rule(manager, "-10")
    assert "They pay less than this order costs us." in receipt_of(operator, service)
    rule(manager, "10")
    assert "margin is below" not in receipt_of(operator, service)
    DeskSettings.objects.update_or_create(pk=ONLY_ROW, defaults={"chosen": {"margin_floor_percent": "20"}})
    assert "The margin is below the least of 20 %." in receipt_of(operator, service)


def receipt_of(operator: Client, service: Service) -> str:
    return operator.post("/orders/new/receipt/", filled(service)).content.decode()


def test_who_may_see_no_money_sees_no_price_and_orders_all_the_same(manager: User, service: Service) -> None:
    rule(manager, "50")
    switch(operator_money=False)
    client = as_a(Role.OPERATOR)
    assert "They pay" not in client.post("/orders/new/receipt/", filled(service)).content.decode()
    order = place_order(service=service)
    assert order.sold_for == Decimal("4.20")
    page = client.get(f"/orders/{order.pk}/").content.decode()
    assert "They pay" not in page and "Margin" not in page
    assert client.get("/customers/prices/").status_code == 403


def test_the_page_of_an_order_says_what_they_pay_in_the_end(operator: Client, manager: User, service: Service) -> None:
    rule(manager, "50")
    order = make_order("partial", service=service, quantity=1000)
    Order.objects.filter(pk=order.pk).update(remains=250, charge=Decimal("2.10"), currency="USD")
    page = " ".join(operator.get(f"/orders/{order.pk}/").content.decode().split())
    assert 'They pay in the end</dt><dd><b>$3.15</b> <span class="quiet">of $4.20</span>' in page
    assert "$1.05, 33 %" in page


# ── Prices that are too low ──────────────────────────────────────────────────────────────────────
def test_an_order_that_is_charged_above_its_price_is_listed(manager: User, service: Service) -> None:
    rule(manager, "50")
    dear, fine, gone = (make_order(status, service=service) for status in ("completed", "completed", "refunded"))
    Order.objects.filter(pk__in=[dear.pk, gone.pk]).update(charge=Decimal("4.30"), currency="USD")
    listed, more = charged_above()
    assert [low.order for low in listed] == [dear] and not more and fine.sold_for == Decimal("4.20")
    assert listed[0].sale.margin == Decimal("-0.10")
    page = as_user(manager).get("/customers/prices/").content.decode()
    assert "Cost more than they were sold for" in page and f">{dear.pk}</a>" in page


def test_a_rise_under_what_is_sold_and_not_sent_is_raised_where_price_moves_are_decided(
    manager: User, service: Service
) -> None:
    rule(manager, "20")
    waiting, sent = sold_to(make_customer(), service=service), make_order("in_progress", service=service)
    assert not unsent_below()
    Service.objects.filter(pk=service.pk).update(rate=Decimal("4.00"))
    change = Change.objects.create(service=service, moved={"rate": ["2.80", "4.00"]}, at=timezone.now())
    assert [low.order for low in unsent_below()] == [waiting] and sent.sold_for == Decimal("3.36")
    assert [low.order for low in sold_below([service.pk])[service.pk]] == [waiting]
    page = as_user(manager).get("/services/changes/").content.decode()
    assert "Sold for too little at this rate, and not sent yet" in page
    assert f'href="/orders/{waiting.pk}/">order {waiting.pk}</a> for $3.36, costs $4.00' in page
    switch(viewer_money=False)
    assert "Sold for too little" not in as_a(Role.VIEWER).get("/services/changes/").content.decode()
    decided = as_user(manager).post(f"/services/changes/{change.pk}/decision/", {"decision": "held"},
                                    headers={"HX-Request": "true"})  # fmt: skip
    assert decided.status_code == 200 and "Sold for too little" in decided.content.decode()


@pytest.mark.skipif(connection.vendor != "sqlite", reason="asks SQLite for its plans")
def test_what_is_too_low_is_read_by_indexes() -> None:
    above = Order.objects.filter(COSTS_MORE).order_by("-pk")
    unsent = Order.objects.filter(SOLD_UNSENT, service__in=[1]).order_by("-pk")
    assert "order_below_cost" in above.explain() and "order_sold_unsent" in unsent.explain()

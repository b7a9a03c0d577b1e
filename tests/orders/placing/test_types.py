"""Each type of service has its own fields, and the real supplier's rules take what they make."""

import re
import uuid
from decimal import Decimal

import pytest
from django.test import Client
from django.utils import timezone

from catalog.models import Service
from catalog.sync import apply_catalog
from orders.models import Order
from orders.placing.submit import submit_one
from orders.rules.links import network_of
from orders.rules.service_types import TYPES
from panel.notpanel.client import Client as Phone
from tests.makers import make_service, sold_by
from tests.orders.placing.test_order_form import LINK, filled
from tests.upstream import Upstream

pytestmark = pytest.mark.django_db

TYPED: dict[str, dict[str, str]] = {
    "Default": {},
    "Package": {"quantity": ""},
    "Custom Comments": {"quantity": "", "comments": "Nice!\n\n  Great work \nمرحبا\r\nfour\nfive\n"},
    "Mentions": {"usernames": "@ana\n@ben"},
    "Poll": {"answer_number": "2"},
    "Subscriptions": {
        "link": "", "quantity": "", "username": "@lumen.studio", "min": "600", "max": "1,000", "posts": "5",
        "old_posts": "0", "delay": "30", "expiry": "2099-12-31",
    },
}  # fmt: skip


def fitting(service: Service, **typed: str) -> dict[str, str]:
    """A form for a service of the sandbox, with a link on its own network."""
    network = network_of(service.category)
    assert network
    return filled(service, **{"link": f"https://{network.hosts[0]}/lumen", **typed})


FOR_WHOM = {"customer", "customer_reference"}  # which the desk asks for, and no type


def fields_of(page: str) -> set[str]:
    """The names that stand in the form to be typed."""
    own = page.partition('id="fields"')[2].partition('aria-label="Receipt"')[0]
    return set(re.findall(r'<(?:input|textarea) class="in-t"[^>]* name="(\w+)"', own)) - FOR_WHOM


@pytest.mark.parametrize("type", TYPED)
def test_the_form_asks_for_what_the_type_takes_and_no_more(operator: Client, type: str) -> None:
    service = make_service(type=type)
    page = operator.get(f"/orders/new/?service={service.upstream_id}").content.decode()
    assert fields_of(page) == {*TYPES[type.casefold()].fields, "coupon"}


def test_every_known_type_is_tried_here() -> None:
    assert {type.casefold() for type in TYPED} == set(TYPES)


@pytest.mark.parametrize("type", TYPED)
def test_upstream_takes_what_the_form_makes(operator: Client, upstream: Upstream, phone: Phone, type: str) -> None:
    apply_catalog(phone.services(), timezone.now())
    service = Service.objects.filter(type=type).order_by("upstream_id")[0]
    answer = operator.post("/orders/new/", fitting(service, **TYPED[type]))
    assert answer.status_code == 302, re.findall(r'class="err">.*?</p>', answer.content.decode(), re.S)
    assert submit_one(phone)
    order = Order.objects.get()
    assert order.upstream_id, [str(event) for event in order.events.all()]
    [booked] = upstream.books()["orders"]
    assert Decimal(booked["charge"]) == order.expected_charge.quantize(Decimal("0.00001"))


def test_the_bodies_are_what_the_trade_sends(operator: Client) -> None:
    bodies = {}
    for type, typed in TYPED.items():
        service = make_service(type=type, minimum=1, maximum=10_000)
        assert operator.post("/orders/new/", filled(service, **typed)).status_code == 302, type
        bodies[type] = {name: value for name, value in Order.objects.latest("pk").body.items() if name != "service"}
    assert bodies == {
        "Default": {"link": LINK, "quantity": "1000"},
        "Package": {"link": LINK},
        "Custom Comments": {"link": LINK, "comments": "Nice!\nGreat work\nمرحبا\nfour\nfive"},
        "Mentions": {"link": LINK, "quantity": "1000", "usernames": "@ana\n@ben"},
        "Poll": {"link": LINK, "quantity": "1000", "answer_number": "2"},
        "Subscriptions": {
            "username": "lumen.studio", "min": "600", "max": "1000", "posts": "5", "old_posts": "0", "delay": "30",
            "expiry": "31/12/2099",
        },
    }  # fmt: skip


@pytest.mark.parametrize(
    ("type", "typed", "sentence"),
    [
        ("Custom Comments", {"comments": " \n "}, "Write at least one line."),
        ("Custom Comments", {"comments": "one\ntwo"}, "At least 50 for this service; 2 is too few."),
        ("Mentions", {"usernames": ""}, "Write at least one line."),
        ("Mentions", {"usernames": "@ana", "quantity": ""}, "How many?"),
        ("Poll", {"answer_number": ""}, "Which answer? Write its number; 1 is the first."),
        ("Poll", {"answer_number": "two"}, "as a whole number"),
        ("Subscriptions", {**TYPED["Subscriptions"], "username": ""}, "Whose posts?"),
        ("Subscriptions", {**TYPED["Subscriptions"], "username": "two words"}, "one user name"),
        ("Subscriptions", {**TYPED["Subscriptions"], "min": ""}, "How many units a post?"),
        ("Subscriptions", {**TYPED["Subscriptions"], "min": "49"}, "At least 50"),
        ("Subscriptions", {**TYPED["Subscriptions"], "max": "10001"}, "At most 10,000"),
        ("Subscriptions", {**TYPED["Subscriptions"], "min": "800", "max": "700"}, "below the least, 800"),
        ("Subscriptions", {**TYPED["Subscriptions"], "posts": "-1"}, "as a whole number"),
        ("Subscriptions", {**TYPED["Subscriptions"], "expiry": "tomorrow"}, "Write the day as"),
        ("Subscriptions", {**TYPED["Subscriptions"], "expiry": "2001-01-01"}, "This day is over."),
        ("Default", {"coupon": "two words"}, "This is no coupon"),
    ],
)
def test_what_a_type_needs_is_said_beside_its_field(
    operator: Client, type: str, typed: dict[str, str], sentence: str
) -> None:
    service = make_service(type=type, minimum=50, maximum=10_000)
    answer = operator.post("/orders/new/", filled(service, **typed))
    page = answer.content.decode()
    assert answer.status_code == 422
    assert sentence in page.partition('id="fields"')[2]
    assert not Order.objects.exists()
    for value in typed.values():
        assert not value.strip() or value.strip() in page, "nothing typed is lost"


def test_what_another_type_asks_for_is_kept_for_when_one_chooses_again(operator: Client) -> None:
    service = make_service()
    page = operator.post("/orders/new/", filled(service, quantity="", comments="one\ntwo")).content.decode()
    assert '<input type="hidden" name="comments" value="one\ntwo">' in page


# ── Types that the desk does not know ────────────────────────────────────────────────────────────
def unknown() -> Service:
    return make_service(type="Comment Replies", minimum=10)


def test_an_unknown_type_has_a_generic_form_that_says_so(operator: Client) -> None:
    service = unknown()
    page = operator.get(f"/orders/new/?service={service.upstream_id}").content.decode()
    assert "The desk does not know services of this type." in page
    assert fields_of(page) == {"link", "quantity", "other", "coupon"}


def test_its_further_fields_go_as_they_stand(operator: Client) -> None:
    form = filled(unknown(), quantity="", other="username: lumen\ncomments: One: a\ncomments: Two")
    operator.post("/orders/new/", form)
    order = Order.objects.get()
    expected = {"link": LINK, "username": "lumen", "comments": "One: a\nTwo"}
    assert order.body == {"service": str(order.service.upstream_id), **expected}


@pytest.mark.parametrize("other", ["nonsense", "a b: c", ": c", "name:", "key: x", "action: balance", "Request_ID: 1"])
def test_it_takes_no_nonsense_and_none_of_our_own_fields(operator: Client, other: str) -> None:
    assert operator.post("/orders/new/", filled(unknown(), other=other)).status_code == 422
    assert not Order.objects.exists()


# ── Drip-feed and coupon ─────────────────────────────────────────────────────────────────────────
def dripping(**typed: object) -> dict[str, str]:
    service = make_service(dripfeed=True, rate=Decimal("0.90"))
    return filled(service, **{"quantity": "100", "runs": "10", "interval": "30", **typed})


def test_drip_feed_goes_along_and_counts_in_the_charge(operator: Client) -> None:
    operator.post("/orders/new/", dripping())
    order = Order.objects.get()
    assert (order.runs, order.interval, order.total) == (10, 30, 1000)
    assert order.expected_charge == Decimal("0.90")
    assert (order.body["quantity"], order.body["runs"], order.body["interval"]) == ("100", "10", "30")


def test_the_receipt_spells_out_total_and_charge(operator: Client) -> None:
    page = operator.post("/orders/new/receipt/", dripping()).content.decode()
    assert "10 runs × 100 = <b>1,000</b>" in page
    assert "10 × $0.09 = <b>$0.90</b>" in page
    assert "4 h 30 min after the first" in page


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"interval": ""}, "How many minutes between the runs?"),
        ({"runs": ""}, "need at least 2 runs"),
        ({"runs": "1"}, "need at least 2 runs"),
        ({"runs": "0"}, "Between 1 and 1,000"),
        ({"runs": "1001"}, "Between 1 and 1,000"),
        ({"runs": "x"}, "as a whole number"),
        ({"interval": "10081"}, "Between 1 and 10,080"),
    ],
)
def test_a_drip_feed_that_cannot_be_is_said(operator: Client, typed: dict[str, str], sentence: str) -> None:
    answer = operator.post("/orders/new/", dripping(**typed))
    assert answer.status_code == 422
    assert sentence in answer.content.decode()


def test_one_run_is_no_drip_feed(operator: Client) -> None:
    operator.post("/orders/new/", dripping(runs="1", interval=""))
    assert "runs" not in Order.objects.get().body


def test_runs_are_not_asked_for_nor_sent_where_the_service_has_none(operator: Client) -> None:
    service = make_service(dripfeed=False)
    operator.post("/orders/new/", filled(service, runs="10", interval="30"))
    order = Order.objects.get()
    assert order.runs is None
    assert "runs" not in order.body


def test_upstream_takes_drip_feed_and_coupon(operator: Client, upstream: Upstream, phone: Phone) -> None:
    service = sold_by(phone, dripfeed=True)
    form = fitting(service, runs="3", interval="60", coupon="SANDBOX10")
    assert operator.post("/orders/new/", form).status_code == 302
    assert submit_one(phone)
    [booked] = upstream.books()["orders"]
    order = Order.objects.get()
    assert Decimal(booked["charge"]) == (order.expected_charge * Decimal("0.9")).quantize(Decimal("0.00001"))
    assert order.coupon == "SANDBOX10"


def test_the_same_form_with_another_coupon_is_not_swallowed(operator: Client) -> None:
    form = dripping(token=uuid.uuid4())
    assert operator.post("/orders/new/", form).status_code == 302
    assert operator.post("/orders/new/", {**form, "coupon": "SANDBOX10"}).status_code == 422
    assert Order.objects.count() == 1

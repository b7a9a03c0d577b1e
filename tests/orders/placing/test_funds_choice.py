"""The order form's tick: whether an order that the balance does not cover is sent by itself when it covers it."""

import re
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client
from django.utils import timezone

from catalog.models import Service
from orders.models import Order
from orders.placing.funding import BALANCE_LAG, send_now
from orders.placing.probe import probe
from orders.placing.submit import submit_one
from panel.notpanel.client import Client as Phone
from tests.makers import PASSWORD, make_user, sold_by
from tests.orders.placing.test_order_form import LINK, filled, proof
from tests.people import as_user
from tests.upstream import Upstream

pytestmark = pytest.mark.django_db
LATER = timedelta(hours=1)
# As browsers send them: the hidden field, and the box only when it is ticked.
TICKED, UNTICKED = {"send_when_funded": ["0", "1"]}, {"send_when_funded": "0"}


def ticked(page: str) -> bool:
    [box] = re.findall(r'<input[^>]*type="checkbox" name="send_when_funded"[^>]*>', page)
    assert page.count('name="send_when_funded" value="0"') == 1
    return " checked" in box


@pytest.mark.parametrize(("tick", "by_itself"), [(TICKED, True), (UNTICKED, False), ({}, True)])
def test_the_order_waits_as_the_form_said(
    operator: Client, upstream: Upstream, phone: Phone, tick: dict[str, object], by_itself: bool
) -> None:
    """The last form is that of an old tab, which has no such box."""
    upstream.set_balance("0.01")
    service = sold_by(phone)
    # In no network of its own, so that the form has nothing to say about the link.
    Service.objects.update(name="Followers", category="Followers")
    service.refresh_from_db()
    assert operator.post("/orders/new/", {**filled(service), **tick}).status_code == 302
    assert submit_one(phone)
    order = Order.objects.get()
    assert order.shown_status == "unfunded"
    upstream.set_balance("500")
    probe(phone, timezone.now() + BALANCE_LAG + timedelta(seconds=1))
    assert submit_one(phone, timezone.now() + LATER) is by_itself
    if not by_itself:
        send_now(order, by=order.placed_by)
        assert submit_one(phone)
    order.refresh_from_db()
    assert order.upstream_id
    assert upstream.calls("add") == 2


def test_the_order_page_says_who_chose_that_it_waits(operator: Client, service: Service) -> None:
    page = operator.post("/orders/new/", {**filled(service), **UNTICKED}, follow=True).content.decode()
    assert "chose that it is not sent by itself when the balance covers it" in page


@pytest.mark.parametrize("tick", [TICKED, UNTICKED])
def test_a_repeat_of_the_same_form_stays_one_order(operator: Client, service: Service, tick: dict[str, object]) -> None:
    form = {**filled(service), **tick}
    places = {operator.post("/orders/new/", form)["Location"] for _ in range(3)}
    assert len(places) == 1
    assert Order.objects.get().events.filter(kind="placed").count() == 1


def test_a_repeat_with_another_choice_is_not_swallowed(operator: Client, service: Service) -> None:
    form = filled(service)
    operator.post("/orders/new/", {**form, **TICKED})
    answer = operator.post("/orders/new/", {**form, **UNTICKED})
    assert answer.status_code == 422
    assert f"This form already became order {Order.objects.get().pk}" in answer.content.decode()


def test_it_is_ticked_at_first(operator: Client) -> None:
    assert ticked(operator.get("/orders/new/").content.decode())


@pytest.mark.parametrize(("tick", "stays"), [(TICKED, True), (UNTICKED, False)])
@pytest.mark.parametrize("why", ["error", "search", "keep"])
def test_it_stays_as_it_was_left(
    operator: Client, service: Service, tick: dict[str, object], stays: bool, why: str
) -> None:
    typed = {"quantity": "1"} if why == "error" else {why: "1", "q": "insta"}
    answer = operator.post("/orders/new/", {**filled(service, **typed), **tick})
    assert ticked(answer.content.decode()) is stays
    assert not Order.objects.exists()


def test_it_survives_a_session_that_ended_in_mid_form(service: Service) -> None:
    user, stranger = make_user(), Client()
    form = {**filled(service), **UNTICKED, "made_for": proof(as_user(user).get("/orders/new/").content.decode())}
    back = parse_qs(urlsplit(stranger.post("/orders/new/", form)["Location"]).query)["next"][0]
    credentials = {"login": user.username, "password": PASSWORD, "next": back}
    page = stranger.post("/accounts/login/", credentials, follow=True).content.decode()
    assert LINK in page
    assert not ticked(page)


def test_the_receipt_leaves_the_tick_alone(operator: Client, service: Service) -> None:
    """The receipt comes on every key, and a box that it brought along would undo a click made meanwhile."""
    page = operator.post("/orders/new/receipt/", {**filled(service), **UNTICKED}).content.decode()
    assert "send_when_funded" not in page

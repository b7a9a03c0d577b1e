"""The price lock: an order goes by the terms that the person saw, or not at all."""

from decimal import Decimal

import pytest
from django.test import Client

from catalog.models import Service
from orders.models import Order
from tests.makers import make_service
from tests.orders.placing.test_order_form import filled

pytestmark = pytest.mark.django_db


@pytest.fixture
def service() -> Service:
    return make_service(rate=Decimal("0.90"), minimum=50, maximum=10_000)


@pytest.mark.parametrize(
    ("moved", "words"),
    [
        ({"rate": Decimal("1.35")}, ("rate", "$0.90", "$1.35")),
        ({"rate": Decimal("0.80")}, ("rate", "$0.90", "$0.80")),
        ({"minimum": 100}, ("minimum", "50", "100")),
        ({"maximum": 5_000}, ("maximum", "10,000", "5,000")),
        ({"refill": False}, ("refill", "yes", "no")),
        ({"cancel": False}, ("cancel", "yes", "no")),
        ({"dripfeed": True}, ("drip-feed", "no", "yes")),
        ({"type": "Mentions"}, ("type", "Default", "Mentions")),
    ],
)
def test_when_the_terms_moved_nothing_is_sent_and_the_difference_is_shown(
    operator: Client, service: Service, moved: dict[str, object], words: tuple[str, str, str]
) -> None:
    form = filled(service)
    Service.objects.update(**moved)
    answer = operator.post("/orders/new/", form)
    assert answer.status_code == 422
    assert not Order.objects.exists()
    what, was, now_is = words
    page = answer.content.decode().partition("What moved")[2]
    assert f"{what.capitalize()}: <s>" in page
    assert f"{was}</s>" in page
    assert f"{now_is}</b>" in page


def test_pressing_again_with_the_new_terms_agrees(operator: Client, service: Service) -> None:
    form = filled(service)
    Service.objects.update(rate=Decimal("1.35"))
    service.refresh_from_db()
    page = operator.post("/orders/new/", form).content.decode()
    assert service.as_seen.replace('"', "&#34;") in page
    operator.post("/orders/new/", {**form, "seen": service.as_seen})
    assert Order.objects.get().rate_seen == Decimal("1.35")


def test_every_place_that_showed_terms_must_have_shown_these(operator: Client, service: Service) -> None:
    """The list was loaded before the price moved, the receipt after: the person may have looked at either."""
    old = service.as_seen
    Service.objects.update(rate=Decimal("1.35"))
    service.refresh_from_db()
    answer = operator.post("/orders/new/", {**filled(service), "seen": [old, service.as_seen]})
    assert answer.status_code == 422
    assert not Order.objects.exists()


@pytest.mark.parametrize("seen", ["", "no json", "[]", '{"service": 1}', "[" * 10_000, '{"service": "nonsense"}'])
def test_a_form_that_does_not_say_what_it_showed_sends_nothing(operator: Client, service: Service, seen: str) -> None:
    answer = operator.post("/orders/new/", filled(service, seen=seen))
    assert answer.status_code == 422
    assert "did not say which price it showed" in answer.content.decode()
    assert not Order.objects.exists()


@pytest.mark.parametrize("rate", ["x", "NaN", "1e999999", "-Infinity", "9" * 60])
def test_nonsense_for_a_rate_is_shown_and_breaks_nothing(operator: Client, service: Service, rate: str) -> None:
    answer = operator.post("/orders/new/", filled(service, seen=service.as_seen.replace('"0.9"', f'"{rate}"')))
    assert answer.status_code == 422


def test_another_services_terms_do_not_count(operator: Client, service: Service) -> None:
    other = make_service(rate=Decimal(7))
    form = filled(service)
    assert operator.post("/orders/new/", {**form, "seen": [other.as_seen, service.as_seen]}).status_code == 302


def test_an_order_that_exists_is_found_again_though_the_price_moved(operator: Client, service: Service) -> None:
    form = filled(service)
    first = operator.post("/orders/new/", form)["Location"]
    Service.objects.update(rate=Decimal("1.35"))
    assert operator.post("/orders/new/", form)["Location"] == first
    assert Order.objects.count() == 1

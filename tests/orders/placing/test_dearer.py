"""A price that rose and that nobody has decided about is shown with both rates, and takes consent to the new one."""

from decimal import Decimal

import pytest
from django.test import Client
from django.utils import timezone

from accounts.access import Role
from accounts.models import DeskSettings
from catalog.changes import accept, add_changes
from catalog.models import Change, Service
from orders.models import Event, Order
from orders.rules.refusal import Refusal
from panel.ops.database import ONLY_ROW
from tests.makers import make_service, make_user, place_order
from tests.orders.placing.test_order_form import LINK, filled

pytestmark = pytest.mark.django_db


def moved(service: Service, was: str, now: str) -> Service:
    """The service as it is read, after a sync saw its rate move."""
    add_changes({service.pk: {"rate": [was, now]}}, timezone.now())
    Service.objects.filter(pk=service.pk).update(rate=Decimal(now))
    return Service.objects.with_undecided().get(pk=service.pk)


@pytest.fixture
def service() -> Service:
    """A service whose rate rose by half."""
    return moved(make_service(rate=Decimal("1")), "1", "1.5")


def test_picker_and_receipt_show_both_rates_and_by_how_much(operator: Client, service: Service) -> None:
    page = operator.get(f"/orders/new/?service={service.upstream_id}").content.decode()
    for part in (page.partition('class="f-rate')[2].partition("</label>")[0], page.partition("Rate now")[2][:400]):
        for words in ("$1.00</s>", "$1.50", "▲", "50 %"):
            assert words in part, words


def test_a_cheaper_price_is_shown_and_takes_no_tick(operator: Client) -> None:
    service = moved(make_service(rate=Decimal("1")), "1", "0.25")
    page = operator.get(f"/orders/new/?service={service.upstream_id}").content.decode()
    assert "▼" in page and "despite_price" not in page
    assert operator.post("/orders/new/", filled(service)).status_code == 302


def test_without_the_tick_nothing_is_ordered_and_nothing_typed_is_lost(operator: Client, service: Service) -> None:
    answer = operator.post("/orders/new/", filled(service, quantity="777"))
    page = answer.content.decode()
    assert answer.status_code == 422
    assert f"The price of service {service.upstream_id} rose from $1.00 to $1.50" in page
    assert f'value="{LINK}"' in page and 'value="777"' in page
    assert not Order.objects.exists()


def test_with_the_tick_it_is_ordered_and_the_order_says_so(operator: Client, service: Service) -> None:
    operator.post("/orders/new/", filled(service, despite_price=service.price_mark))
    assert Order.objects.get().rate_seen == Decimal("1.5")
    assert (
        "ordered it at $1.50, after its price rose from $1.00" in Event.objects.get(kind="despite_price").sentence.plain
    )


def test_a_rate_that_moved_again_asks_again(operator: Client, service: Service) -> None:
    again = moved(service, "1.5", "1.6")
    assert again.price_mark != service.price_mark
    answer = operator.post("/orders/new/", filled(again, despite_price=service.price_mark))
    assert answer.status_code == 422
    assert "rose from $1.00 to $1.60" in answer.content.decode()
    assert not Order.objects.exists()


def test_once_somebody_has_decided_no_tick_is_asked_for(operator: Client, service: Service) -> None:
    accept(Change.objects.values_list("pk", flat=True), by=make_user(Role.MANAGER), at=timezone.now())
    assert operator.post("/orders/new/", filled(service)).status_code == 302


@pytest.mark.parametrize(("percent", "status"), [("49", 422), ("50", 302), ("60", 302)])
def test_the_threshold_is_the_one_that_managers_set(
    operator: Client, service: Service, percent: str, status: int
) -> None:
    DeskSettings.objects.create(pk=ONLY_ROW, chosen={"price_jump_percent": percent})
    assert operator.post("/orders/new/", filled(service)).status_code == status


def test_a_price_that_was_nothing_takes_the_tick(operator: Client) -> None:
    service = moved(make_service(rate=Decimal("0.01")), "0", "0.01")
    assert operator.post("/orders/new/", filled(service)).status_code == 422


@pytest.mark.parametrize("typed", ["", "on", "1:1.5x", "\0"])
def test_nonsense_is_no_consent(operator: Client, service: Service, typed: str) -> None:
    assert operator.post("/orders/new/", filled(service, despite_price=typed)).status_code == 422


def test_the_verb_itself_refuses_without_consent(service: Service) -> None:
    with pytest.raises(Refusal, match="rose from"):
        place_order(service=service)
    assert place_order(service=service, despite_price=True).pk


def test_the_tick_stands_beside_the_button_and_is_asked_for_by_the_live_receipt(
    operator: Client, service: Service
) -> None:
    page = operator.get(f"/orders/new/?service={service.upstream_id}").content.decode()
    press = page.partition('class="press"')[2].partition("Place order")[0]
    assert f'value="{service.price_mark}"' in press
    answer = operator.post("/orders/new/receipt/", filled(service, despite_price=service.price_mark)).content.decode()
    assert " checked" in answer.partition('id="id_despite_price"')[2].partition(">")[0]

"""What the balance does not cover stays queued, says what is missing, and goes on when the money is there."""

from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from accounts.access import Role
from orders.aftersale.withdraw import withdraw
from orders.models import Order
from orders.placing.funding import BALANCE_LAG, choose_when_funded, send_now
from orders.placing.probe import probe
from orders.placing.send_switch import PROBE_INTERVAL
from orders.placing.submit import submit_one
from orders.rules.refusal import Refusal
from orders.rules.statuses import Status
from panel.notpanel.client import Client
from tests.makers import make_user, place_order, sold_by
from tests.people import as_a
from tests.upstream import Upstream

pytestmark = pytest.mark.django_db
LATER = timedelta(hours=1)


def soon() -> datetime:
    """When upstream's balance may be believed again."""
    return timezone.now() + BALANCE_LAG + timedelta(seconds=1)


@pytest.fixture
def order(upstream: Upstream, phone: Client) -> Order:
    """Refused for want of money."""
    upstream.set_balance("0.01")
    order = place_order(service=sold_by(phone))
    assert submit_one(phone)
    order.refresh_from_db()
    return order


def sent(order: Order) -> bool:
    order.refresh_from_db()
    return order.upstream_id is not None


def test_it_stays_queued_and_every_page_says_what_is_missing(phone: Client, order: Order) -> None:
    assert (order.status, order.label) == (Status.QUEUED, "Waits for money")
    probe(phone, soon())
    page = as_a(Role.OPERATOR).get("/services/").content.decode()
    assert "1 order waits for money" in page
    assert f"{order.expected_charge:.2f}" in page


def test_it_is_not_asked_for_again_while_the_balance_is_too_low(
    upstream: Upstream, phone: Client, order: Order
) -> None:
    for minute in range(1, 5):
        assert probe(phone, timezone.now() + minute * PROBE_INTERVAL)
        assert not submit_one(phone, timezone.now() + LATER)
    assert upstream.calls("add") == 1


def test_a_reading_that_cannot_know_of_the_refusal_lets_nothing_go(
    upstream: Upstream, phone: Client, order: Order
) -> None:
    upstream.set_balance("500")
    assert not probe(phone)
    assert not submit_one(phone, timezone.now() + LATER)


def test_it_goes_by_itself_when_a_reading_covers_it(upstream: Upstream, phone: Client, order: Order) -> None:
    upstream.set_balance("500")
    assert not submit_one(phone, timezone.now() + LATER), "no reading, no try"
    assert probe(phone, soon())
    assert submit_one(phone)
    assert sent(order)
    assert [event.kind for event in order.events.all()] == ["asked", "funded", "short", "placed"]
    assert not probe(phone, timezone.now() + LATER), "nothing waits for money any more"


def test_a_balance_for_one_lets_one_go_and_the_first_first(upstream: Upstream, phone: Client, order: Order) -> None:
    second = place_order(service=order.service)
    submit_one(phone)
    upstream.set_balance(order.expected_charge * 3 / 2)
    probe(phone, soon())
    while submit_one(phone, timezone.now() + LATER):
        pass
    assert sent(order) and not sent(second)
    assert upstream.calls("add") == 3, "the second was not tried in vain"


def test_an_estimate_that_is_too_low_makes_no_loop(upstream: Upstream, phone: Client, order: Order) -> None:
    Order.objects.update(expected_charge="0.005")
    order.tasks.update(needs="0.005")
    tries = 0
    for second in range(0, 240, 20):
        now = timezone.now() + timedelta(seconds=second)
        probe(phone, now)
        tries += submit_one(phone, now)
    assert tries == 1, "once more, and then not for minutes"


def test_who_wants_to_press_is_waited_for(upstream: Upstream, phone: Client, order: Order) -> None:
    choose_when_funded(order, False, by=make_user())
    upstream.set_balance("500")
    probe(phone, soon())
    assert not submit_one(phone, timezone.now() + LATER)
    send_now(order, by=make_user())
    assert submit_one(phone)
    assert sent(order)


def test_a_no_for_want_of_money_after_a_lost_answer_is_for_a_person(upstream: Upstream, phone: Client) -> None:
    order = place_order(service=sold_by(phone))
    upstream.will("lose_answer", action="add")
    submit_one(phone)
    upstream.will("error_200", action="add", text="Insufficient balance")
    submit_one(phone, timezone.now() + LATER)
    order.refresh_from_db()
    assert order.status == Status.REVIEW


def test_what_does_not_wait_for_money_is_not_sent_now(phone: Client) -> None:
    with pytest.raises(Refusal, match="does not wait for money"):
        send_now(place_order(), by=make_user())


def test_it_can_still_be_withdrawn(upstream: Upstream, phone: Client, order: Order) -> None:
    withdraw(order, by=make_user())
    upstream.set_balance("500")
    probe(phone, soon())
    assert not submit_one(phone, timezone.now() + LATER)
    assert "waits for money" not in as_a(Role.VIEWER).get("/orders/").content.decode()


def test_the_order_page_offers_both(order: Order) -> None:
    ana = as_a(Role.OPERATOR)
    assert "Do not send it by itself" in ana.get(f"/orders/{order.pk}/").content.decode()
    ana.post(f"/orders/{order.pk}/funding/", {"then": "press"})
    assert "Send it by itself" in ana.get(f"/orders/{order.pk}/").content.decode()
    ana.post(f"/orders/{order.pk}/funding/", {"then": "now"})
    order.refresh_from_db()
    assert order.shown_status == "queued"

"""The webhooks' page: whether they are relied upon, where they come in, and a test ring."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from orders.models import Delivery, Endpoint, Order, TurnedAway
from orders.rules.statuses import Status
from orders.webhooks import views as webhooks
from orders.webhooks.dispatch import dispatch_due
from panel.notpanel.signing import mark
from tests.deliveries import OLDER, SECRET, deliver, stored
from tests.makers import make_order
from tests.people import as_a

pytestmark = pytest.mark.django_db
PAGE, RINGS = "/upstream/webhooks/", "/upstream/webhooks/rings/"


@pytest.fixture(autouse=True)
def _secrets(settings: Any) -> None:
    settings.NOTPANEL_WEBHOOK_SECRETS = [SECRET, OLDER]


def text(client: Client) -> str:
    return " ".join(client.get(PAGE).content.decode().split())


def test_an_empty_desk_says_what_to_do(viewer: Client, settings: Any) -> None:
    settings.NOTPANEL_WEBHOOK_SECRETS = []
    page = text(viewer)
    assert "Webhooks are not relied upon" in page
    assert "No secret is set" in page
    assert "manage.py register_webhook http://testserver/webhooks/notpanel/" in page
    assert "None yet." in page


def test_secrets_are_counted_and_marked_and_never_shown(viewer: Client) -> None:
    Endpoint.objects.create(url="https://a.example/", mark=mark(SECRET), registered_at=timezone.now())
    Endpoint.objects.create(url="https://b.example/", mark="0f0f0f0f", registered_at=timezone.now())
    page = text(viewer)
    assert "2 secrets set" in page
    assert f"secret {mark(SECRET)} is set" in page
    assert "secret 0f0f0f0f is not set" in page
    assert "whsec" not in page


def test_deliveries_stand_there_with_their_order_and_what_came_of_them(viewer: Client) -> None:
    order = make_order(Status.IN_PROGRESS)
    deliver(order.upstream_id or "")
    deliver("ord_elsewhere")
    Delivery.objects.filter(upstream_id="ord_elsewhere").update(how=Delivery.How.PARKED)
    page = text(viewer)
    assert f'<a href="/orders/{order.pk}/">Order {order.pk}</a>' in page
    assert "No such order here yet" in page
    assert page.index("ord_elsewhere") < page.index(f">Order {order.pk}<")


def test_a_ring_whose_order_was_looked_at_says_so_before_the_bell_comes_by_again(viewer: Client) -> None:
    order = make_order(Status.IN_PROGRESS)
    deliver(order.upstream_id or "")
    dispatch_due(timezone.now(), hurry_balance=lambda _now: None)
    assert "Rung, not looked at yet" in text(viewer)
    Order.objects.update(reported_at=timezone.now())
    assert "Looked at since" in text(viewer)
    assert Delivery.objects.get().how == Delivery.How.RUNG


def test_what_was_turned_away_is_told_by_reason_for_seven_days(viewer: Client) -> None:
    today = timezone.now().date()
    for days, count in ((0, 5), (6, 1200), (7, 7777)):
        TurnedAway.objects.create(day=today - timedelta(days=days), reason="forged", count=count)
    page = text(viewer)
    assert "The signature fits none of the secrets." in page
    assert ">1,205</b>" in page
    assert 'data-l="Today">5</td>' in page
    assert "clock" not in page


@pytest.mark.parametrize("reason", ["stale", "early"])
def test_a_clock_that_is_wrong_is_called_that(viewer: Client, reason: str) -> None:
    TurnedAway.objects.create(day=timezone.now().date(), reason=reason, count=1)
    assert "Upstream’s clock and the desk’s may differ" in text(viewer)


def test_a_test_ring_goes_the_way_of_any_other() -> None:
    answer = as_a("owner").post(RINGS, follow=True)
    (delivery,) = stored()
    assert (delivery.event, delivery.mark, delivery.upstream_id) == ("ping", mark(SECRET), "")
    assert f"verified and kept as {delivery.key}. A forged copy of it was not." in answer.content.decode()


def test_a_test_ring_that_goes_wrong_says_how(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    now = timezone.now()
    settings.NOTPANEL_WEBHOOK_SECRETS = []
    assert webhooks.send_test_delivery(now)[1].startswith("There is no secret")
    settings.NOTPANEL_WEBHOOK_SECRETS = [SECRET]
    with monkeypatch.context() as patched:
        patched.setattr("panel.notpanel.signing.sign", lambda *_, **__: {"X-NotPanel-Signature": "t=1,v1=0"})
        said = webhooks.send_test_delivery(now)
        assert said == (False, "The test ring was turned away: The signature fits none of the secrets.")
    with monkeypatch.context() as patched:
        patched.setattr("panel.notpanel.signing._fits", lambda *_: True)
        well, said_of_it = webhooks.send_test_delivery(now)
        assert (well, "must not be" in said_of_it) == (False, True)


def test_only_owners_have_the_button() -> None:
    assert "Test ring" in text(as_a("owner"))
    assert "Test ring" not in text(as_a("manager"))


def test_it_asks_no_more_for_fifty_deliveries_than_for_one(viewer: Client) -> None:
    counts = []
    for more in (1, 49):
        for _ in range(more):
            deliver(make_order(Status.IN_PROGRESS).upstream_id or "")
            Endpoint.objects.create(url="https://a.example/", registered_at=timezone.now())
        viewer.get(PAGE)
        with CaptureQueriesContext(connection) as asked:
            viewer.get(PAGE)
        counts.append(len(asked))
    assert counts[0] == counts[1] <= 8

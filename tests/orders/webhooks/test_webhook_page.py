"""The page about webhooks: whether they are reliable, where they come in, and a test delivery."""

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
PAGE, TEST_DELIVERIES = "/upstream/webhooks/", "/upstream/webhooks/rings/"


@pytest.fixture(autouse=True)
def _secrets(settings: Any) -> None:
    settings.NOTPANEL_WEBHOOK_SECRETS = [SECRET, OLDER]


def page_text(client: Client) -> str:
    """The page with every run of white space as one blank."""
    return " ".join(client.get(PAGE).content.decode().split())


def test_without_endpoints_the_page_says_what_to_do(viewer: Client, settings: Any) -> None:
    settings.NOTPANEL_WEBHOOK_SECRETS = []
    page = page_text(viewer)
    assert "Webhooks are not reliable" in page
    assert "No secret is set" in page
    assert "manage.py register_webhook http://testserver/webhooks/notpanel/" in page
    assert "None yet." in page


def test_secrets_are_counted_and_known_by_their_mark_and_never_shown(viewer: Client) -> None:
    Endpoint.objects.create(url="https://a.example/", mark=mark(SECRET), registered_at=timezone.now())
    Endpoint.objects.create(url="https://b.example/", mark="0f0f0f0f", registered_at=timezone.now())
    page = page_text(viewer)
    assert "2 secrets set" in page
    assert f"secret {mark(SECRET)} is set" in page
    assert "secret 0f0f0f0f is not set" in page
    assert "whsec" not in page


def test_deliveries_are_shown_with_their_order_and_outcome(viewer: Client) -> None:
    order = make_order(Status.IN_PROGRESS)
    deliver(order.upstream_id or "")
    deliver("ord_elsewhere")
    Delivery.objects.filter(upstream_id="ord_elsewhere").update(how=Delivery.How.PARKED)
    page = page_text(viewer)
    assert f'<a href="/orders/{order.pk}/">Order {order.pk}</a>' in page
    assert "No such order here yet" in page
    assert page.index("ord_elsewhere") < page.index(f">Order {order.pk}<")


def test_a_delivery_whose_order_was_polled_says_so_before_dispatch_notes_it(viewer: Client) -> None:
    order = make_order(Status.IN_PROGRESS)
    deliver(order.upstream_id or "")
    dispatch_due(timezone.now(), hurry_balance=lambda _now: None)
    assert "Order not checked yet" in page_text(viewer)
    Order.objects.update(reported_at=timezone.now())
    assert "Order checked" in page_text(viewer)
    assert Delivery.objects.get().how == Delivery.How.RUNG


def test_rejections_of_seven_days_are_shown_by_reason(viewer: Client) -> None:
    today = timezone.now().date()
    for days, count in ((0, 5), (6, 1200), (7, 7777)):
        TurnedAway.objects.create(day=today - timedelta(days=days), reason="forged", count=count)
    page = page_text(viewer)
    assert "The signature fits none of the secrets." in page
    assert ">1,205</b>" in page
    assert 'data-l="Today">5</td>' in page
    assert "clock" not in page


@pytest.mark.parametrize("reason", ["stale", "early"])
def test_rejections_for_their_time_say_that_a_clock_may_be_wrong(viewer: Client, reason: str) -> None:
    TurnedAway.objects.create(day=timezone.now().date(), reason=reason, count=1)
    assert "The supplier’s clock and the desk’s may differ" in page_text(viewer)


def test_a_test_delivery_is_verified_and_stored_and_a_forged_copy_is_not() -> None:
    answer = as_a("owner").post(TEST_DELIVERIES, follow=True)
    (delivery,) = stored()
    assert (delivery.event, delivery.mark, delivery.upstream_id) == ("ping", mark(SECRET), "")
    assert f"verified and kept as {delivery.key}. A forged copy of it was rejected." in answer.content.decode()


def test_a_test_delivery_that_goes_wrong_says_how(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    now = timezone.now()
    settings.NOTPANEL_WEBHOOK_SECRETS = []
    assert webhooks.send_test_delivery(now)[1].startswith("There is no secret")
    settings.NOTPANEL_WEBHOOK_SECRETS = [SECRET]
    with monkeypatch.context() as patched:
        patched.setattr("panel.notpanel.signing.sign", lambda *_, **__: {"X-NotPanel-Signature": "t=1,v1=0"})
        answer = webhooks.send_test_delivery(now)
        assert answer == (False, "The test webhook was rejected: The signature fits none of the secrets.")
    with monkeypatch.context() as patched:
        patched.setattr("panel.notpanel.signing._fits", lambda *_: True)
        passed, sentence = webhooks.send_test_delivery(now)
        assert (passed, "must not happen" in sentence) == (False, True)


def test_only_owners_have_the_button() -> None:
    assert "Send a test webhook" in page_text(as_a("owner"))
    assert "Send a test webhook" not in page_text(as_a("manager"))


def test_fifty_deliveries_cost_as_many_queries_as_one(viewer: Client) -> None:
    counts = []
    for more in (1, 49):
        for _ in range(more):
            deliver(make_order(Status.IN_PROGRESS).upstream_id or "")
            Endpoint.objects.create(url="https://a.example/", registered_at=timezone.now())
        viewer.get(PAGE)
        with CaptureQueriesContext(connection) as queries:
            viewer.get(PAGE)
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 8

"""What the webhooks' page looks like: with nothing on it, full, and in trouble."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from orders.models import Delivery, Endpoint, Reading, TurnedAway
from orders.rules.statuses import Status
from panel.notpanel.signing import mark
from panel.upstream.models import Beat
from tests.browser.conftest import NARROW, WIDE, Desk, Opens
from tests.browser.test_every_page import faults_in_both
from tests.deliveries import OLDER, SECRET
from tests.makers import make_order

pytestmark = pytest.mark.slow
URL, LONG = (
    "https://desk.example.com/webhooks/notpanel/",
    "https://" + "atelier-miro-ceramics." * 8 + "example/webhooks/",
)


def furnish(state: str) -> None:
    now = timezone.now()
    Beat.objects.create(name="here:1", started_at=now, beat_at=now)
    if state == "empty":
        return
    Endpoint.objects.create(url=URL, upstream_id="wh_01JQ7Z", mark=mark(SECRET), events="order.completed,balance.low",
                            registered_at=now - timedelta(days=3), last_delivery_at=now)  # fmt: skip
    hows = [how.value for how in Delivery.How]
    for number in range(50):
        order = make_order(Status.COMPLETED)
        rung = state == "full" or number % 3 == 0
        Reading.objects.create(order=order, at=now - timedelta(minutes=6 + number), status="completed")
        how = hows[number % len(hows)] if state == "trouble" else "looked"
        Delivery.objects.create(
            key=str(number), digest=str(number), event="order.completed" if number % 4 else "balance.low", body="{}",
            upstream_id=(order.upstream_id or "") if rung else "ord_" + "x" * 60 if number % 2 else "",
            status="completed" if number % 4 else "", mark=mark(SECRET), how=how,
            received_at=now - timedelta(minutes=6 + number),
        )  # fmt: skip
    for reason, count in (("forged", 1_204_331), ("unsigned", 12), ("too long", 3)):
        TurnedAway.objects.create(day=now.date(), reason=reason, count=count)
    if state == "trouble":
        Endpoint.objects.create(url=LONG, mark="0f0f0f0f", registered_at=now)
        Endpoint.objects.create(url=URL, registered_at=now)
        TurnedAway.objects.create(day=now.date(), reason="early", count=2)


@pytest.mark.parametrize("width", [WIDE, NARROW], ids=["wide", "narrow"])
@pytest.mark.parametrize("state", ["empty", "full", "trouble"])
def test_it_is_accessible_and_whole(desk: Desk, opens: Opens, settings: Any, state: str, width: Any) -> None:
    settings.NOTPANEL_WEBHOOK_SECRETS = [] if state == "empty" else [SECRET, OLDER]
    furnish(state)
    page = opens("owner", "/upstream/webhooks/", width=width)
    if state == "full":
        page.get_by_role("button", name="Send a test webhook").click()
        page.get_by_text("The test webhook was accepted").wait_for()
    assert faults_in_both(page, f"webhooks-{state}") == []

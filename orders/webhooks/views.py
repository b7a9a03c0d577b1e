"""The page about webhooks: whether they are reliable, where upstream delivers to, and what came in; test deliveries."""

import json
import secrets
from collections import Counter
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from accounts.access import needs
from accounts.trail.record import record_change
from orders.models import Delivery, Endpoint, Order, TurnedAway
from orders.webhooks.endpoint import REJECTIONS, Rejected, verified
from orders.webhooks.health import judge_health
from orders.webhooks.inbox import INBOX, NotKept
from panel.notpanel import signing

DELIVERY_ROWS = 50
ENDPOINT_ROWS = 20  # upstream has five for a key; those of former keys stay here
REJECTION_DAYS = 7
TEST_EVENT = "ping"
CLOCK_REASONS = {"stale", "early"}  # signed by upstream, at a time that is not ours
# The class of a delivery's tag, by its outcome. An outcome that is only a fact has none.
TONES = {"came": "tag-on", "rung": "tag-on", "parked": "tag-warn", "unknown": "tag-warn", "unanswered": "tag-bad"}


class Rejections(NamedTuple):
    """How many requests were rejected for one reason."""

    reason: str
    sentence: str
    today: int
    lately: int  # in the last REJECTION_DAYS, today among them


@needs("view")
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """The page. Its newest deliveries show whether their order was polled since, before dispatch notes it."""
    now = timezone.now()
    deliveries = list(Delivery.objects.defer("body")[:DELIVERY_ROWS])
    upstream_ids = {delivery.upstream_id for delivery in deliveries if delivery.upstream_id}
    facts = Order.objects.select_related("poll").only("upstream_id", "reported_at", "poll__reported_at")
    orders = facts.in_bulk(upstream_ids, field_name="upstream_id")
    mark_polled(deliveries, orders)
    rejected = rejections_by_reason(now.date())
    context = {
        "health": judge_health(now), "marks": [signing.mark(secret) for secret in settings.NOTPANEL_WEBHOOK_SECRETS],
        "endpoints": list(Endpoint.objects.all()[:ENDPOINT_ROWS]), "deliveries": deliveries, "orders": orders,
        "shown": DELIVERY_ROWS, "tones": TONES, "rejected": rejected, "days": REJECTION_DAYS,
        "clocks_differ": any(rejections.reason in CLOCK_REASONS for rejections in rejected),
        "address": request.build_absolute_uri(reverse("webhook_door")),
    }  # fmt: skip
    return render(request, "orders/webhooks/index.html", context)


def mark_polled(deliveries: Iterable[Delivery], orders: dict[str, Order]) -> None:
    """Sets the outcome of deliveries whose order was polled since, without saving. `orders`: upstream id → order."""
    for delivery in deliveries:
        order = orders.get(delivery.upstream_id)
        if order and delivery.how == Delivery.How.RUNG and delivery.polled_since(order.checked_at):
            delivery.how = Delivery.How.LOOKED


def rejections_by_reason(today: date) -> list[Rejections]:
    """The rejections of the last REJECTION_DAYS, the most frequent reason first."""
    lately, on_day = Counter[str](), Counter[tuple[str, date]]()
    rows = TurnedAway.objects.filter(day__gt=today - timedelta(days=REJECTION_DAYS))
    for reason, day, count in rows.values_list("reason", "day", "count"):
        lately[reason] += count
        on_day[reason, day] += count
    sentences = {reason: sentence for reason, (_, sentence) in REJECTIONS.items()}
    return [
        Rejections(reason, sentences.get(reason, reason), on_day[reason, today], count)
        for reason, count in lately.most_common()
    ]


@needs("administer")
@require_POST
def test_delivery(request: HttpRequest) -> HttpResponse:
    """Sends a test delivery to this desk, and says on the page how it went."""
    passed, sentence = send_test_delivery(timezone.now())
    record_change("test_webhook", by=request.user, outcome=sentence)
    (messages.success if passed else messages.warning)(request, sentence)
    return HttpResponseRedirect(reverse("webhooks"))


def send_test_delivery(now: datetime) -> tuple[bool, str]:
    """Verifies and stores a delivery signed with our own secret, then tries a forged copy of it, without any network.

    Returns whether the first was accepted and the second rejected, and what became of them in a sentence.
    """
    if not settings.NOTPANEL_WEBHOOK_SECRETS:
        return False, "There is no secret to sign a test webhook with: NOTPANEL_WEBHOOK_SECRETS is not set."
    secret, id = settings.NOTPANEL_WEBHOOK_SECRETS[0], f"{TEST_EVENT}_{secrets.token_hex(8)}"
    content: dict[str, Any] = {"id": id, "event": TEST_EVENT, "created": int(now.timestamp()), "data": {}}
    body, scheme = json.dumps(content).encode(), settings.NOTPANEL_WEBHOOK_SCHEME
    headers = signing.sign(body, secret, content["created"], scheme, delivery=id, event=TEST_EVENT)
    try:
        INBOX.put(verified(headers, body, now))
    except Rejected as rejected:
        return False, f"The test webhook was rejected: {rejected}"
    except NotKept:
        return False, "The test webhook could not be saved; the supplier would be told to send it again."
    taken = f"The test webhook was accepted: signed with {signing.mark(secret)}, verified and kept as {id}."
    try:
        verified(headers, body + b" ", now)
    except Rejected:
        return True, f"{taken} A forged copy of it was rejected."
    return (
        False,
        f"{taken} A forged copy of it was accepted too, which must not happen: tell the person who runs the desk.",
    )

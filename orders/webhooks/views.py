"""Webhooks on the screen: whether they are relied upon, where upstream delivers to, and what came in."""

import json
import secrets
from collections import defaultdict
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
from orders.models import Delivery, Endpoint, Order, TurnedAway
from orders.webhooks.endpoint import REJECTIONS, Rejected, verified
from orders.webhooks.health import judge_health
from orders.webhooks.inbox import INBOX, NotKept
from panel.notpanel import signing

SHOWN = 50  # deliveries
ENDPOINTS_SHOWN = 20  # upstream has five a key; those of old keys stay here
DAYS = 7
PING = "ping"
CLOCKS = {"stale", "early"}  # signed by upstream, at a time that is not ours
# The tag for what came of a delivery, where it is more than a fact.
TONES = {"came": "tag-on", "rung": "tag-on", "parked": "tag-warn", "unknown": "tag-warn", "unanswered": "tag-bad"}


class Reason(NamedTuple):
    """Why some were turned away."""

    sentence: str
    today: int
    lately: int


@needs("view")
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    deliveries = list(Delivery.objects.defer("body")[:SHOWN])
    marks = [signing.mark(secret) for secret in settings.NOTPANEL_WEBHOOK_SECRETS]
    orders = orders_by_upstream_id(deliveries)
    mark_polled(deliveries, orders)
    counts = counts_since(now.date() - timedelta(days=DAYS - 1))
    context = {
        "health": judge_health(now), "marks": marks, "endpoints": list(Endpoint.objects.all()[:ENDPOINTS_SHOWN]),
        "deliveries": deliveries, "orders": orders, "shown": SHOWN, "tones": TONES,
        "rejected": reasons(counts, now.date()), "days": DAYS, "clocks_differ": any(counts.get(c) for c in CLOCKS),
        "address": request.build_absolute_uri(reverse("webhook_door")),
    }  # fmt: skip
    return render(request, "orders/webhooks/index.html", context)


def orders_by_upstream_id(deliveries: Iterable[Delivery]) -> dict[str, Order]:
    """Upstream's id of an order → our order, with when it was last reported."""
    named = {delivery.upstream_id for delivery in deliveries if delivery.upstream_id}
    known = Order.objects.filter(upstream_id__in=named).only("upstream_id", "reported_at")
    return {order.upstream_id: order for order in known if order.upstream_id}


def mark_polled(deliveries: Iterable[Delivery], orders: dict[str, Order]) -> None:
    """On the page alone: the bell writes it down when it comes by next."""
    for delivery in deliveries:
        order = orders.get(delivery.upstream_id)
        if order and delivery.how == Delivery.How.RUNG and delivery.polled_since(order.reported_at):
            delivery.how = Delivery.How.LOOKED


def counts_since(first: date) -> dict[str, dict[date, int]]:
    """Reason → day → how many."""
    found: defaultdict[str, dict[date, int]] = defaultdict(dict)
    for reason, day, count in TurnedAway.objects.filter(day__gte=first).values_list("reason", "day", "count"):
        found[reason][day] = count
    return found


def reasons(counts: dict[str, dict[date, int]], today: date) -> list[Reason]:
    """The most frequent first."""
    told = [
        Reason(REJECTIONS[reason][1] if reason in REJECTIONS else reason, days.get(today, 0), sum(days.values()))
        for reason, days in counts.items()
    ]
    return sorted(told, key=lambda reason: -reason.lately)


@needs("administer")
@require_POST
def test_delivery(request: HttpRequest) -> HttpResponse:
    """A test ring: signed with our own secret, it goes the way of any other from the door's judgement on."""
    well, words = send_test_delivery(timezone.now())
    (messages.success if well else messages.warning)(request, words)
    return HttpResponseRedirect(reverse("webhooks"))


def send_test_delivery(now: datetime) -> tuple[bool, str]:
    """Whether all went as it should, and what became of it, in a sentence."""
    if not settings.NOTPANEL_WEBHOOK_SECRETS:
        return False, "There is no secret to sign a test ring with: NOTPANEL_WEBHOOK_SECRETS is not set."
    secret, id = settings.NOTPANEL_WEBHOOK_SECRETS[0], f"{PING}_{secrets.token_hex(8)}"
    said: dict[str, Any] = {"id": id, "event": PING, "created": int(now.timestamp()), "data": {}}
    body = json.dumps(said).encode()
    headers = signing.sign(body, secret, said["created"], settings.NOTPANEL_WEBHOOK_SCHEME, delivery=id, event=PING)
    try:
        INBOX.put(verified(headers, body, now))
    except Rejected as no:
        return False, f"The test ring was turned away: {no}"
    except NotKept:
        return False, "The test ring could not be kept; upstream would be told to send it again."
    taken = f"The test ring was taken: signed with {signing.mark(secret)}, verified and kept as {id}."
    try:
        verified(headers, body + b" ", now)
    except Rejected:
        return True, f"{taken} A forged copy of it was not."
    return False, f"{taken} So was a forged copy of it, which must not be: tell whoever looks after the desk."

"""The page about upstream: this minute's calls, the workers, and what is due; and “Sync now” of the catalog."""

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.db import transaction
from django.db.models import Min
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from accounts.access import needs
from accounts.trail.record import record_change
from orders.models import Poll, Task
from panel.format.times import took
from panel.notpanel.budget import SHARES, Purpose
from panel.upstream.clock import WRONG_SECONDS, skew_words
from panel.upstream.key import end_of
from panel.upstream.models import EVERY_ROLE, SILENT_AFTER, Beat, Chore, Window
from panel.web.htmx import page, wants_htmx
from panel.web.params import COUNTED_ROWS
from panel.web.polling import bar_of

CHART_MINUTES = 60
CHART_HEIGHT, MINUTE_WIDTH = 40, 10  # units of the box that the chart is drawn in
WORKER_ROWS = 50

# What a call was for, as the page says it.
PURPOSE_WORDS = {
    Purpose.PLACE: "Orders",
    Purpose.ASK: "Refills, cancels, checks",
    Purpose.POLL: "Status checks",
    Purpose.UPKEEP: "Catalog, balance",
}
LAYERS = {"key": "This key", "tier": "The account’s tier", "ip": "This address"}


@require_safe
@needs("view")
def index(request: HttpRequest) -> HttpResponse:
    """The page, or its middle alone, which asks for itself with each poll."""
    now = timezone.now()
    windows = list(Window.objects.filter(ends_at__gt=now - timedelta(minutes=CHART_MINUTES)).order_by("number"))
    current = windows[-1] if windows and windows[-1].ends_at > now else None
    limit = current.key_limit if current else settings.KEY_CALLS_A_MINUTE
    spent = [calls_for(purpose, windows, current, limit) for purpose in Purpose]
    context = {
        "window": current,
        "limit": limit,
        "layers": layers_of(current),
        "spent": spent,
        "denied": sum(window.denied for window in windows),
        "total": sum(calls["past"] for calls in spent),
        "chart": chart_columns(windows, now),
        "chart_width": CHART_MINUTES * MINUTE_WIDTH,
        "chart_height": CHART_HEIGHT,
        "beats": Beat.objects.order_by("stopped_at", "-beat_at")[:WORKER_ROWS],
        "every_role": EVERY_ROLE,
        "heard_since": now - SILENT_AFTER,
        "chores": Chore.objects.all(),
        "clock": bar_of(request).columns,
        "skew_words": skew_words,
        "wrong_seconds": WRONG_SECONDS,
        "took_seconds": lambda seconds: took(timedelta(seconds=seconds or 0)),
        "webhook_secrets": [end_of(secret) for secret in settings.NOTPANEL_WEBHOOK_SECRETS],
        "resting": () if Poll.objects.due_alone(now).exists() else ("left out",),
        **due_counts(now),
    }
    return page(request, "upstream/index.html", context, fragment="upstream/_calls.html")


@require_safe
@needs("view")
def sync(request: HttpRequest) -> HttpResponse:
    """When the catalog was fetched last, for an open page on which a fetch is asked for."""
    asked = bar_of(request).sync
    return render(request, "catalog/_sync.html", {"done": asked is None or asked.asked_at is None})


@needs("decide")
@require_POST
def syncs(request: HttpRequest) -> HttpResponse:
    """Asks the worker to fetch the catalog now. While that is asked for, a second press does nothing more."""
    with transaction.atomic():
        asked = Chore.objects.ask("catalog", by=request.user, at=timezone.now())
        if asked:
            record_change("sync_asked", by=request.user)
    if wants_htmx(request):
        return render(request, "catalog/_sync.html")
    messages.info(request, "The worker fetches the catalog now." if asked else "It is asked for already.")
    return redirect("catalog:index")


def layers_of(window: Window | None) -> list[dict[str, Any]]:
    """Each layer of upstream's limits: how many calls a minute it allows (`limit`), and how many of them are `left`.

    Without layers that upstream has told nothing of; [] before the first call of a minute.
    """
    return [
        {"words": words, "left": max(0, getattr(window, f"{name}_left")), "limit": limit}
        for name, words in LAYERS.items()
        if (limit := getattr(window, f"{name}_limit", None)) is not None
    ]


def calls_for(purpose: Purpose, windows: list[Window], current: Window | None, limit: int) -> dict[str, Any]:
    """How many calls had this purpose: this minute (`now`) and in the last hour (`past`).

    `share` is how many calls of the minute's limit the other purposes leave to it.
    """
    now, past = getattr(current, purpose, 0), sum(getattr(window, purpose) for window in windows)
    share = round(SHARES[purpose] * limit)
    return {"purpose": purpose, "words": PURPOSE_WORDS[purpose], "now": now, "past": past, "share": share}


def chart_columns(windows: list[Window], now: datetime) -> list[dict[str, Any]]:
    """The last hour's calls as rectangles, one stack a minute and in it one rectangle a purpose.

    The latest minute is rightmost, and the key's limit is the full height.
    """
    columns = []
    for window in windows:
        minutes_ago = int(max(0.0, (now - window.ends_at).total_seconds()) // 60) + (window.ends_at <= now)
        x, top = (CHART_MINUTES - 1 - minutes_ago) * MINUTE_WIDTH, float(CHART_HEIGHT)
        for purpose in Purpose:
            height = min(top, getattr(window, purpose) / max(1, window.key_limit) * CHART_HEIGHT)
            if height and x >= 0:
                top -= height
                columns.append({"purpose": purpose, "x": x, "y": round(top, 2), "height": round(height, 2)})
    return columns


def due_counts(now: datetime) -> dict[str, object]:
    """How many tasks and polls are due and not done, counted up to COUNTED_ROWS, and since when the first is due."""
    tasks = Task.objects.due(now).sendable()
    polls = Poll.objects.due(now)
    return {
        "most": COUNTED_ROWS - 1,
        "tasks_due": len(tasks.values_list("pk")[:COUNTED_ROWS]),
        "tasks_since": tasks.values_list("due_at", flat=True).first(),
        "looks_due": len(polls.values_list("pk")[:COUNTED_ROWS]),
        "looks_since": polls.aggregate(first=Min("next_poll_at"))["first"],
    }

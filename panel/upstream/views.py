"""The page about upstream: this minute's calls and what they were for, the workers, and what is due."""

from datetime import datetime, timedelta
from typing import NamedTuple

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.access import needs
from orders.models import Order, Task
from panel.notpanel.budget import SHARES, Purpose
from panel.upstream.models import EVERY_ROLE, SILENT_AFTER, Beat, Chore, Window
from panel.web.htmx import page
from panel.web.params import COUNTED_ROWS

CHART_MINUTES = 60
CHART_HEIGHT, MINUTE_WIDTH = 40, 10  # units of the box that the chart is drawn in
WORKER_ROWS = 50

# What a call was for, as the page says it.
PURPOSE_WORDS = {
    Purpose.PLACE: "Orders",
    Purpose.ASK: "Refills, cancels, checks",
    Purpose.POLL: "Looks at orders",
    Purpose.UPKEEP: "Catalog, balance",
}
LAYERS = {"key": "This key", "tier": "The account’s tier", "ip": "This address"}


class Layer(NamedTuple):
    """One layer of upstream's limits: how many calls it allows a minute, and how many of them are left."""

    words: str
    left: int
    limit: int


class PurposeCalls(NamedTuple):
    """How many calls had one purpose, this minute and in the last hour; `share` is what other purposes leave to it."""

    purpose: str
    words: str
    now: int
    past: int
    share: int


class Column(NamedTuple):
    """One rectangle of the chart: the calls of one minute that had one purpose."""

    purpose: str
    x: int
    y: float
    height: float


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
        "total": sum(calls.past for calls in spent),
        "chart": chart_columns(windows, now),
        "chart_width": CHART_MINUTES * MINUTE_WIDTH,
        "chart_height": CHART_HEIGHT,
        "beats": Beat.objects.order_by("stopped_at", "-beat_at")[:WORKER_ROWS],
        "every_role": EVERY_ROLE,
        "heard_since": now - SILENT_AFTER,
        "chores": Chore.objects.all(),
        "resting": () if Order.objects.due_alone(now).exists() else ("left out",),
        **due_counts(now),
    }
    return page(request, "upstream/index.html", context, fragment="upstream/_calls.html")


def layers_of(window: Window | None) -> list[Layer]:
    """The layers of this minute's window, without those that upstream has told nothing of; [] before the first call."""
    return [
        Layer(words, max(0, getattr(window, f"{name}_left")), limit)
        for name, words in LAYERS.items()
        if (limit := getattr(window, f"{name}_limit", None)) is not None
    ]


def calls_for(purpose: Purpose, windows: list[Window], current: Window | None, limit: int) -> PurposeCalls:
    """The calls with this purpose in all these windows, and in the current one."""
    past = sum(getattr(window, purpose) for window in windows)
    share = round(SHARES[purpose] * limit)
    return PurposeCalls(purpose, PURPOSE_WORDS[purpose], getattr(current, purpose, 0), past, share)


def chart_columns(windows: list[Window], now: datetime) -> list[Column]:
    """The last hour's calls, one stack a minute, the latest minute rightmost. Full height is the key's limit."""
    columns = []
    for window in windows:
        minutes_ago = int(max(0.0, (now - window.ends_at).total_seconds()) // 60) + (window.ends_at <= now)
        x, top = (CHART_MINUTES - 1 - minutes_ago) * MINUTE_WIDTH, float(CHART_HEIGHT)
        for purpose in Purpose:
            height = min(top, getattr(window, purpose) / max(1, window.key_limit) * CHART_HEIGHT)
            if height and x >= 0:
                top -= height
                columns.append(Column(purpose, x, round(top, 2), round(height, 2)))
    return columns


def due_counts(now: datetime) -> dict[str, object]:
    """How many tasks and polls are due and not done, counted up to COUNTED_ROWS, and since when the first is due."""
    tasks = Task.objects.due(now).sendable()
    polls = Order.objects.due(now)
    return {
        "most": COUNTED_ROWS - 1,
        "tasks_due": len(tasks.values_list("pk")[:COUNTED_ROWS]),
        "tasks_since": tasks.values_list("due_at", flat=True).first(),
        "looks_due": len(polls.values_list("pk")[:COUNTED_ROWS]),
        "looks_since": polls.values_list("next_look_at", flat=True).first(),
    }

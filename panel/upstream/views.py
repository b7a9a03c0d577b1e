"""Upstream, as the desk deals with it: this minute's calls and who spends them, the workers, and what is due."""

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

CHART_SPAN = timedelta(hours=1)
MINUTES = 60
CHART_HEIGHT = 40  # of the box that the chart is drawn in; a minute is 10 wide
WORKERS_SHOWN = 50

# What a call was for, as the page says it.
PURPOSE_WORDS = {
    Purpose.PLACE: "Orders",
    Purpose.ASK: "Refills, cancels, checks",
    Purpose.POLL: "Looks at orders",
    Purpose.UPKEEP: "Catalog, balance",
}
LAYERS = {"key": "This key", "tier": "The account’s tier", "ip": "This address"}


class Layer(NamedTuple):
    words: str
    left: int
    limit: int


class PurposeCalls(NamedTuple):
    """By one purpose: in this minute, and in the last hour; `share` is what the others leave to it."""

    purpose: str
    words: str
    now: int
    past: int
    share: int


class Column(NamedTuple):
    """One bar of the chart: a part of a minute."""

    purpose: str
    x: int
    y: float
    height: float


@require_safe
@needs("view")
def calls(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    windows = list(Window.objects.filter(ends_at__gt=now - CHART_SPAN).order_by("number"))
    current = windows[-1] if windows and windows[-1].ends_at > now else None
    context = {
        "window": current,
        "limit": current.key_limit if current else settings.KEY_CALLS_A_MINUTE,
        "layers": layers(current) if current else [],
        "spent": [calls_of(purpose, current, windows) for purpose in Purpose],
        "denied": sum(window.denied for window in windows),
        "total": sum(getattr(window, purpose) for window in windows for purpose in Purpose),
        "chart": chart(windows, now),
        "chart_width": MINUTES * 10,
        "chart_height": CHART_HEIGHT,
        "beats": Beat.objects.order_by("stopped_at", "-beat_at")[:WORKERS_SHOWN],
        "every_role": EVERY_ROLE,
        "heard_since": now - SILENT_AFTER,
        "chores": Chore.objects.all(),
        "resting": () if Order.objects.due_alone(now).exists() else ("left out",),
        **due_counts(now),
    }
    return page(request, "upstream/index.html", context, fragment="upstream/_calls.html")


def layers(window: Window) -> list[Layer]:
    """What each still allows; the tier only once upstream has told of it."""
    known = (
        (words, getattr(window, f"{name}_left"), getattr(window, f"{name}_limit")) for name, words in LAYERS.items()
    )
    return [Layer(words, max(0, left), limit) for words, left, limit in known if limit is not None]


def calls_of(purpose: Purpose, current: Window | None, windows: list[Window]) -> PurposeCalls:
    limit = current.key_limit if current else settings.KEY_CALLS_A_MINUTE
    return PurposeCalls(
        purpose, PURPOSE_WORDS[purpose], getattr(current, purpose) if current else 0,
        sum(getattr(window, purpose) for window in windows), round(SHARES[purpose] * limit),
    )  # fmt: skip


def chart(windows: list[Window], now: datetime) -> list[Column]:
    """The last hour, a stack a minute, drawn against the key's limit."""
    columns = []
    for window in windows:
        x = MINUTES - 1 - int(max(0.0, (now - window.ends_at).total_seconds()) // 60) - (window.ends_at <= now)
        top = float(CHART_HEIGHT)
        for purpose in Purpose:
            height = min(top, getattr(window, purpose) / max(1, window.key_limit) * CHART_HEIGHT)
            if height and x >= 0:
                top -= height
                columns.append(Column(purpose, x * 10, round(top, 2), round(height, 2)))
    return columns


def due_counts(now: datetime) -> dict[str, object]:
    """What is due and not done, counted no further than a page tells; and since when."""
    tasks = Task.objects.filter(settled_at=None).due(now).sendable()
    looks = Order.objects.due(now)
    return {
        "most": COUNTED_ROWS - 1,
        "tasks_due": len(tasks.values_list("pk")[:COUNTED_ROWS]),
        "tasks_since": tasks.values_list("due_at", flat=True).first(),
        "looks_due": len(looks.values_list("pk")[:COUNTED_ROWS]),
        "looks_since": looks.values_list("next_look_at", flat=True).first(),
    }

"""One order's page: everything that is known of it, told as a story."""

import uuid
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse

from accounts.access import may
from orders.detail import evidence
from orders.detail.neighbours import came_from, neighbours
from orders.detail.ordered_fields import ordered_fields
from orders.detail.progress_chart import chart
from orders.models import Order
from orders.table.rows import LATE_MARK
from orders.teamwork import presence
from orders.teamwork.notes import team
from panel.format.step_chart import HEIGHT, WIDTH
from panel.web.htmx import page, wants_fragment
from panel.web.paging import one_more
from panel.web.polling import bar_moved

EVENTS_SHOWN = 200  # of an order's timeline, newest first
NOTES_SHOWN = 50  # the newest


def render_page(
    request: HttpRequest, order: Order, others: list[str], *, status: int = 200, **said: Any
) -> HttpResponse:
    """The page, or for its own poll the part that moves. `others`: who else looks at it.

    `said` is what a form that was refused brings back: `note` (its text) and `why_no_note`, or `why_not_assigned`.
    """
    came, fragment = came_from(request), wants_fragment(request)
    notes, more_notes = one_more(order.notes.for_page(), NOTES_SHOWN)
    context = {
        "order": order,
        "events": order.events.select_related("by")[:EVENTS_SHOWN],
        "bar_changed": bar_moved(request),
        "own": ordered_fields(order.body),
        "others": others,
        "version": page_version(order, others),
        "chart": chart(order),
        "pace": order.service.pace.usual if hasattr(order.service, "pace") else None,
        "box": (WIDTH, HEIGHT),
        "notes": notes[::-1],
        "more_notes": more_notes,
        "token": uuid.uuid4(),
        "assignable": [person for person in team() if may(person, "place")] if may(request.user, "place") else [],
        "came": came,
        "beside": (None, None) if fragment else neighbours(request.user, came, order.pk),
        "note": "", "why_no_note": "", "why_not_assigned": "",
        **said,
        **evidence.evidence_context(order),
    }  # fmt: skip
    return page(request, "orders/detail/show.html", context, fragment="orders/detail/_order_now.html", status=status)


def page_version(order: Order, others: list[str]) -> str:
    """Changes when what the order's page shows does."""
    return presence.page_version(order.version, others) + (LATE_MARK if order.late_since else "")


def page_address(order: Order, came: str) -> str:
    """Where it is told, with the list that one came from."""
    return order.get_absolute_url() + (f"?{urlencode({'from': came})}" if came else "")

"""The page of one order: everything that is known of it, in one context for the template."""

import uuid
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse

from accounts.access import may
from orders.answers.texts import Texts, language_of, languages_in_use
from orders.approvals.page import approval_of
from orders.customers.find import suggested_names
from orders.detail.evidence import evidence_context, evidence_version
from orders.detail.neighbours import came_from, neighbours
from orders.detail.ordered_fields import ordered_fields
from orders.detail.progress_chart import chart
from orders.models import Order
from orders.rules.margin import cost_of, earned_of, margin_of
from orders.selling.prices import Sale
from orders.table.columns import Times
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
    request: HttpRequest, order: Order, others: list[str], *, status: int = 200, **refused: Any
) -> HttpResponse:
    """The whole page, or for the open page's own poll the part that moves. `others` names who else looks at it.

    `refused` is what a refused form brings back: `note` (its text) and `why_no_note`, or `why_not_assigned`, or
    `customer_typed`, `reference_typed` and `why_no_customer`.
    """
    came = came_from(request)
    notes, more_notes = one_more(order.notes.for_page(), NOTES_SHOWN)
    context = {
        "order": order,
        "events": order.events.select_related("by")[:EVENTS_SHOWN],
        "bar_changed": bar_moved(request),
        "times": Times.of(order),
        "own": ordered_fields(order.body),
        "others": others,
        "version": page_version(order, others),
        "chart": chart(order),
        "pace": order.service.pace.usual if hasattr(order.service, "pace") else None,
        "box": (WIDTH, HEIGHT),
        "notes": notes[::-1],
        "more_notes": more_notes,
        "token": uuid.uuid4(),
        "assignable": [person for person in team() if may(person, "note")] if may(request.user, "note") else [],
        "came": came,
        **approval_of(order),
        "waits_for_money": order.shown_status == "unfunded",
        "beside": (None, None) if wants_fragment(request) else neighbours(request.user, came, order.pk),
        "note": "", "why_no_note": "", "why_not_assigned": "",
        **customer_context(request, order),
        **refused,
        **answer_context(request, order),
        **evidence_context(order, request.user),
    }  # fmt: skip
    return page(request, "orders/detail/show.html", context, fragment="orders/detail/_order_now.html", status=status)


def customer_context(request: HttpRequest, order: Order) -> dict[str, Any]:
    """Whom the order is for, what they pay, and what is earned, for those who may see each."""
    return {
        "sale": Sale(earned_of(order), cost_of(order) or Decimal(0)) if order.sold_for is not None else None,
        "earns": margin_of(order),
        "customer_typed": order.customer.name if order.customer else "", "reference_typed": order.customer_reference,
        "why_no_customer": "",
        "customer_names": suggested_names("") if may(request.user, "customers") else [],
    }  # fmt: skip


def answer_context(request: HttpRequest, order: Order) -> dict[str, Any]:
    """The words for the customer, in the language that the address names, else in the one chosen last."""
    languages, chosen = languages_in_use(), request.GET.get("language", "")
    chosen = chosen if chosen in languages else ""
    theirs = order.customer.language if order.customer else ""
    texts = Texts.load(chosen or (theirs if theirs in languages else "") or language_of(request.user))
    return {"answer": texts.answer(order), "language": texts.language, "languages": languages, "chosen": chosen}


def page_version(order: Order, others: list[str]) -> str:
    """A short text that changes when anything does that the order's page shows."""
    own = presence.page_version(order.version, others)
    return own + (LATE_MARK if order.late_since else "") + evidence_version(order)


def page_address(order: Order, came: str) -> str:
    """The address of the order's page, which keeps the list that the person came from."""
    return order.get_absolute_url() + (f"?{urlencode({'from': came})}" if came else "")

"""The page of what happened since a person left, and what is pressed there."""

import uuid
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.access import may, needs
from orders.handover import mine, shift_notes
from orders.handover.deal import MOST_DEALT, deal_with
from orders.handover.figures import completed_since, money_since, placed_since
from orders.handover.prices import prices_moved
from orders.handover.sections import Section, read_night, sections_of
from orders.handover.since import Since, address_of, moment_of, names_a_zone
from orders.reports.late import by_service
from orders.rules.refusal import Refusal
from panel.format.numbers import number
from panel.web.htmx import wants_fragment
from panel.web.params import read_number

SHOWN_THINGS = 5  # of each section; the page of one section shows all that were read


@require_safe
@needs("view")
def since(request: HttpRequest) -> HttpResponse:
    """What happened since this person's last working day, or since the moment in the address, which names it in UTC."""
    text = request.GET.get("from", "").strip()
    at = moment_of(text) if text and not names_a_zone(text) else None
    if at:  # typed on this person's clock: the address then says the same to everybody
        return redirect(address_of(at))
    return since_page(request, Since.read(text, request.user, timezone.now()))


def since_page(request: HttpRequest, since: Since, *, status: int = HTTPStatus.OK, **refused: str) -> HttpResponse:
    """The page. `refused` is what a refused note brings back: its text, and why."""
    sections = [*sections_of(read_night(since.at)), prices_moved(since.at)]
    unread, read = shift_notes.shown_notes(request.user)
    handed, mentions = mine.handed_to(request.user, since.at), mine.notes_to(request.user, since.at)
    only = request.GET.get("see", "")
    context = {
        "since": since,
        "why": since.why,
        "sections": sections,
        "only": next((section for section in sections if section.key == only), None),
        "shown": SHOWN_THINGS,
        "late": by_service([thing.order for thing in section_of(sections, "late").open]),
        "sum": sum_up(sections, request.user),
        "placed": placed_since(since.at),
        "completed": completed_since(since.at),
        "spent": money_since(since.at, since.now) if may(request.user, "money") else None,
        "alarms": mine.alarms_since(since.at),
        "mentions": mentions,
        "unread_mentions": [mention.note_id for mention in mentions if mention.read_at is None],
        "handed": handed,
        "unseen": [my.order.pk for my in handed if my.handed.read_at is None],
        "notes": unread,
        "read_notes": read,
        "token": uuid.uuid4(),
        "text": "",
        "why_no_note": "",
        **refused,
    }
    return render(request, "orders/handover/since.html", context, status=status)


def section_of(sections: Sequence[Section], key: str) -> Section:
    """The section with this key."""
    return next(section for section in sections if section.key == key)


def sum_up(sections: Sequence[Section], user: Any) -> dict[str, object]:
    """The figures of the sentence at the top: how many things are open, and with how many others who dealt."""
    dealt = [thing for section in sections for thing in section.dealt]
    others = sorted({str(thing.by) for thing in dealt if thing.by != user})
    *first, last = others + ["you"] * any(thing.by == user for thing in dealt) or [""]
    return {
        "open": sum(len(section.open) for section in sections),
        "more": any(section.more for section in sections),
        "dealt": len(dealt),
        "names": " and ".join(filter(None, [", ".join(first), last])),
    }


@needs("note")
@require_http_methods(["GET", "HEAD", "POST"])
def notes(request: HttpRequest) -> HttpResponse:
    """Writes a note to the next shift. A refused one comes back in its field, with the reason and status 422."""
    if request.method != "POST":
        return redirect("since")
    text, taken = request.POST.get("text", ""), request.POST.getlist("item")
    try:
        token = uuid.UUID(request.POST.get("token", ""))
    except ValueError:
        token = uuid.uuid4()
    try:
        _, is_new = shift_notes.write_shift_note(text, taken, token, by=request.user)
    except Refusal as refusal:
        since = Since.read(request.POST.get("from", ""), request.user, timezone.now())
        return since_page(request, since, status=HTTPStatus.UNPROCESSABLE_ENTITY, text=text, why_no_note=str(refusal))
    told = "It stands at the top of everybody’s page until they have read it."
    messages.success(request, f"Your note is written. {told}" if is_new else "This note was written already, once.")
    return back_to_page(request)


@needs("view")
@require_POST
def reading(request: HttpRequest, pk: int) -> HttpResponse:
    """Marks a note to the shift as read by this person. Repeating it changes nothing."""
    shift_notes.mark_read(pk, by=request.user, now=timezone.now())
    return back_to_page(request)


@needs("note")
@require_POST
def dealings(request: HttpRequest) -> HttpResponse:
    """Marks the orders that are posted as `order` as dealt with, so that no colleague looks at them again."""
    pks = [read_number(pk) for pk in request.POST.getlist("order")[:MOST_DEALT]]
    try:
        count = deal_with(pks, by=request.user)
    except Refusal as refusal:
        messages.warning(request, str(refusal))
    else:
        messages.success(request, f"{number(count)} order{'s are' if count != 1 else ' is'} marked as dealt with.")
    return back_to_page(request)


@needs("view")
@require_POST
def handed_seen(request: HttpRequest) -> HttpResponse:
    """Marks the assignments to this person that are posted as `order` as seen. Repeating it changes nothing."""
    pks = [number for text in request.POST.getlist("order")[: mine.SHOWN] if (number := read_number(text))]
    mine.mark_handed_seen(pks, by=request.user, now=timezone.now())
    return HttpResponse(status=HTTPStatus.NO_CONTENT) if wants_fragment(request) else back_to_page(request)


def back_to_page(request: HttpRequest) -> HttpResponse:
    """Back to the page with the moment that it showed."""
    back = request.POST.get("back", "")
    safe = back.startswith("/activity/since/") and url_has_allowed_host_and_scheme(back, allowed_hosts=None)
    return redirect(back if safe else "since")

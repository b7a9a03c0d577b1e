"""One order's page, and what teammates press there: notes and assignment."""

import uuid
from http import HTTPStatus

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from accounts.access import needs
from accounts.models import User
from orders.detail import page
from orders.detail.neighbours import came_from
from orders.models import Order
from orders.rules.refusal import Refusal
from orders.teamwork import assignment as assigning
from orders.teamwork import notes as noting
from orders.teamwork import presence
from panel.format.times import machine
from panel.web.params import read_number
from panel.web.polling import unchanged, with_times


@require_safe
@needs("view")
def show(request: HttpRequest, pk: int) -> HttpResponse:
    """One order; asked by its own open page with the version that it has, 204 when that is still so."""
    order = the_order(request, pk)
    others = presence.mark_present(pk, request.user, timezone.now())
    response = unchanged(request, page.page_version(order, others)) or page.render_page(request, order, others)
    polled = {str(order.pk): machine(order.reported_at)} if order.reported_at else {}
    return with_times(request, response, polled)


# A refused form is answered here, so this is where Back, F5 and signing in again may lead: GET goes to the order.
get_leads_to_the_order = require_http_methods(["GET", "HEAD", "POST"])


@needs("place")
@get_leads_to_the_order
def notes(request: HttpRequest, pk: int) -> HttpResponse:
    order = the_order(request, pk)
    here, text = page.page_address(order, came_from(request)), request.POST.get("text", "")
    if request.method != "POST":
        return redirect(here)
    try:
        note, new = noting.write_note(order, text, token_of(request), by=request.user)
    except Refusal as no:
        return again(request, pk, HTTPStatus.UNPROCESSABLE_ENTITY, note=text, why_no_note=str(no))
    called = ", ".join(sorted(str(person) for person in note.mentions.all()))
    told = f" {called} will find it under Notes to me." if called else ""
    messages.success(request, f"Your note is written.{told}" if new else "This note was written already, once.")
    return HttpResponseRedirect(f"{here}#note-{note.pk}")


@needs("place")
@get_leads_to_the_order
def assignment(request: HttpRequest, pk: int) -> HttpResponse:
    """`to` is a teammate's id or `nobody`; `saw` is whose it was on the page that was pressed."""
    order, to = the_order(request, pk), request.POST.get("to", "")
    here = page.page_address(order, came_from(request))
    if request.method != "POST":
        return redirect(here)
    person = User.objects.filter(pk=read_number(to)).first()
    if not person and to != "nobody":
        messages.warning(request, "Choose whom this order is assigned to.")
        return redirect(here)
    try:
        assigning.assign(order, person, saw=read_number(request.POST.get("saw")) or None, by=request.user)
    except assigning.Overtaken as no:
        return again(request, pk, HTTPStatus.CONFLICT, why_not_assigned=str(no))
    except Refusal as no:
        messages.warning(request, str(no))
    else:
        messages.success(request, f"Order {pk} is assigned to {person or 'nobody'}.")
    return redirect(here)


def the_order(request: HttpRequest, pk: int) -> Order:
    """With all that its page tells."""
    return get_object_or_404(Order.objects.seen_by(request.user).for_page(), pk=pk)


def again(request: HttpRequest, pk: int, status: int, **said: str) -> HttpResponse:
    """The order's page as it is now, with what was typed and why nothing was done."""
    return page.render_page(
        request, the_order(request, pk), presence.mark_present(pk, request.user, timezone.now()), status=status, **said
    )


def token_of(request: HttpRequest) -> uuid.UUID:
    try:
        return uuid.UUID(request.POST.get("token", ""))
    except ValueError:  # no form of ours
        return uuid.uuid4()

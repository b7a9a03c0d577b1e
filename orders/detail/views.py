"""One order's page, and what teammates press there: notes and assignment."""

import uuid
from http import HTTPStatus

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from accounts.access import needs
from accounts.models import User
from orders.customers.change import set_customer
from orders.customers.find import find_customer
from orders.detail import page
from orders.detail.neighbours import came_from
from orders.models import Order
from orders.rules.refusal import Refusal
from orders.teamwork.assignment import Overtaken, assign
from orders.teamwork.notes import write_note
from orders.teamwork.presence import mark_present
from panel.format.times import machine
from panel.web.params import read_number
from panel.web.polling import unchanged, with_times

# A refused form is answered at its own address. Back, F5 and signing in again may GET that: it leads to the order.
get_leads_to_the_order = require_http_methods(["GET", "HEAD", "POST"])


@require_safe
@needs("view")
def show(request: HttpRequest, pk: int) -> HttpResponse:
    """One order. Its open page asks with the version it shows, and gets 204 while that has not changed."""
    order = the_order(request, pk)
    others = mark_present(pk, request.user, timezone.now())
    response = unchanged(request, page.page_version(order, others)) or page.render_page(request, order, others)
    return with_times(request, response, {str(pk): machine(order.checked_at)} if order.checked_at else {})


@needs("note")
@get_leads_to_the_order
def notes(request: HttpRequest, pk: int) -> HttpResponse:
    """Writes a note about the order; a refused text comes back in its field, with the reason and status 422."""
    order = the_order(request, pk)
    address, text = page.page_address(order, came_from(request)), request.POST.get("text", "")
    if request.method != "POST":
        return redirect(address)
    try:
        note, is_new = write_note(order, text, token_of(request), by=request.user)
    except Refusal as refusal:
        return page_again(request, pk, HTTPStatus.UNPROCESSABLE_ENTITY, note=text, why_no_note=str(refusal))
    called = ", ".join(sorted(str(person) for person in note.mentions.all()))
    who_reads = f" {called} will find it under Notes to me." if called else ""
    messages.success(request, f"Your note is written.{who_reads}" if is_new else "This note was written already, once.")
    return redirect(f"{address}#note-{note.pk}")


@needs("note")
@get_leads_to_the_order
def assignment(request: HttpRequest, pk: int) -> HttpResponse:
    """Assigns the order: `to` is a teammate's id or `nobody`, `saw` the id of the assignee whom the page showed."""
    order, to = the_order(request, pk), request.POST.get("to", "")
    address = page.page_address(order, came_from(request))
    if request.method != "POST":
        return redirect(address)
    person = User.objects.filter(pk=read_number(to)).first()
    if not person and to != "nobody":
        messages.warning(request, "Choose whom this order is assigned to.")
        return redirect(address)
    try:
        assign(order, person, saw=read_number(request.POST.get("saw")) or None, by=request.user)
    except Overtaken as refusal:
        return page_again(request, pk, HTTPStatus.CONFLICT, why_not_assigned=str(refusal))
    except Refusal as refusal:
        messages.warning(request, str(refusal))
    else:
        messages.success(request, f"Order {pk} is assigned to {person or 'nobody'}.")
    return redirect(address)


@needs("customers")
@get_leads_to_the_order
def customer(request: HttpRequest, pk: int) -> HttpResponse:
    """Sets whom the order is for and what they call it by. A name that nobody has comes back, with status 422."""
    order = the_order(request, pk)
    address = page.page_address(order, came_from(request))
    if request.method != "POST":
        return redirect(address)
    typed = {"customer_typed": request.POST.get("customer", ""), "reference_typed": request.POST.get("reference", "")}
    try:
        whom = find_customer(typed["customer_typed"])
        changed = set_customer(order, whom, typed["reference_typed"], by=request.user)
    except Refusal as refusal:
        return page_again(request, pk, HTTPStatus.UNPROCESSABLE_ENTITY, why_no_customer=str(refusal), **typed)
    messages.success(request, f"Order {pk} is saved." if changed else "Nothing was changed.")
    return redirect(address)


def the_order(request: HttpRequest, pk: int) -> Order:
    """The order with everything that its page shows, or 404."""
    return get_object_or_404(Order.objects.seen_by(request.user).for_page(), pk=pk)


def page_again(request: HttpRequest, pk: int, status: int, **refused: str) -> HttpResponse:
    """The order's page as it is now, with the refused form: what was typed, and why nothing was done."""
    others = mark_present(pk, request.user, timezone.now())
    return page.render_page(request, the_order(request, pk), others, status=status, **refused)


def token_of(request: HttpRequest) -> uuid.UUID:
    """The token of the form that was sent; a new one when there is none, for then the form is not ours."""
    try:
        return uuid.UUID(request.POST.get("token", ""))
    except ValueError:
        return uuid.uuid4()

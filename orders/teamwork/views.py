"""What teammates do about an order among themselves: notes, whom it is assigned to, and the notes that call one."""

import uuid

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from accounts.access import needs
from accounts.models import User
from orders.detail import page
from orders.detail.neighbours import came_from
from orders.models import Mention, Order
from orders.rules.refusal import Refusal
from orders.teamwork import assignment as assigning
from orders.teamwork import notes as noting
from orders.teamwork import presence
from panel.web.params import number

INVALID, CONFLICT = 422, 409
MENTIONS_A_PAGE = 50

# A refused form is answered here, so this is where Back, F5 and signing in again may lead: GET goes to the order.
get_leads_to_the_order = require_http_methods(["GET", "HEAD", "POST"])


@needs("place")
@get_leads_to_the_order
def notes(request: HttpRequest, pk: int) -> HttpResponse:
    order = the_order(request, pk)
    here, text = page.address(order, came_from(request)), request.POST.get("text", "")
    if request.method != "POST":
        return redirect(here)
    try:
        note, new = noting.write(order, text, token_of(request), by=request.user)
    except Refusal as no:
        return again(request, pk, INVALID, note=text, why_no_note=str(no))
    called = ", ".join(sorted(str(person) for person in note.mentions.all()))
    told = f" {called} will find it under Notes to me." if called else ""
    messages.success(request, f"Your note is written.{told}" if new else "This note was written already, once.")
    return HttpResponseRedirect(f"{here}#note-{note.pk}")


@needs("place")
@get_leads_to_the_order
def assignment(request: HttpRequest, pk: int) -> HttpResponse:
    """`to` is a teammate's id or `nobody`; `saw` is whose it was on the page that was pressed."""
    order, to = the_order(request, pk), request.POST.get("to", "")
    here = page.address(order, came_from(request))
    if request.method != "POST":
        return redirect(here)
    person = User.objects.filter(pk=number(to)).first()
    if not person and to != "nobody":
        messages.warning(request, "Choose whom this order is assigned to.")
        return redirect(here)
    try:
        assigning.assign(order, person, saw=number(request.POST.get("saw")) or None, by=request.user)
    except assigning.Overtaken as no:
        return again(request, pk, CONFLICT, why_not_assigned=str(no))
    except Refusal as no:
        messages.warning(request, str(no))
    else:
        messages.success(request, f"Order {pk} is assigned to {person or 'nobody'}.")
    return redirect(here)


@require_safe
@needs("look")
def mentions(request: HttpRequest) -> HttpResponse:
    """The notes that call this person, newest first. What is shown counts as seen from here on."""
    mine = Mention.objects.to(request.user)
    if before := number(request.GET.get("before")):
        mine = mine.filter(note_id__lt=before)
    rows = list(mine[: MENTIONS_A_PAGE + 1])
    shown, more = rows[:MENTIONS_A_PAGE], len(rows) > MENTIONS_A_PAGE
    older = f"{request.path}?before={shown[-1].note_id}" if more else ""
    if new := [mention.pk for mention in shown if mention.read_at is None]:
        Mention.objects.filter(pk__in=new).update(read_at=timezone.now())
    return render(request, "orders/mentions.html", {"mentions": shown, "older": older})


def the_order(request: HttpRequest, pk: int) -> Order:
    """With all that its page tells."""
    return get_object_or_404(Order.objects.seen_by(request.user).for_page(), pk=pk)


def again(request: HttpRequest, pk: int, status: int, **said: str) -> HttpResponse:
    """The order's page as it is now, with what was typed and why nothing was done."""
    return page.tell(
        request, the_order(request, pk), presence.look(pk, request.user, timezone.now()), status=status, **said
    )


def token_of(request: HttpRequest) -> uuid.UUID:
    try:
        return uuid.UUID(request.POST.get("token", ""))
    except ValueError:  # no form of ours
        return uuid.uuid4()

"""What the views that act on an order share: the order they load, and how they answer with its row or its page."""

import json
from collections.abc import Callable
from http import HTTPStatus
from urllib.parse import urlsplit

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import get_object_or_404, redirect
from django.utils.http import url_has_allowed_host_and_scheme

from orders.models import Order
from orders.rules.refusal import Refusal
from orders.table.columns import Reader, draw_rows
from orders.table.listing import Listing
from orders.table.rows import fetch_rows
from panel.web.htmx import page_path, wants_fragment
from panel.web.polling import bar_of


def the_order(request: HttpRequest, pk: int) -> Order:
    """The order with all that its row shows, if the person may see it; else 404."""
    return get_object_or_404(Order.objects.seen_by(request.user).for_table(), pk=pk)


def refusal_of(act: Callable[[], object]) -> str:
    """Calls `act` and returns ""; if a verb in it refuses, returns the reason."""
    try:
        act()
    except Refusal as no:
        return str(no)
    return ""


def row_or_redirect(request: HttpRequest, pk: int, why: str, done: str) -> HttpResponse:
    """In the table, the order's row as it is now, with `why` as an alert if given; elsewhere, a redirect_back."""
    if not wants_fragment(request):
        return redirect_back(request, why, done)
    listing = Listing.of(request.user, QueryDict(urlsplit(page_path(request)).query))  # of the page that asked
    rows = fetch_rows(Order.objects.seen_by(request.user).filter(pk=pk))
    reader = Reader.of(request.user, listing.columns, stopped=bool(bar_of(request).stopped_at))
    html = draw_rows(rows, reader, bar_of(request).company, match=listing.query(), note=why)
    response = HttpResponse(html, status=HTTPStatus.CONFLICT if why else HTTPStatus.OK)
    if not why:
        response["HX-Trigger"] = json.dumps({"desk:said": done})
    return response


def redirect_back(request: HttpRequest, why: str, done: str) -> HttpResponse:
    """Leads to the page that the person came from, else to the orders, with what was `done` or `why` it was not."""
    messages.add_message(request, messages.WARNING if why else messages.SUCCESS, why or done)
    path = request.POST.get("back") or page_path(request)  # "back": of a page that asked first
    safe = path != "/" and url_has_allowed_host_and_scheme(path, allowed_hosts=None)
    return HttpResponseRedirect(path) if safe else redirect("orders:index")

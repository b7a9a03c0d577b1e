"""What people do to orders and to sending as a whole: each a POST to a noun, which answers with what it changed."""

import json
from collections.abc import Callable
from http import HTTPStatus
from urllib.parse import urlsplit

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from orders.models import Order
from orders.rules.refusal import Refusal
from orders.table.columns import row_template
from orders.table.listing import Listing
from orders.table.rows import fetch_rows
from panel.web.htmx import page_path, wants_fragment


def the_order(request: HttpRequest, pk: int) -> Order:
    return get_object_or_404(Order.objects.seen_by(request.user).for_table(), pk=pk)


def refusal_of(act: Callable[[], object]) -> str:
    """The reason why it was not done; empty when it was."""
    try:
        act()
    except Refusal as no:
        return str(no)
    return ""


def row_or_redirect(request: HttpRequest, pk: int, why: str, done: str) -> HttpResponse:
    """In the table the row as it is now, with why nothing was done; else the page one came from."""
    if wants_fragment(request):
        listing = listing_on_page(request)
        orders = fetch_rows(Order.objects.seen_by(request.user).filter(pk=pk))
        context = {"orders": orders, "rows": row_template(listing.columns), "note": why, "match": listing.query()}
        status = HTTPStatus.CONFLICT if why else HTTPStatus.OK
        response = render(request, "orders/table/_row.html", context, status=status)
        if not why:  # a refusal stands in the row, as an alert
            response["HX-Trigger"] = json.dumps({"desk:said": done})
        return response
    return redirect_back(request, why, done)


def listing_on_page(request: HttpRequest) -> Listing:
    """The list on the page that somebody acted from."""
    return Listing.of(request.user, QueryDict(urlsplit(page_path(request)).query))


def redirect_back(request: HttpRequest, why: str, done: str) -> HttpResponse:
    """To the page one came from, which says what was done, or why not."""
    if why:
        messages.warning(request, why)
    else:
        messages.success(request, done)
    here = page_path(request)
    known = here != "/" and url_has_allowed_host_and_scheme(here, allowed_hosts=None)
    return HttpResponseRedirect(here if known else reverse("orders:index"))

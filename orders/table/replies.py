"""What the views that act on an order share: the order they load, and how they answer with its row or its page."""

import json
from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django_htmx.http import HttpResponseClientRedirect

from orders.models import Order
from orders.models.team import ABOUT
from orders.rules.refusal import NotAllowed, Refusal
from orders.table.columns import Reader, draw_rows
from orders.table.listing import Listing
from orders.table.rows import fetch_rows
from panel.web.htmx import page_path, wants_fragment
from panel.web.polling import bar_of

NOT_KEPT = ("csrfmiddlewaretoken", "despite")  # fields that the question has of its own


def the_order(request: HttpRequest, pk: int) -> Order:
    """The order with all that its row shows, if the person may see it; else 404."""
    return get_object_or_404(Order.objects.seen_by(request.user).for_table(), pk=pk)


def refusal_of(act: Callable[[], object]) -> str:
    """Calls `act` and returns ""; if a verb in it refuses, returns the reason. Without the right to it, a 403."""
    try:
        act()
    except NotAllowed as no:
        raise PermissionDenied(str(no)) from None
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


def asks_first(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Has a view of one order ask once more, before it does anything, while a colleague is about to act on that order.

    The yes names the colleagues whom the question named, in `despite`: if another has come since, it asks again. A
    press in a row of the list leads to a page that asks.
    """

    @wraps(view)
    def asking(request: HttpRequest, pk: int, **kwargs: Any) -> HttpResponse:
        deciding = [one for one in bar_of(request).company.get(pk, ()) if one.about in ABOUT]
        if {str(one.pk) for one in deciding} <= {*request.POST.getlist("despite")}:
            return view(request, pk, **kwargs)
        order = the_order(request, pk)
        if wants_fragment(request):
            asks = any(request.path.endswith(f"/{what}/") for what in ABOUT)
            return HttpResponseClientRedirect(f"{request.path}question/" if asks else order.get_absolute_url())
        fields = [(name, text) for name, texts in request.POST.lists() if name not in NOT_KEPT for text in texts]
        context = {"order": order, "deciding": deciding, "fields": fields, "action": request.path}
        return render(request, "orders/table/ask_first.html", context, status=HTTPStatus.CONFLICT)

    return asking


def redirect_back(request: HttpRequest, why: str, done: str) -> HttpResponse:
    """Leads to the page that the person came from, else to the orders, with what was `done` or `why` it was not."""
    messages.add_message(request, messages.WARNING if why else messages.SUCCESS, why or done)
    path = request.POST.get("back") or page_path(request)  # "back": of a page that asked first
    safe = path != "/" and url_has_allowed_host_and_scheme(path, allowed_hosts=None)
    return HttpResponseRedirect(path) if safe else redirect("orders:index")

"""Saved views: their pages, where they are made, changed, pinned and removed; and the tabs of the orders page."""

import re
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.access import needs
from accounts.trail.record import record_change, what_changed
from orders.models import SavedView
from orders.models.saved_view import PRESETS, QUERY_CHARACTERS, VIEWS_A_PERSON
from orders.table.listing import Listing
from panel.format.visible import visible
from panel.web.htmx import page

QUERY_VALUE = re.compile(r"((?:^|&)(?:q|link)=)[^&]+")  # of an address: what was searched for
LISTED_VIEWS = 5 * VIEWS_A_PERSON  # on the page of views, which has no further pages


# ── On the orders page ───────────────────────────────────────────────────────────────────────────
def views_context(user: Any, listing: Listing) -> dict[str, object]:
    """The tabs that the orders page wants, the view that this list began as, and whether the list differs from it."""
    pinned = SavedView.objects.pinned_by(user)
    view = next((view for view in pinned if view.pk == listing.view), None)
    if listing.view and not view:
        view = SavedView.objects.seen_by(user).of_orders().filter(pk=listing.view).first()
    return {
        "presets": [(name, query.format(me=user.pk)) for name, query in PRESETS],
        "pinned": pinned,
        "view": view,
        "view_changed": bool(view and view.query != view_query(listing)),
    }


def view_query(listing: Listing) -> str:
    """What a view keeps of a list: everything but the page and the view that the list began as."""
    return urlencode(listing.params())


# ── Pages ────────────────────────────────────────────────────────────────────────────────────────
@needs("view")
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """The person's own views and those that teammates share."""
    user: Any = request.user
    views = SavedView.objects.seen_by(user).of_orders().select_related("owner")[:LISTED_VIEWS]
    tabs = {view.pk for view in SavedView.objects.pinned_by(user)}
    rows = [(view, view.pk in tabs, view.why_no_change(user)) for view in views]
    return render(request, "orders/table/views.html", {"views": rows})


@needs("view")
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """The form that names the list of its address; posted, saves the view and pins it as a tab."""
    user: Any = request.user
    posted = request.method == "POST"
    form = request.POST if posted else request.GET
    listing = Listing.of(user, QueryDict(form["query"]) if "query" in form else form).from_start(view=0)
    name = cleaned_name(form.get("name", ""))
    view = SavedView(owner=user, name=name, query=view_query(listing), shared="shared" in form)
    errors = view_errors(view) if posted else []
    if posted and not errors:
        with transaction.atomic():
            view.save()
            record_view("view_made", view, user, after=described(view))
            pin_view(user, view.pk, True)
        return redirect(view)
    context = {"form_view": view, "errors": errors, "listing": listing}
    status = HTTPStatus.UNPROCESSABLE_ENTITY if errors else HTTPStatus.OK
    return page(request, "orders/table/new_view.html", context, fragment="orders/table/_new_view.html", status=status)


@needs("view")
@require_POST
def change(request: HttpRequest, pk: int) -> HttpResponse:
    """Changes the name, the sharing or the list of a view: whichever of them the form has."""
    view, form = changeable_view(request, pk), request.POST
    was, query = described(view), view.query
    view.name = cleaned_name(form.get("name", view.name))
    view.query = view_query(Listing.of(request.user, QueryDict(form["query"]))) if "query" in form else view.query
    view.shared = "shared" in form if "sharing" in form else view.shared
    if errors := view_errors(view):
        messages.warning(request, " ".join(errors))
        return redirect("orders:views")
    changed = what_changed(was, described(view))
    if changed["before"] or view.query != query:
        with transaction.atomic():
            view.save(update_fields=["name", "query", "shared"])
            record_view("view_changed", view, request.user, **changed)
    messages.success(request, f"The view “{view}” is saved.")
    return redirect(view if "query" in form else "orders:views")


@needs("view")
@require_POST
def pin(request: HttpRequest, pk: int) -> HttpResponse:
    """Pins a view as a tab of this person, or with `pinned=no` unpins it."""
    pin_view(request.user, visible_view(request, pk).pk, request.POST.get("pinned") == "yes")
    return redirect("orders:views")


@needs("view")
@require_POST
def removal(request: HttpRequest, pk: int) -> HttpResponse:
    """Deletes a view. Its orders stay."""
    view = changeable_view(request, pk)
    with transaction.atomic():
        record_view("view_removed", view, request.user, before=described(view))
        view.delete()
    messages.success(request, f"The view “{view}” is removed. Its orders are where they were.")
    return redirect("orders:views")


# ── The trail ────────────────────────────────────────────────────────────────────────────────────
def described(view: SavedView) -> dict[str, object]:
    """What the trail keeps of a view. Not what it searches for, which names customers."""
    return {"name": view.name, "shared": view.shared, "list": QUERY_VALUE.sub(r"\1…", view.query)}


def record_view(kind: str, view: SavedView, by: Any, **columns: Any) -> None:
    """Records that a view was made, changed or removed."""
    record_change(kind, by=by, thing="view", thing_id=view.pk, label=view.name, **columns)


# ── What the pages share ─────────────────────────────────────────────────────────────────────────
def cleaned_name(text: str) -> str:
    """A name as it is kept: PostgreSQL stores no NUL characters, and a tab without a visible name cannot be read."""
    return visible(text.replace("\0", " "))


def view_errors(view: SavedView) -> list[str]:
    """Why this view cannot be saved, in sentences; empty when it can."""
    if view._state.adding and SavedView.objects.filter(owner=view.owner_id).count() >= VIEWS_A_PERSON:
        return [f"You have {VIEWS_A_PERSON} views; remove one first."]
    if len(view.query) > QUERY_CHARACTERS:
        return ["This search is too long to be kept. Keep a shorter one."]
    try:
        view.full_clean()
    except ValidationError as error:
        return ["Give it a name of up to 60 characters."] if "name" in error.message_dict else error.messages
    return []


def pin_view(user: Any, pk: int, pinned: bool) -> None:
    """Puts a view last among the person's tabs, or takes it away from them, also where the team shares it."""
    user.pinned = [other for other in user.pinned if other != pk] + [pk] * pinned
    user.unpinned = [other for other in user.unpinned if other != pk] + [pk] * (not pinned)
    user.save(update_fields=["pinned", "unpinned"])


def visible_view(request: HttpRequest, pk: int) -> SavedView:
    """The view with this id, if the person may see it; else 404."""
    return get_object_or_404(SavedView.objects.seen_by(request.user).of_orders().select_related("owner"), pk=pk)


def changeable_view(request: HttpRequest, pk: int) -> SavedView:
    """The view with this id, if the person may change it; else 403, or 404 if the person may not even see it."""
    view = visible_view(request, pk)
    if why := view.why_no_change(request.user):
        raise PermissionDenied(why)
    return view

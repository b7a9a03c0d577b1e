"""Saved views: made, changed, pinned and removed; and which of them the orders page shows."""

from http import HTTPStatus
from typing import Any, cast

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.access import needs
from accounts.models import User
from orders.models import SavedView
from orders.models.saved_view import PRESETS, QUERY_CHARACTERS, VIEWS_A_PERSON
from orders.table.listing import Listing
from panel.web.htmx import page


def views_context(user: Any, listing: Listing) -> dict[str, object]:
    """What the orders page wants: the tabs of views, and the one that this list began as, with whether it changed."""
    pinned = SavedView.objects.pinned_by(user)
    current = next((view for view in pinned if view.pk == listing.view), None)
    if listing.view and current is None:
        current = SavedView.objects.seen_by(user).filter(pk=listing.view).first()
    return {
        "presets": [(name, query.format(me=user.pk)) for name, query in PRESETS],
        "pinned": pinned,
        "view": current,
        "view_changed": bool(current and current.query != view_query(listing)),
    }


def view_query(listing: Listing) -> str:
    """What a view keeps of a list: all but where in it one is, and which view it began as."""
    said = QueryDict(mutable=True)
    said.update(listing.params())
    return said.urlencode()


@needs("view")
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """One's own views and those that teammates share."""
    views = SavedView.objects.seen_by(request.user).select_related("owner")
    rows = [
        (view, view.pk in the_user(request).pinned, view.why_no_change(request.user))
        for view in views[: 5 * VIEWS_A_PERSON]
    ]
    return render(request, "orders/table/views.html", {"views": rows})


@needs("view")
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """The form that names the list one looks at; posted, the view, pinned as a tab."""
    said = request.POST if request.method == "POST" else request.GET
    query = view_query(Listing.of(request.user, QueryDict(said["query"]) if "query" in said else said))
    name, shared = said.get("name", "").replace("\0", " ").strip(), "shared" in said
    view = SavedView(owner=the_user(request), name=name, query=query, shared=shared)
    errors = view_errors(view, request) if request.method == "POST" else []
    if request.method == "POST" and not errors:
        view.save()
        pin_view(the_user(request), view.pk, True)
        return HttpResponseRedirect(view.get_absolute_url())
    context = {"form_view": view, "errors": errors, "listing": Listing.of(request.user, QueryDict(query))}
    status = HTTPStatus.UNPROCESSABLE_ENTITY if errors else HTTPStatus.OK
    return page(request, "orders/table/new_view.html", context, fragment="orders/table/_new_view.html", status=status)


def view_errors(view: SavedView, request: HttpRequest) -> list[str]:
    """Why this view cannot be kept, in sentences."""
    if view._state.adding and SavedView.objects.filter(owner=request.user.pk).count() >= VIEWS_A_PERSON:
        return [f"You have {VIEWS_A_PERSON} views; remove one first."]
    if len(view.query) > QUERY_CHARACTERS:
        return ["This search is too long to be kept. Keep a shorter one."]
    try:
        view.full_clean()
    except ValidationError as no:
        return ["Give it a name of up to 60 characters."] if "name" in no.message_dict else no.messages
    return []


@needs("view")
@require_POST
def change(request: HttpRequest, pk: int) -> HttpResponse:
    """A new name, other sharing, or the list as it is now: whatever the form names."""
    view, said = the_view(request, pk), request.POST
    if why := view.why_no_change(request.user):
        raise PermissionDenied(why)
    view.name = said.get("name", view.name).replace("\0", " ").strip()
    view.query = view_query(Listing.of(request.user, QueryDict(said["query"]))) if "query" in said else view.query
    view.shared = "shared" in said if "sharing" in said else view.shared
    if errors := view_errors(view, request):
        messages.warning(request, " ".join(errors))
        return HttpResponseRedirect(reverse("orders:views"))
    view.save(update_fields=["name", "query", "shared"])
    messages.success(request, f"The view “{view}” is saved.")
    return HttpResponseRedirect(view.get_absolute_url() if "query" in said else reverse("orders:views"))


@needs("view")
@require_POST
def pin(request: HttpRequest, pk: int) -> HttpResponse:
    """As a tab of one's own, or no longer."""
    view = the_view(request, pk)
    pin_view(the_user(request), view.pk, request.POST.get("pinned") == "yes")
    return HttpResponseRedirect(reverse("orders:views"))


@needs("view")
@require_POST
def removal(request: HttpRequest, pk: int) -> HttpResponse:
    view = the_view(request, pk)
    if why := view.why_no_change(request.user):
        raise PermissionDenied(why)
    view.delete()
    messages.success(request, f"The view “{view}” is removed. Its orders are where they were.")
    return HttpResponseRedirect(reverse("orders:views"))


def pin_view(user: User, pk: int, pinned: bool) -> None:
    user.pinned = [one for one in user.pinned if one != pk] + [pk] * pinned
    user.save(update_fields=["pinned"])


def the_user(request: HttpRequest) -> User:
    """Whom `needs` let in."""
    return cast(User, request.user)


def the_view(request: HttpRequest, pk: int) -> SavedView:
    return get_object_or_404(SavedView.objects.seen_by(request.user).select_related("owner"), pk=pk)

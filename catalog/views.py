"""Pages of what upstream sells and how that changes. Who may see and do what is said in panel/urls.py."""

from collections.abc import Callable
from http import HTTPStatus

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import replace_url

from accounts.trail.record import record_change
from catalog.changes import accept, hold, recent_changes, release
from catalog.favourites import star, starred
from catalog.models import Change, ChangeQuerySet, Service, SetAside, ShrinkAlarm
from catalog.service_list import ServiceList, tree_counts
from panel.format.times import clock
from panel.web.htmx import page, wants_fragment, wants_htmx
from panel.web.paging import one_more
from panel.web.params import read_number

SET_ASIDE_SHOWN = 20
CHANGES_A_PAGE = 50
INBOX_VIEWS = {"": "To decide", "held": "On hold", "decided": "Decided"}
# What a person may make of a change.
DECISIONS: dict[str, Callable[..., object]] = {
    "accepted": lambda pk, **by_and_at: accept([pk], **by_and_at),
    "held": hold,
    "released": release,
}
SERVICE_MOVED_ON = (
    "This service has moved again since the page was loaded. Nothing was decided; look at what it says now."
)


# ── Services ─────────────────────────────────────────────────────────────────────────────────────
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """The list of services beside the tree of categories; for htmx the list alone, which corrects the address."""
    services, now = ServiceList.read(request), timezone.now()
    if wants_fragment(request):
        response = page(request, "", services.page(now), fragment="catalog/_rows.html")
        return replace_url(response, services.address())
    context = {
        **services.page(now),
        "counts": tree_counts(request.user, now),
        "news": recent_changes(now),
        "alarm": ShrinkAlarm.objects.filter(closed_at=None).select_related("accepted_by").first(),
        "set_aside": SetAside.objects.all()[: SET_ASIDE_SHOWN + 1],
        "most_set_aside": SET_ASIDE_SHOWN,
    }
    return page(request, "catalog/index.html", context, fragment="catalog/_rows.html")


@require_POST
def favourite(request: HttpRequest, pk: int) -> HttpResponse:
    """Stars a service, or takes the star away: `on` is 1 or 0, so that pressing twice does not undo."""
    service, is_on = get_object_or_404(Service, pk=pk), request.POST.get("on") == "1"
    star(service, is_on, by=request.user)
    if not wants_htmx(request):
        return redirect_back(request, "catalog:index")
    context = {"service": service, "starred": is_on, "stars": starred(request.user).count()}
    return render(request, "catalog/_star_now.html", context)


@require_POST
def acceptance(request: HttpRequest, pk: int) -> HttpResponse:
    """Accepts a list that is much shorter as true, so that the next sync switches off what the list leaves out.

    Accepts only the number of missing services that stood on the page; nothing when the alarm has changed since.
    """
    alarm = get_object_or_404(ShrinkAlarm, pk=pk)
    as_seen = ShrinkAlarm.objects.filter(pk=alarm.pk, missing=read_number(request.POST.get("missing")), closed_at=None)
    with transaction.atomic():
        accepted = as_seen.filter(accepted_at=None).update(accepted_by=request.user, accepted_at=timezone.now())
        if accepted:
            record_change("list_accepted", by=request.user, missing=alarm.missing, listed=alarm.listed)
    if not accepted:
        alarm = get_object_or_404(ShrinkAlarm.objects.select_related("accepted_by"), pk=pk)
        who = f" {alarm.accepted_by} accepted it at {clock(alarm.accepted_at)}." if alarm.accepted_at else ""
        changed = f"The alarm has changed since this page was loaded.{who} Nothing was accepted; look again."
        messages.warning(request, changed)
    return redirect("catalog:index")


# ── Changes ──────────────────────────────────────────────────────────────────────────────────────
@require_safe
def changes(request: HttpRequest) -> HttpResponse:
    """The inbox of changes, newest first, in one of INBOX_VIEWS."""
    view, before = request.GET.get("view", ""), read_number(request.GET.get("before"))
    view = view if view in INBOX_VIEWS else ""
    listed = changes_in(view).for_inbox().order_by("-pk")
    shown_changes, more = one_more(listed.filter(pk__lt=before) if before else listed, CHANGES_A_PAGE)
    of_view = f"view={view}&" if view else ""
    context = {
        "changes": shown_changes,
        "view": view,
        "views": INBOX_VIEWS,
        "older": f"{request.path}?{of_view}before={shown_changes[-1].pk}" if more else "",
        "first": not before,
    }
    return render(request, "catalog/changes.html", context)


def changes_in(view: str) -> ChangeQuerySet:
    """The changes of one of INBOX_VIEWS, in no order yet."""
    if view == "held":
        return Change.objects.holding()
    return Change.objects.filter(decided_at__isnull=False) if view else Change.objects.undecided()


@require_POST
def decision(request: HttpRequest, pk: int) -> HttpResponse:
    """Accepts, holds or releases a change. Who comes too late is told so, and sees what the first made of it."""
    name = request.POST.get("decision", "")
    if name not in DECISIONS:
        raise BadRequest("A change is accepted, held or released.")
    decided = DECISIONS[name](pk, by=request.user, at=timezone.now())
    change = Change.objects.for_inbox().filter(pk=pk).first()
    late = "" if decided else too_late(change) if change else SERVICE_MOVED_ON
    if wants_htmx(request):
        status = HTTPStatus.CONFLICT if late else HTTPStatus.OK
        return render(request, "catalog/_change.html", {"change": change, "late": late}, status=status)
    if late:
        messages.warning(request, late)
    return redirect_back(request, "catalog:changes")


def too_late(change: Change) -> str:
    """What a person is told who comes after another's decision: who made it, and when."""
    if change.released_at:
        return f"{change.released_by} released it at {clock(change.released_at)}, before you. Nothing was done."
    if change.decided_at:
        return f"{change.decided_by} {change.decision} it at {clock(change.decided_at)}, before you. Nothing was done."
    return "It is not on hold. Nothing was done."


@require_POST
def acceptance_of_all(request: HttpRequest) -> HttpResponse:
    """Accepts all changes that stood on the page; those that were decided or moved again since stay as they are."""
    on_page = [read_number(pk) for pk in request.POST.getlist("change")[:CHANGES_A_PAGE]]
    now = timezone.now()
    accepted = accept(on_page, by=request.user, at=now)
    messages.success(request, f"{accepted} of {len(on_page)} accepted.")
    if accepted < len(on_page):
        others = Change.objects.filter(pk__in=on_page, decided_at__lt=now).select_related("decided_by")
        names = sorted({str(change.decided_by) for change in others})
        who = f" {', '.join(names)} decided before you." if names else ""
        messages.warning(request, f"The others were decided, or moved again, since the page was loaded.{who}")
    return redirect("catalog:changes")


def redirect_back(request: HttpRequest, page: str) -> HttpResponse:
    """To the address that the form carries in `back`, or to this page when that leads elsewhere or is missing."""
    back = request.POST.get("back", "")
    return HttpResponseRedirect(back if url_has_allowed_host_and_scheme(back, allowed_hosts=None) else reverse(page))

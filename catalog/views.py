"""Browse and search what upstream sells, and star it. Who may is said where the addresses are, in panel/urls.py."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import replace_url

from catalog.changes import accept, hold, news, release
from catalog.favourites import star, starred
from catalog.models import Change, ChangeQuerySet, Service, SetAside, ShrinkAlarm
from catalog.service_list import ServiceList, service_with_id, tree_counts
from panel.web.htmx import page, wants_fragment, wants_htmx
from panel.web.paging import one_more
from panel.web.params import read_number

FOUND_AT_MOST = 20  # in the order form's picker: more words find better than more scrolling
SET_ASIDE_SHOWN = 20


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    wanted, now = ServiceList.read(request), timezone.now()
    if wants_fragment(request):
        answer = page(request, "", wanted.page(now), fragment="catalog/_rows.html")
        return replace_url(answer, wanted.address())
    context = {
        **wanted.page(now),
        "counts": tree_counts(request.user, now),
        "news": news(now),
        "alarm": ShrinkAlarm.objects.filter(closed_at=None).select_related("accepted_by").first(),
        "set_aside": SetAside.objects.all()[: SET_ASIDE_SHOWN + 1],
        "most_set_aside": SET_ASIDE_SHOWN,
    }
    return page(request, "catalog/index.html", context, fragment="catalog/_rows.html")


@require_safe
def found(request: HttpRequest) -> HttpResponse:
    """The order form's list of services, as one types."""
    q, chosen = request.GET.get("q", ""), request.GET.get("service", "")
    return render(request, "catalog/_found.html", picker(q, chosen, request.user))


def picker(q: str, chosen: str, user: Any) -> dict[str, object]:
    """What `_found.html` wants; the chosen one stays in the list whatever is searched for.

    Before anything is typed, what this person starred stands first.
    """
    sold = Service.objects.active()
    first = list(sold.filter(pk__in=starred(user)).for_list(user)[:FOUND_AT_MOST]) if not q.strip() else []
    rest = sold.matching(q[:200]).exclude(pk__in=[service.pk for service in first])
    services = [*first, *rest.for_list(user)[: FOUND_AT_MOST - len(first)]]
    service = service_with_id(chosen, Service.objects.for_list(user))
    if service and service not in services:
        services.insert(0, service)
    return {
        "services": services,
        "q": q,
        "chosen_id": service.upstream_id if service else None,
        "total_active": sold.count(),
    }


@require_POST
def favourite(request: HttpRequest, pk: int) -> HttpResponse:
    """Stars a service, or takes the star away: `on` is 1 or 0, so that pressing twice does not undo."""
    service = get_object_or_404(Service, pk=pk)
    star(service, on := request.POST.get("on") == "1", by=request.user)
    if not wants_htmx(request):
        return HttpResponseRedirect(back(request, "catalog:index"))
    context = {"service": service, "starred": on, "stars": starred(request.user).count()}
    return render(request, "catalog/_star_now.html", context)


def back(request: HttpRequest, page: str) -> str:
    """Where the page that posted this says it was; without a script nothing else remembers the filter."""
    said = request.POST.get("back", "")
    return said if url_has_allowed_host_and_scheme(said, allowed_hosts=None) else reverse(page)


@require_POST
def acceptance(request: HttpRequest, pk: int) -> HttpResponse:
    """A manager says that the shorter list is true: the next sync switches off what it leaves out."""
    alarm = get_object_or_404(ShrinkAlarm, pk=pk)
    # The yes is to the number that stood on the page, whatever the alarm says by now.
    as_seen = ShrinkAlarm.objects.filter(pk=alarm.pk, missing=read_number(request.POST.get("missing")), closed_at=None)
    if not as_seen.filter(accepted_at=None).update(accepted_by=request.user, accepted_at=timezone.now()):
        messages.warning(request, "The alarm has changed since this page was loaded. Nothing was accepted; look again.")
    return HttpResponseRedirect(reverse("catalog:index"))


CHANGES_A_PAGE = 50
INBOX_VIEWS = {"": "To decide", "held": "On hold", "decided": "Decided"}
# What may be made of a change: how, and what a person is told when it was too late for that.
DECISIONS: dict[str, tuple[Callable[..., object], str]] = {
    "accepted": (lambda pk, **who: accept([pk], **who), "Somebody decided about this before you."),
    "held": (hold, "Somebody decided about this before you."),
    "released": (release, "It was not on hold any more."),
}
SERVICE_MOVED_ON = (
    "This service has moved again since the page was loaded. Nothing was decided; look at what it says now."
)


@require_safe
def changes(request: HttpRequest) -> HttpResponse:
    view = request.GET.get("view", "") if request.GET.get("view") in INBOX_VIEWS else ""
    before = read_number(request.GET.get("before"))
    found = changes_in(view).for_inbox()
    rows, more = one_more((found.filter(pk__lt=before) if before else found).order_by("-pk"), CHANGES_A_PAGE)
    context = {
        "changes": rows,
        "view": view,
        "views": INBOX_VIEWS,
        "older": inbox_address(view, rows[-1].pk) if more else "",
        "first": not before,
    }
    return render(request, "catalog/changes.html", context)


def inbox_address(view: str, before: int) -> str:
    return f"{reverse('catalog:changes')}?{urlencode({'view': view, 'before': before} if view else {'before': before})}"


def changes_in(view: str) -> ChangeQuerySet:
    if view == "held":
        return Change.objects.holding()
    return Change.objects.filter(decided_at__isnull=False) if view else Change.objects.undecided()


@require_POST
def decision(request: HttpRequest, pk: int) -> HttpResponse:
    """What a person makes of one change; who comes second is told, and sees what the first made of it."""
    if (asked := request.POST.get("decision", "")) not in DECISIONS:
        raise BadRequest("A change is accepted, held or released.")
    decide, too_late = DECISIONS[asked]
    done = decide(pk, by=request.user, at=timezone.now())
    change = Change.objects.for_inbox().filter(pk=pk).first()
    late = "" if done else too_late if change else SERVICE_MOVED_ON
    if wants_htmx(request):
        status = HTTPStatus.CONFLICT if late else HTTPStatus.OK
        return render(request, "catalog/_change.html", {"change": change, "late": late}, status=status)
    if late:
        messages.warning(request, late)
    return HttpResponseRedirect(back(request, "catalog:changes"))


@require_POST
def acceptance_of_all(request: HttpRequest) -> HttpResponse:
    """Accepts all that stood on the page; what moved on or was decided meanwhile stays as it is."""
    shown = [read_number(pk) for pk in request.POST.getlist("change")[:CHANGES_A_PAGE]]
    accepted = accept(shown, by=request.user, at=timezone.now())
    messages.success(request, f"{accepted} of {len(shown)} accepted.")
    if accepted < len(shown):
        messages.warning(request, "The others were decided, or moved again, since the page was loaded.")
    return HttpResponseRedirect(reverse("catalog:changes"))

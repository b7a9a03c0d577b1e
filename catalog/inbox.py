"""The inbox of changes: what moved, to accept or to hold. Who may is said where the addresses are, in panel/urls.py."""

from collections.abc import Callable
from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from catalog.changes import accept, hold, release
from catalog.models import Change, ChangeQuerySet
from catalog.views import back
from panel.web.htmx import wants_htmx
from panel.web.params import number

ROWS_A_PAGE = 50
VIEWS = {"": "To decide", "held": "On hold", "decided": "Decided"}
# What may be made of a change: how, and what a person is told when it was too late for that.
DECISIONS: dict[str, tuple[Callable[..., object], str]] = {
    "accepted": (lambda pk, **who: accept([pk], **who), "Somebody decided about this before you."),
    "held": (hold, "Somebody decided about this before you."),
    "released": (release, "It was not on hold any more."),
}
MOVED_ON = "This service has moved again since the page was loaded. Nothing was decided; look at what it says now."


@require_safe
def changes(request: HttpRequest) -> HttpResponse:
    view = request.GET.get("view", "") if request.GET.get("view") in VIEWS else ""
    before = number(request.GET.get("before"))
    found = changes_in(view).for_inbox()
    rows = list((found.filter(pk__lt=before) if before else found).order_by("-pk")[: ROWS_A_PAGE + 1])
    context = {
        "changes": rows[:ROWS_A_PAGE],
        "view": view,
        "views": VIEWS,
        "older": address(view, rows[ROWS_A_PAGE - 1].pk) if len(rows) > ROWS_A_PAGE else "",
        "first": not before,
    }
    return render(request, "catalog/changes.html", context)


def address(view: str, before: int) -> str:
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
    late = "" if done else too_late if change else MOVED_ON
    if wants_htmx(request):
        return render(request, "catalog/_change.html", {"change": change, "late": late}, status=409 if late else 200)
    if late:
        messages.warning(request, late)
    return HttpResponseRedirect(back(request, "catalog:changes"))


@require_POST
def acceptance(request: HttpRequest) -> HttpResponse:
    """Accepts all that stood on the page; what moved on or was decided meanwhile stays as it is."""
    shown = [number(pk) for pk in request.POST.getlist("change")[:ROWS_A_PAGE]]
    accepted = accept(shown, by=request.user, at=timezone.now())
    messages.success(request, f"{accepted} of {len(shown)} accepted.")
    if accepted < len(shown):
        messages.warning(request, "The others were decided, or moved again, since the page was loaded.")
    return HttpResponseRedirect(reverse("catalog:changes"))

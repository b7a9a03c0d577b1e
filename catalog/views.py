"""Browse and search what upstream sells. Who may is said where the addresses are, in panel/urls.py."""

from django.contrib import messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from catalog.models import Service, SetAside, ShrinkAlarm
from panel.htmx import page
from panel.query import number

ROWS_A_PAGE = 100
FOUND_AT_MOST = 20  # in the order form's picker: more words find better than more scrolling
SET_ASIDE_SHOWN = 20


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    q, category = request.GET.get("q", "")[:200], request.GET.get("category", "").replace("\0", "")
    # Who searches for a service by its id may look for one that is gone: orders lead here.
    services = (Service.objects.all() if q else Service.objects.active()).matching(q)
    if category:
        services = services.filter(category=category)
    rows = list(after(services, request.GET.get("after", "")).order_by("category", "upstream_id")[: ROWS_A_PAGE + 1])
    more = ""
    if len(rows) > ROWS_A_PAGE:
        rows.pop()
        query = request.GET.copy()
        query["after"] = str(rows[-1].upstream_id)
        more = f"{request.path}?{query.urlencode()}"
    context = {
        "services": rows,
        "q": q,
        "category": category,
        "categories": Service.objects.active().order_by("category").values_list("category", flat=True).distinct(),
        "more": more,
        "alarm": ShrinkAlarm.objects.filter(closed_at=None).first(),
        "set_aside": SetAside.objects.all()[: SET_ASIDE_SHOWN + 1],
        "most_set_aside": SET_ASIDE_SHOWN,
        "total": Service.objects.active().count(),
    }
    return page(request, "catalog/index.html", context, fragment="catalog/_rows.html")


def after(services: QuerySet[Service], upstream_id: str) -> QuerySet[Service]:
    """What comes behind that service, by category and id; all of it when there is no such service."""
    last = one(upstream_id)
    if last is None:
        return services
    behind = Q(category=last.category, upstream_id__gt=last.upstream_id)
    return services.filter(Q(category__gt=last.category) | behind)


@require_safe
def found(request: HttpRequest) -> HttpResponse:
    """The order form's list of services, as one types."""
    return render(request, "catalog/_found.html", picker(request.GET.get("q", ""), request.GET.get("service", "")))


def picker(q: str, chosen: str) -> dict[str, object]:
    """What `_found.html` wants; the chosen one stays in the list whatever is searched for."""
    sold = Service.objects.active()
    services = list(sold.matching(q[:200]).order_by("category", "upstream_id")[:FOUND_AT_MOST])
    service = one(chosen)
    if service and service not in services:
        services.insert(0, service)
    return {
        "services": services,
        "q": q,
        "chosen_id": service.upstream_id if service else None,
        "total_active": sold.count(),
    }


def one(upstream_id: str) -> Service | None:
    """The service with upstream's number, if there is one; anything else is None."""
    wanted = number(upstream_id)
    return Service.objects.filter(upstream_id=wanted).first() if wanted else None


@require_POST
def acceptance(request: HttpRequest, pk: int) -> HttpResponse:
    """A manager says that the shorter list is true: the next sync switches off what it leaves out."""
    alarm = get_object_or_404(ShrinkAlarm, pk=pk)
    # The yes is to the number that stood on the page, whatever the alarm says by now.
    as_seen = ShrinkAlarm.objects.filter(pk=alarm.pk, missing=number(request.POST.get("missing")), closed_at=None)
    if not as_seen.filter(accepted_at=None).update(accepted_by=request.user, accepted_at=timezone.now()):
        messages.warning(request, "The alarm has changed since this page was loaded. Nothing was accepted; look again.")
    return HttpResponseRedirect(reverse("catalog:index"))

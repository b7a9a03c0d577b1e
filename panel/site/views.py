"""Home, health, and the pages for when something is wrong."""

from http import HTTPStatus
from typing import Any

from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.access import needs
from panel.site.status_bar import StatusBar
from panel.upstream.models import SILENT_AFTER


@require_safe
@needs("view")
def home(request: HttpRequest) -> HttpResponse:
    return redirect("orders:index")


@require_safe
@never_cache
def healthz(request: HttpRequest) -> HttpResponse:
    """Whether this process answers; asks nothing else, so that a balancer does not kill it for the database's sake."""
    return HttpResponse("ok\n", content_type="text/plain")


@require_safe
@never_cache
def ready(request: HttpRequest) -> HttpResponse:
    """Whether the desk can do its work, in words: 200, or 503 when the database or every worker is silent.

    Upstream's age is told but does not make the desk unready: pages serve from the database whatever upstream does.
    """
    words, well = readiness()
    return JsonResponse(words, status=HTTPStatus.OK if well else HTTPStatus.SERVICE_UNAVAILABLE)


def readiness() -> tuple[dict[str, str], bool]:
    """Database, worker and upstream, each a sentence; and whether the first two are well."""
    try:
        connection.ensure_connection()
        bar = StatusBar()
        spoke_at, worker_at, silent, undone = bar.spoke_at, bar.worker_at, bar.worker_silent, bar.undone
    except DatabaseError:
        return {"database": "does not answer", "worker": "not known", "upstream": "not known"}, False
    trouble = f"; now: {bar.trouble}" if bar.trouble else ""
    words = {
        "database": "answers",
        "worker": f"last beat {age_words(worker_at)}"
        + (f", silent for over {SILENT_AFTER.seconds} s" if silent else "")
        + (f"; none {undone}" if undone else ""),
        "upstream": f"last answered {age_words(spoke_at)}{trouble}",
    }
    return words, not (silent or undone)


def age_words(at: Any) -> str:
    """`12 s ago`, or `never`."""
    return f"{max(0, round((timezone.now() - at).total_seconds()))} s ago" if at else "never"


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return render(request, "site/400.html", status=HTTPStatus.BAD_REQUEST)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    why = str(exception) or "This is not open to you."
    return render(request, "site/403.html", {"why": why}, status=HTTPStatus.FORBIDDEN)


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return render(request, "site/404.html", status=HTTPStatus.NOT_FOUND)


def server_error(request: HttpRequest) -> HttpResponse:
    """Leans on nothing: no request, no database."""
    return HttpResponse(render_to_string("site/500.html"), status=HTTPStatus.INTERNAL_SERVER_ERROR)


def stale_form(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form that was open too long, or whose cookie is gone: nothing was done, and it can be sent again."""
    return render(request, "site/stale_form.html", status=HTTPStatus.FORBIDDEN)

"""The home page, the health checks, and the error pages."""

import sys
from contextlib import suppress
from datetime import datetime
from http import HTTPStatus

from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.access import needs
from panel.ops.start import uncollected, unmigrated
from panel.site.status_bar import StatusBar
from panel.upstream.models import SILENT_AFTER


@require_safe
@needs("view")
def home(request: HttpRequest) -> HttpResponse:
    """Redirects to the orders."""
    return redirect("orders:index")


@require_safe
@never_cache
def healthz(request: HttpRequest) -> HttpResponse:
    """200 while this process answers. Reads no database: a load balancer must not kill us while that is away."""
    return HttpResponse("ok\n", content_type="text/plain")


@require_safe
@never_cache
def ready(request: HttpRequest) -> HttpResponse:
    """Whether the desk can do its work, in words: 200, or 503 when the database is away or lacks tables, a role has no
    worker, or no page can be shown (`pages`, which is there only then).

    Trouble with upstream is told but does not make the desk unready, because pages come from the database.
    """
    bar = StatusBar()
    try:
        connection.ensure_connection()
        lacks = unmigrated()
        silent, undone = (bar.worker_silent, bar.undone) if not lacks else (False, "")
    except DatabaseError:
        lacks = "does not answer"
    if lacks:
        words = {"database": lacks, "worker": "not known", "upstream": "not known"}
        return JsonResponse(words, status=HTTPStatus.SERVICE_UNAVAILABLE)
    silence = f", silent for over {SILENT_AFTER.seconds} s" if silent else ""
    words = {
        "database": "answers",
        "worker": f"last beat {age_words(bar.worker_at)}{silence}" + (f"; none {undone}" if undone else ""),
        "upstream": f"last answered {age_words(bar.spoke_at)}" + (f"; now: {bar.trouble}" if bar.trouble else ""),
    }
    if no_pages := uncollected():
        words["pages"] = no_pages
    well = not (silent or undone or no_pages)
    return JsonResponse(words, status=HTTPStatus.OK if well else HTTPStatus.SERVICE_UNAVAILABLE)


def age_words(at: datetime | None) -> str:
    """`12 s ago`, or `never` for None."""
    return f"{max(0, round((timezone.now() - at).total_seconds()))} s ago" if at else "never"


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler400."""
    return render(request, "site/400.html", status=HTTPStatus.BAD_REQUEST)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler403: shows the reason that the exception gives."""
    why = str(exception) or "This is not open to you."
    return render(request, "site/403.html", {"why": why}, status=HTTPStatus.FORBIDDEN)


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler404."""
    return render(request, "site/404.html", status=HTTPStatus.NOT_FOUND)


def server_error(request: HttpRequest) -> HttpResponse:
    """Django's handler500. Needs neither the request nor the database, either of which may be what broke.

    Where the desk was not made ready for this version, it says what to do, with 503.
    """
    why = uncollected()
    if isinstance(sys.exception(), DatabaseError):
        with suppress(DatabaseError):
            why = why or unmigrated()
    if why:
        page = render_to_string("site/unready.html", {"why": why})
        return HttpResponse(page, status=HTTPStatus.SERVICE_UNAVAILABLE)
    return HttpResponse(render_to_string("site/500.html"), status=HTTPStatus.INTERNAL_SERVER_ERROR)


def stale_form(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Django's CSRF_FAILURE_VIEW: a form was open too long or its cookie is gone, nothing was done, send it again."""
    return render(request, "site/stale_form.html", status=HTTPStatus.FORBIDDEN)

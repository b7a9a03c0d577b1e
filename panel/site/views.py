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
from django.views.decorators.http import require_safe

from accounts.access import may, needs
from accounts.sign_in.record import record_forbidden
from panel.ops.outages import outage_of
from panel.ops.start import uncollected, unmigrated
from panel.ops.write_probe import why_no_write
from panel.site.failures import answer_failure, is_secret, typed_fields
from panel.site.status_bar import StatusBar
from panel.upstream.models import SILENT_AFTER


@require_safe
@needs("view")
def home(request: HttpRequest) -> HttpResponse:
    """Redirects to the orders."""
    return redirect("orders:index")


@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """200 while this process answers. Reads no database: a load balancer must not kill us while that is away."""
    return HttpResponse("ok\n", content_type="text/plain; charset=utf-8")


@require_safe
def ready(request: HttpRequest) -> HttpResponse:
    """Whether the desk can do its work, in words: 200, or 503 when the database is away, lacks tables or takes nothing,
    a role has no worker, or no page can be shown (`pages`, which is there only then).

    Trouble with upstream does not make the desk unready, because pages come from the database. It is told to people of
    the team alone, as everything is that concerns the supplier.
    """
    bar, of_the_team = StatusBar(), False
    try:
        connection.ensure_connection()
        lacks = unmigrated()
        silent, undone = (bar.worker_silent, bar.undone) if not lacks else (False, "")
        outage = why_no_write() if not lacks else None
        of_the_team = not lacks and may(request.user, "view")
    except DatabaseError as error:
        outage = outage_of(error)
        lacks = "does not answer" + (f". {outage.title}. {outage.advice}" if outage else "")
    if lacks:
        words = {"database": lacks, "worker": "not known"}
        return JsonResponse(words, status=HTTPStatus.SERVICE_UNAVAILABLE)
    silence = f", silent for over {SILENT_AFTER.seconds} s" if silent else ""
    words = {
        "database": f"answers, but nothing can be written. {outage.title}. {outage.advice}" if outage else "answers",
        "worker": f"last beat {age_words(bar.worker_at)}{silence}" + (f"; none {undone}" if undone else ""),
    }
    if of_the_team:
        words["upstream"] = f"last answered {age_words(bar.spoke_at)}" + (
            f"; now: {bar.trouble}" if bar.trouble else ""
        )
    if no_pages := uncollected():
        words["pages"] = no_pages
    unready = silent or undone or outage or no_pages
    return JsonResponse(words, status=HTTPStatus.SERVICE_UNAVAILABLE if unready else HTTPStatus.OK)


def age_words(at: datetime | None) -> str:
    """`12 s ago`, or `never` for None."""
    return f"{max(0, round((timezone.now() - at).total_seconds()))} s ago" if at else "never"


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler400."""
    return error_page(request, HTTPStatus.BAD_REQUEST, "site/400.html")


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler403: shows the reason that the exception gives, and records what a person may not do."""
    why = str(exception) or "You have no access to this."
    with suppress(DatabaseError):  # the page says no all the same
        record_forbidden(request)
    # The right may have gone while a form was open: what was typed there is shown back, to be copied.
    sent = typed_fields(request) if request.method == "POST" else []
    typed = [(name, value) for name, value in sent if not is_secret(name) and not name.startswith("proof_")]
    return error_page(request, HTTPStatus.FORBIDDEN, "site/403.html", why=why, typed=typed)


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler404."""
    return error_page(request, HTTPStatus.NOT_FOUND, "site/404.html")


def stale_form(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Django's CSRF_FAILURE_VIEW: a form was open too long or its cookie is gone, nothing was done, send it again."""
    return error_page(request, HTTPStatus.FORBIDDEN, "site/stale_form.html")


def error_page(request: HttpRequest, status: HTTPStatus, template: str, **context: object) -> HttpResponse:
    """A page of the desk that says what is wrong with a request, or what is wrong with the database that it needs."""
    try:
        return render(request, template, context, status=status)
    except DatabaseError as error:
        if answer := answer_failure(request, error):
            return answer
        raise


def server_error(request: HttpRequest) -> HttpResponse:
    """Django's handler500. Needs neither the request nor the database, either of which may be what broke.

    Failures in a middleware come here alone, so the failures that are no mistake of ours are answered here too. Where
    the desk was not made ready for this version, it says what to do, with 503.
    """
    why = uncollected()
    error = sys.exception()
    if answer := None if why else answer_failure(request, error):
        return answer
    if isinstance(error, DatabaseError):
        with suppress(DatabaseError):
            why = why or unmigrated()
    if why:
        page = render_to_string("site/unready.html", {"why": why})
        return HttpResponse(page, status=HTTPStatus.SERVICE_UNAVAILABLE)
    return HttpResponse(render_to_string("site/500.html"), status=HTTPStatus.INTERNAL_SERVER_ERROR)

"""The page of saved reports, and the presses that save, change, mail and remove them."""

from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from accounts.access import needs
from orders.models import ReportMail, SavedView
from orders.models.saved_view import VIEWS_A_PERSON
from orders.reports.period import COMPARED, PRESETS, SPLITS, Period
from orders.reports.views import splits_for
from orders.rules.refusal import Refusal
from orders.saved_reports import keep
from orders.table.replies import refusal_of

LISTED_REPORTS = 5 * VIEWS_A_PERSON  # on the page, which has no further pages


@needs("view")
@require_http_methods(["GET", "HEAD", "POST"])
def saved_reports(request: HttpRequest) -> HttpResponse:
    """The person's own reports and those that teammates share; posted, saves another."""
    name, query, shared, trouble = "", "", False, ""
    if request.method == "POST":
        form = request.POST
        name, shared, query = form.get("name", ""), "shared" in form, kept_query(request.user, form.get("query", ""))
        try:
            view = keep.save(name, query, shared=shared, by=request.user)
        except Refusal as no:
            trouble = str(no)
        else:
            messages.success(request, f"The report “{view}” is saved.")
            return redirect(view)
    views = SavedView.objects.seen_by(request.user).of_reports().select_related("owner")[:LISTED_REPORTS]
    mails = {mail.view_id: mail for mail in ReportMail.objects.filter(person=request.user.pk or 0)}
    user = request.user
    rows = [(view, words_of(view, user), mails.get(view.pk), view.why_no_change(user)) for view in views]
    context = {"reports": rows, "name": name, "query": query, "shared": shared, "trouble": trouble,
               "mails": settings.EMAIL_CONFIGURED}  # fmt: skip
    status = HTTPStatus.UNPROCESSABLE_ENTITY if trouble else HTTPStatus.OK
    return render(request, "orders/saved_reports/index.html", context, status=status)


@needs("view")
@require_POST
def saved_report(request: HttpRequest, pk: int) -> HttpResponse:
    """Changes the name, the sharing or the report itself: whichever of them the form has."""
    view, form = visible_report(request, pk), request.POST
    query = kept_query(request.user, form["query"]) if "query" in form else view.query
    name, shared = form.get("name", view.name), "shared" in form if "sharing" in form else view.shared
    if why := refusal_of(lambda: keep.change(view, by=request.user, name=name, query=query, shared=shared)):
        messages.warning(request, why)
        return redirect("saved_reports")
    messages.success(request, f"The report “{view}” is saved.")
    return redirect(view if "query" in form else "saved_reports")


@needs("view")
@require_POST
def saved_report_mail(request: HttpRequest, pk: int) -> HttpResponse:
    """Ticks or unticks that the person is mailed the report every Monday."""
    view, wanted = visible_report(request, pk), request.POST.get("mail") == "yes"
    if why := refusal_of(lambda: keep.set_mail(view, wanted=wanted, by=request.user, now=timezone.now())):
        messages.warning(request, why)
    elif wanted:
        messages.success(request, f"“{view}” is mailed to {request.user.email} every Monday.")  # type: ignore[union-attr]
    else:
        messages.success(request, f"“{view}” is not mailed to you.")
    return redirect("saved_reports")


@needs("view")
@require_POST
def saved_report_removal(request: HttpRequest, pk: int) -> HttpResponse:
    """Deletes a saved report. Its figures stay."""
    view = visible_report(request, pk)
    if why := refusal_of(lambda: keep.remove(view, by=request.user)):
        messages.warning(request, why)
    else:
        messages.success(request, f"The report “{view}” is removed. Its figures are where they were.")
    return redirect("saved_reports")


def visible_report(request: HttpRequest, pk: int) -> SavedView:
    """The saved report with this id, if the person may see it; else 404."""
    return get_object_or_404(SavedView.objects.seen_by(request.user).of_reports().select_related("owner"), pk=pk)


def kept_query(user: Any, query: str) -> str:
    """What is kept of a report's address: what makes sense of it, for this person."""
    return Period.read(QueryDict(query).dict(), splits_for(user)).kept


def words_of(view: SavedView, user: Any) -> str:
    """What a saved report shows: `Services, 28 days, compared with the same number of days before`."""
    period = Period.read(QueryDict(view.query).dict(), splits_for(user))
    days = PRESETS.get(period.preset, period.words)
    compared = "" if period.compared == "no" else f", compared with {COMPARED[period.compared]}"
    return f"{SPLITS[period.split]}, {days}, by {period.by}{compared}"

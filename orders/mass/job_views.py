"""The pages of lists that were placed: the receipt, what is done about what waits, and the list of lists."""

from collections.abc import Callable
from typing import Any

from django.db.models import Count, OuterRef, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from accounts.access import needs
from orders.mass import job as jobs
from orders.mass import receipt
from orders.mass.draft import mend_refused, order_again
from orders.models import MassDraft, MassJob, Task
from orders.rules.refusal import Refusal
from orders.table.replies import redirect_back, refusal_of
from panel.format.numbers import number
from panel.web.htmx import page
from panel.web.paging import one_more
from panel.web.params import read_number
from panel.web.polling import bar_moved, bar_of, unchanged, with_times

JOBS_A_PAGE = 50
# What is done about orders that wait → the verb, and what is said of how many.
VERBS: dict[str, tuple[Any, str]] = {
    "stop": (jobs.stop, "{} held back. Send or drop them when you like; what is sent stays sent."),
    "send": (jobs.send_on, "{} sent as soon as the worker comes to them."),
    "drop": (jobs.take_back, "{} taken back. Nothing of them was sent."),
}


@needs("view")
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """The lists, newest first, each with how many of its orders are not sent yet."""
    waiting = Task.objects.filter(order__mass_line__job=OuterRef("pk"), kind=Task.Kind.PLACE, settled_at=None)
    count = Subquery(waiting.order_by().values("order__mass_line__job").annotate(count=Count("pk")).values("count"))
    found = MassJob.objects.select_related("placed_by").annotate(open=Coalesce(count, 0))
    if before := read_number(request.GET.get("before")):
        found = found.filter(pk__lt=before)
    rows, more = one_more(found, JOBS_A_PAGE)
    older = f"{request.path}?before={rows[-1].pk}" if more else ""
    return render(request, "orders/mass/index.html", {"lists": rows, "older": older})


@needs("view")
@require_safe
def show(request: HttpRequest, pk: int) -> HttpResponse:
    """The receipt of a list. Its open page polls it with the version it shows: 204 while that is unchanged."""
    counts = receipt.Counts(pk)
    if no_content := unchanged(request, counts.version):
        return with_times(request, no_content)
    job = get_object_or_404(MassJob.objects.select_related("placed_by"), pk=pk)
    due_at = counts.next_at("waiting")
    context = {
        "job": job, "counts": counts, "results": receipt.RESULTS, "bar_changed": bar_moved(request),
        "page": receipt.Page.of(job, request.GET.get("result", ""), read_number(request.GET.get("page"))),
        "left": receipt.left_lines(job) if job.left else [],
        # While all of them still have their time to be undone.
        "undo_until": due_at if due_at and counts.untouched and due_at > timezone.now() else None,
    }  # fmt: skip
    return with_times(
        request, page(request, "orders/mass/receipt.html", context, fragment="orders/mass/_receipt_now.html")
    )


@needs("export")
@require_safe
def as_csv(request: HttpRequest, pk: int) -> HttpResponse:
    """The receipt of a list as a CSV file, with all its lines."""
    job = get_object_or_404(MassJob.objects.select_related("placed_by"), pk=pk)
    # Not streamed: what is written later would no longer know whether its reader may see money.
    response = HttpResponse("".join(receipt.as_csv(job)), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="list-{job.pk}.csv"'
    return response


@needs("place")
@require_POST
def waiting(request: HttpRequest, pk: int) -> HttpResponse:
    """Stops, sends or drops what was not sent of a list. `then` is one of VERBS."""
    job = get_object_or_404(MassJob, pk=pk)
    verb, done = VERBS.get(request.POST.get("then", ""), VERBS["stop"])
    count = 0

    def act() -> None:
        nonlocal count
        count = verb(job, by=request.user)

    why = refusal_of(act)
    orders = f"{number(count)} {'order is' if count == 1 else 'orders are'}"
    later = " Sending is stopped now; they wait for it." if bar_of(request).stopped_at and verb is jobs.send_on else ""
    return redirect_back(request, why, done.format(orders) + later)


@needs("place")
@require_POST
def mending(request: HttpRequest, pk: int) -> HttpResponse:
    """Opens the check of the lines that the supplier refused, as a new list with request ids of its own."""
    return draft_or_back(request, pk, mend_refused)


@needs("place")
@require_POST
def repetition(request: HttpRequest, pk: int) -> HttpResponse:
    """Opens the check of all lines that became orders, as a new list."""
    return draft_or_back(request, pk, order_again)


def draft_or_back(request: HttpRequest, pk: int, verb: Callable[..., MassDraft]) -> HttpResponse:
    """Leads to the draft that the verb makes of the list, or back with why it made none."""
    job = get_object_or_404(MassJob, pk=pk)
    try:
        return redirect(verb(job, by=request.user))
    except Refusal as refusal:
        return redirect_back(request, str(refusal), "")

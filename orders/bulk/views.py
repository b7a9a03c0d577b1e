"""Many orders at once, on the screen: what is picked, its dry run, the press, and the receipt that stays."""

from http import HTTPStatus
from itertools import chain, islice
from typing import Any

from django.db.models import Count, OuterRef, Subquery
from django.db.models.functions import Coalesce
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseRedirect,
    QueryDict,
    StreamingHttpResponse,
)
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.access import needs
from orders.bulk import job as jobs
from orders.bulk import receipt
from orders.bulk.dry_run import dry_run
from orders.bulk.selection import MOST_ORDERS, Selection
from orders.models import Bulk, Order, Task
from orders.rules.refusal import Refusal
from orders.table.listing import Listing
from orders.table.paging import SORTS, all_ids
from orders.table.paging import matching as fitting
from orders.table.pasted_ids import PASTED_CHARACTERS, PastedOrders, find_orders
from orders.table.replies import redirect_back, refusal_of
from panel.format.numbers import number
from panel.web.htmx import page
from panel.web.paging import one_more
from panel.web.params import read_number
from panel.web.polling import bar_moved, unchanged, with_times

JOBS_A_PAGE = 50
UNKNOWN_SHOWN = 200  # of each kind of what was not found
READ_AT_ONCE = 2_000  # orders that are looked through for those that match
MOST_OF_A_FILTER = 900  # characters of its query string; Django gives up at a thousand fields
NOTHING_FOUND = PastedOrders([], [], [])


# ── The dry run ──────────────────────────────────────────────────────────────────────────────────
@needs("place")
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """The box to paste into; posted, the dry run of what was pasted, ticked, or matches a filter."""
    context = blank_context(request.POST)
    if request.method == "POST":
        try:
            context["found"] = pasted_in(request)
            selection = selection_in(request, context["found"])
        except Refusal as no:
            return refused(request, context, no)
        context |= {"selection": selection, "run": dry_run(selection)}
    return render(request, "orders/bulk/new.html", context)


def blank_context(typed: QueryDict) -> dict[str, Any]:
    """What `orders/bulk/new.html` wants before anything is picked."""
    kind = typed.get("kind", "")
    return {
        "selection": None, "run": None, "found": NOTHING_FOUND, "why": "", "most": MOST_ORDERS, "shown": UNKNOWN_SHOWN,
        "text": typed.get("text", "")[:PASTED_CHARACTERS], "kind": kind if kind in Task.AFTERSALE else Task.Kind.REFILL,
    }  # fmt: skip


def refused(request: HttpRequest, context: dict[str, Any], why: Refusal) -> HttpResponse:
    """The form as it was sent, with the reason why nothing came of it."""
    context["why"] = str(why)
    return render(request, "orders/bulk/new.html", context, status=HTTPStatus.UNPROCESSABLE_ENTITY)


def pasted_in(request: HttpRequest) -> PastedOrders:
    """What a pasted text holds; nothing when there is none."""
    text = request.POST.get("text", "")
    if len(text) > PASTED_CHARACTERS:
        raise Refusal(f"This text has {number(len(text))} characters; up to {number(PASTED_CHARACTERS)} are read.")
    return find_orders(text, request.user)


def selection_in(request: HttpRequest, found: PastedOrders) -> Selection:
    """The orders that a form names: what a job was refused, what was found, all that match, or what is ticked."""
    said, kind = request.POST, request.POST.get("kind", "")
    if "again" in said:
        bulk = get_object_or_404(Bulk, pk=read_number(said["again"]))
        return Selection.of(bulk.kind, jobs.refused_orders(bulk), f"refused in job {bulk.pk}")
    if "text" in said:
        if not found.orders:
            raise Refusal("No order was found in this text.")
        return Selection.of(kind, found.orders, "found in a pasted text")
    if said.get("which") == "all":
        listing = Listing.of(request.user, QueryDict(said.get("match", "")[:MOST_OF_A_FILTER]))
        pks = matching_ids(listing)
        if len(pks) > MOST_ORDERS:
            raise Refusal(too_many_match())
        return Selection.of(kind, pks, f"all {len(pks):,} {listing.matching}")
    ticked = {read_number(pk) for pk in said.getlist("order")}
    seen = Order.objects.seen_by(request.user).filter(pk__in=ticked).values_list("pk", flat=True)
    return Selection.of(kind, seen, "ticked on the orders page")


def matching_ids(listing: Listing) -> list[int]:
    """All that match, newest first; one more than may go stands for any number more."""
    portions = all_ids(listing.list_query, SORTS[""], READ_AT_ONCE)
    fit = chain.from_iterable(fitting(pks, listing.list_query) for pks in portions)
    return list(islice(fit, MOST_ORDERS + 1))


def too_many_match() -> str:
    most = number(MOST_ORDERS)
    return f"More than {most} orders match; at most {most} go in one job. Narrow the filter."


@needs("place")
@require_safe
def matching(request: HttpRequest) -> HttpResponse:
    """How many orders match the filter of an open page: asked for when somebody ticks, so that no page waits for it."""
    listing = Listing.read(request)
    count = len(matching_ids(listing))
    context = {"count": count, "words": listing.matching, "why": too_many_match() if count > MOST_ORDERS else ""}
    return render(request, "orders/bulk/_matching.html", context)


@needs("place")
@require_POST
def confirmation(request: HttpRequest) -> HttpResponse:
    """Asks of exactly the orders that the dry run showed; the rule is asked once more for each."""
    try:
        bulk = jobs.start_job(Selection.read(request.POST.get("picked", "")), by=request.user)
    except Refusal as no:
        return refused(request, blank_context(request.POST), no)
    return HttpResponseRedirect(bulk.get_absolute_url())


# ── Receipts ─────────────────────────────────────────────────────────────────────────────────────
@needs("view")
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """The jobs, newest first."""
    waiting = Task.objects.filter(bulk=OuterRef("pk"), settled_at=None).order_by().values("bulk")
    open_ = Coalesce(Subquery(waiting.annotate(count=Count("pk")).values("count")), 0)
    bulks = Bulk.objects.defer("left_out").select_related("asked_by").annotate(open=open_)
    if before := read_number(request.GET.get("before")):
        bulks = bulks.filter(pk__lt=before)
    rows, more = one_more(bulks, JOBS_A_PAGE)
    older = f"{request.path}?before={rows[-1].pk}" if more else ""
    return render(request, "orders/bulk/index.html", {"bulks": rows, "older": older})


@needs("view")
@require_safe
def show(request: HttpRequest, pk: int) -> HttpResponse:
    """One job; asked by its own open page with the version that it has, 204 when that is still so."""
    counts = receipt.ReceiptCounts(pk)
    if same := unchanged(request, counts.version):
        return with_times(request, same)
    bulk = get_object_or_404(Bulk.objects.select_related("asked_by"), pk=pk)
    shown = receipt.ReceiptPage.of(bulk, request.GET.get("result", ""), read_number(request.GET.get("after")))
    context = {
        "bulk": bulk, "counts": counts, "page": shown, "results": receipt.RESULTS, "bar_changed": bar_moved(request),
        "left_out": list(bulk.left_out.items())[: receipt.LEFT_OUT_LINES],
    }  # fmt: skip
    response = page(request, "orders/bulk/receipt.html", context, fragment="orders/bulk/_receipt_now.html")
    return with_times(request, response)


@needs("view")
@require_safe
def as_csv(request: HttpRequest, pk: int) -> HttpResponseBase:
    bulk = get_object_or_404(Bulk.objects.select_related("asked_by"), pk=pk)
    response = StreamingHttpResponse(receipt.as_csv(bulk), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{bulk.kind}-job-{bulk.pk}.csv"'
    return response


@needs("place")
@require_POST
def tries(request: HttpRequest, pk: int) -> HttpResponse:
    """Once more what got no clear answer, by this press alone."""
    bulk = get_object_or_404(Bulk, pk=pk)
    why = refusal_of(lambda: jobs.retry_unclear(bulk, by=request.user))
    return redirect_back(request, why, "What got no clear answer is asked for once more.")

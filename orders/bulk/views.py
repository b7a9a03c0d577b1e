"""The pages of jobs: what is selected, its dry run, the press that starts the job, and the receipts."""

from http import HTTPStatus
from itertools import chain, islice
from typing import Any

from django.db.models import Count, OuterRef, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse, HttpResponseBase, QueryDict, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.access import needs
from orders.answers.texts import language_of
from orders.answers.worklist import Answers, keep_worklist
from orders.bulk import job as jobs
from orders.bulk import receipt
from orders.bulk.dry_run import dry_run
from orders.bulk.message import marked_message, message_rows
from orders.bulk.selection import ANSWER, KINDS, MOST_ORDERS, Selection
from orders.models import Bulk, Order, Task
from orders.rules.refusal import NotAllowed, Refusal, require_allowed
from orders.table import paging
from orders.table.listing import Listing, refuse_to_tell
from orders.table.pasted_ids import PASTED_CHARACTERS, PastedOrders, find_orders
from orders.table.replies import redirect_back, refusal_of
from panel.format.numbers import number
from panel.web.htmx import page, wants_fragment
from panel.web.paging import one_more
from panel.web.params import read_number
from panel.web.polling import bar_moved, bar_of, unchanged, with_times

JOBS_A_PAGE = 50
LISTED_ROWS = 200  # of each group of a dry run, and of each kind of what was not found
SCANNED_ORDERS = 2_000  # checked together for those that match a filter
ACTION_OF = {kind: "note" if kind == ANSWER else kind for kind in KINDS}
FILTER_CHARACTERS = 4_000  # of a query string, about as long as an address can be


# ── The dry run ──────────────────────────────────────────────────────────────────────────────────
@needs(*ACTION_OF.values())
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """The box to paste into; posted, the dry run of the orders that were pasted, ticked, or match a filter."""
    if request.method != "POST":
        return dry_run_page(request)
    pasted: PastedOrders | None = None
    try:
        pasted = read_pasted(request)
        selection = read_selection(request, pasted)
        require_allowed(request.user, ACTION_OF[selection.kind])
        if selection.kind == ANSWER:
            return redirect(keep_worklist(selection.answered(), "", by=request.user))
    except Refusal as refusal:
        return dry_run_page(request, pasted, refusal=refusal)
    return dry_run_page(request, pasted, selection=selection, run=dry_run(selection))


def dry_run_page(
    request: HttpRequest, pasted: PastedOrders | None = None, *, refusal: Refusal | None = None, **context: Any
) -> HttpResponse:
    """The form with what was typed, and the `selection` and its `run`, or why nothing came of it (422, or 403)."""
    kind = request.POST.get("kind", "")
    context = {
        "selection": None, "run": None, "why": str(refusal or ""), "found": pasted or PastedOrders([], [], []),
        "most": MOST_ORDERS, "shown": LISTED_ROWS, "text": request.POST.get("text", "")[:PASTED_CHARACTERS],
        "kind": kind if kind in KINDS else Task.Kind.REFILL, "rows": [], "message": [], **context,
    }  # fmt: skip
    selection, run = context["selection"], context["run"]
    at_orders = bar_of(request).company
    context["company"] = {pk: at_orders[pk] for pk in (selection.shown if selection else ()) if pk in at_orders}
    if selection and run and selection.entries:
        context["rows"] = message_rows(selection, run)
        context["message"] = marked_message(context["text"], selection, context["rows"])
    no = HTTPStatus.FORBIDDEN if isinstance(refusal, NotAllowed) else HTTPStatus.UNPROCESSABLE_ENTITY
    return render(request, "orders/bulk/new.html", context, status=no if refusal else HTTPStatus.OK)


def read_pasted(request: HttpRequest) -> PastedOrders:
    """The orders in the form's text; none when it has no text. A Refusal when the text is too long."""
    text = request.POST.get("text", "")
    if len(text) > PASTED_CHARACTERS:
        raise Refusal(f"This text has {number(len(text))} characters; up to {number(PASTED_CHARACTERS)} are read.")
    return find_orders(text, request.user)


def read_selection(request: HttpRequest, pasted: PastedOrders, kind: str = "") -> Selection:
    """The orders that a form names: those that a job was refused, pasted ones, all that match, or ticked ones.

    `kind` is one of KINDS or another verb's word; without it, the form names it.
    """
    form, kind = request.POST, kind or request.POST.get("kind", "")
    if "again" in form:
        bulk = get_object_or_404(Bulk, pk=read_number(form["again"]))
        return Selection.of(bulk.kind, jobs.refused_orders(bulk), f"refused in job {bulk.pk}")
    if "text" in form:
        if not pasted.orders and not pasted.apart and not (kind == ANSWER and pasted.entries):
            raise Refusal("No order number was found in this text.")
        return Selection.of(kind, pasted.orders, "found in a pasted text", pasted.apart, pasted.entries)
    if form.get("which") == "all":
        match = form.get("match", "")
        if len(match) > FILTER_CHARACTERS:  # a part of it would be another filter, and match other orders
            raise Refusal("The filter of this list is too long to take all that match. Tick orders, or search anew.")
        refuse_to_tell(request.user, QueryDict(match))
        listing = Listing.of(request.user, QueryDict(match))
        pks = matching_ids(listing)
        if why := why_too_many(pks):
            raise Refusal(why)
        return Selection.of(kind, pks, f"all {len(pks):,} {listing.matching}")
    ticked = {read_number(pk) for pk in form.getlist("order")}
    visible = Order.objects.seen_by(request.user).filter(pk__in=ticked).values_list("pk", flat=True)
    return Selection.of(kind, visible, "ticked on the orders page")


def matching_ids(listing: Listing) -> list[int]:
    """The ids of the orders that match, newest first; no more than MOST_ORDERS + 1 are read."""
    batches = paging.all_ids(listing.list_query, paging.SORTS[""], SCANNED_ORDERS)
    pks = chain.from_iterable(paging.matching(batch, listing.list_query) for batch in batches)
    return list(islice(pks, MOST_ORDERS + 1))


def why_too_many(pks: list[int]) -> str:
    """Why these matching orders cannot go in one job; "" when they can."""
    most = number(MOST_ORDERS)
    sentence = f"More than {most} orders match; at most {most} go at once. Narrow the filter."
    return sentence if len(pks) > MOST_ORDERS else ""


@needs(*ACTION_OF.values())
@require_safe
def matching(request: HttpRequest) -> HttpResponse:
    """How many orders match the filter of an open page. Asked for when somebody ticks, so that no page waits for it."""
    listing = Listing.read(request)
    pks = matching_ids(listing)
    context = {"count": len(pks), "words": listing.matching, "why": why_too_many(pks)}
    return render(request, "orders/bulk/_matching.html", context)


@needs(*ACTION_OF.values())
@require_POST
def confirmation(request: HttpRequest) -> HttpResponse:
    """Starts the job of a dry run, which checks each order once more, and leads to its receipt.

    With `ticks`, which the page sends, only ticked orders are asked; without it, all that are picked. With `only`,
    nothing is asked: the orders get their answers.
    """
    selection: Selection | None = None
    try:
        selection = Selection.read(request.POST.get("picked", ""))
        ticked = selection.orders
        if "ticks" in request.POST:
            ticked = [read_number(pk) for pk in request.POST.getlist("order")]
        if "only" in request.POST:
            require_allowed(request.user, "note")
            answered = selection._replace(orders=sorted({*selection.orders, *ticked} & selection.shown))
            return redirect(keep_worklist(answered.answered(), "", by=request.user))
        bulk = jobs.start_job(selection.ticked(ticked), by=request.user)
    except Refusal as refusal:
        run = dry_run(selection) if selection else None
        return dry_run_page(request, refusal=refusal, selection=selection, run=run)
    return redirect(bulk)


# ── Receipts ─────────────────────────────────────────────────────────────────────────────────────
@needs("view")
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """The jobs, newest first, each with how many of its tasks are still open."""
    open_tasks = Task.objects.filter(bulk=OuterRef("pk"), settled_at=None).order_by().values("bulk")
    count = Coalesce(Subquery(open_tasks.annotate(count=Count("pk")).values("count")), 0)
    bulks = Bulk.objects.defer("left_out").select_related("asked_by").annotate(open=count)
    if before := read_number(request.GET.get("before")):
        bulks = bulks.filter(pk__lt=before)
    rows, more = one_more(bulks, JOBS_A_PAGE)
    older = f"{request.path}?before={rows[-1].pk}" if more else ""
    return render(request, "orders/bulk/index.html", {"bulks": rows, "older": older})


@needs("view")
@require_safe
def show(request: HttpRequest, pk: int) -> HttpResponse:
    """The receipt of a job. Its open page polls it with the version it shows: 204 while that is unchanged."""
    counts = receipt.ReceiptCounts(pk)
    if no_content := unchanged(request, counts.version):
        return with_times(request, no_content)
    bulk = get_object_or_404(Bulk.objects.select_related("asked_by", "worklist"), pk=pk)
    language = "" if bulk.worklist else language_of(request.user)
    lines = receipt.ReceiptPage.of(bulk, request.GET.get("result", ""), read_number(request.GET.get("after")))
    context = {
        "bulk": bulk, "counts": counts, "page": lines, "results": receipt.RESULTS, "bar_changed": bar_moved(request),
        "answers": Answers(bulk.worklist, asked=bulk.kind, language=language),
        "left_out": receipt.left_out(bulk, 0 if wants_fragment(request) else receipt.LEFT_OUT_LINES),
        "lost": receipt.not_found(bulk), "shown": LISTED_ROWS,
    }  # fmt: skip
    response = page(request, "orders/bulk/receipt.html", context, fragment="orders/bulk/_receipt_now.html")
    return with_times(request, response)


@needs("export")
@require_safe
def as_csv(request: HttpRequest, pk: int) -> HttpResponseBase:
    """The receipt of a job as a CSV file, with all its lines."""
    bulk = get_object_or_404(Bulk.objects.select_related("asked_by", "worklist"), pk=pk)
    response = StreamingHttpResponse(receipt.as_csv(bulk), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{bulk.kind}-job-{bulk.pk}.csv"'
    return response


@needs(*ACTION_OF.values())
@require_POST
def tries(request: HttpRequest, pk: int) -> HttpResponse:
    """Sends again what got no clear answer; the desk never does so by itself."""
    bulk = get_object_or_404(Bulk, pk=pk)
    why = refusal_of(lambda: jobs.retry_unclear(bulk, by=request.user))
    return redirect_back(request, why, "What got no clear answer is asked for once more.")

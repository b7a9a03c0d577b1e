"""The orders desk: the table, what moved since, one order, and what happened."""

from http import HTTPStatus
from itertools import islice

from django.contrib import messages
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect, QueryDict
from django.shortcuts import render
from django.utils import timezone
from django.utils.text import slugify
from django.views.decorators.http import require_GET, require_http_methods, require_safe

from accounts.access import needs
from accounts.models import User
from catalog.models import Service
from orders.models import Event, Order
from orders.rules.statuses import Status
from orders.table import export as files
from orders.table.columns import COLUMNS, FIRST_COLUMN, known_columns, row_template
from orders.table.filters import NETWORK_NAMES, OPEN_FILTERS
from orders.table.listing import MOST_NEW_ORDERS, Listing
from orders.table.paging import SORTS
from orders.table.rows import LATE_MARK, STALE_MARK, WAITS_MARK, fetch_rows, is_one_of, shown_versions
from orders.table.saved_views import views_context
from panel.format.locale import for_the_record, written_for
from panel.format.numbers import number
from panel.format.times import today, zone_name
from panel.web.htmx import page
from panel.web.params import read_number
from panel.web.polling import bar_moved, bar_of, with_times


@require_safe
@needs("view")
def index(request: HttpRequest) -> HttpResponse:
    listing = Listing.read(request)
    if "" in request.GET.values():  # as a form sends what nobody filled in
        stretch = {name: request.GET[name] for name in ("before", "after") if request.GET.get(name)}
        return HttpResponseRedirect(listing.address(**stretch))
    return render(request, "orders/table/index.html", {**listing.context(), **views_context(request.user, listing)})


@require_safe
@needs("view")
def changes(request: HttpRequest) -> HttpResponse:
    """What moved on an open page: 204 when nothing did, else the rows that did and the bar. Touches no session."""
    listing = Listing.read(request)
    rows, bar = shown_versions(request.GET.get("v", "")), bar_of(request)
    moved, polled, newest = listing.moved_since(rows, stopped=bool(bar.stopped_at))
    bar_changed = bar_moved(request)
    more = "top" in request.GET and newest > read_number(request.GET["top"])  # a page without a list has no top
    counts_changed = request.GET.get("counts", bar.counts_version) != bar.counts_version
    if not (moved or bar_changed or more or counts_changed):
        response = HttpResponse(status=HTTPStatus.NO_CONTENT)
    else:
        changed = fetch_rows(Order.objects.seen_by(request.user).filter(is_one_of(moved)).order_by())
        context = {
            "changed": changed,
            "rows": row_template(listing.columns),
            "listing": listing,
            "match": listing.query(),
            # Of a stop the banner tells, and not each row that it makes wait.
            "told": [
                order
                for order in changed
                if rows[order.pk].rstrip(WAITS_MARK + STALE_MARK + LATE_MARK) != str(order.version)
            ],
            "new_count": listing.count_new() if more else 0,
            "most_new": MOST_NEW_ORDERS,
            "newest": newest,
            "bar_changed": bar_changed,
            "counts_changed": counts_changed,
            "statuses": list(Status),
        }
        response = render(request, "orders/table/_changes.html", context)
    return with_times(request, response, polled)


MOST_CATEGORIES = 2_000


@needs("view")
@require_safe
def filters(request: HttpRequest) -> HttpResponse:
    """The form of all filters, filled in as the list is now; it leads to the list."""
    listing = Listing.read(request)
    categories = Service.objects.order_by("category").values_list("category", flat=True).distinct()
    context = {
        "listing": listing,
        "said": {name: str(value) for name, value in listing.filters.items()},
        "statuses": Status.choices,
        "open": {name: some.words for name, some in OPEN_FILTERS.items()},
        "networks": NETWORK_NAMES,
        "categories": list(categories[:MOST_CATEGORIES]),
        "people": User.objects.order_by("name", "username").only("name", "username"),
        "sorts": {name: sort.words for name, sort in SORTS.items()},
    }
    return page(request, "orders/table/filters.html", context, fragment="orders/table/_filters.html")


@needs("view")
@require_http_methods(["GET", "HEAD", "POST"])
def columns(request: HttpRequest) -> HttpResponse:
    """Which columns, in which order; posted, for this list or as one's usual ones."""
    posted = request.method == "POST"
    listing = Listing.of(request.user, QueryDict(request.POST.get("query", "")) if posted else request.GET)
    shown = known_columns(request.POST.getlist("column")) if posted else listing.columns
    shown = moved_column(shown, request.POST.get("up", ""), -1)
    shown = moved_column(shown, request.POST.get("down", ""), 1)
    if posted and "here" in request.POST:
        return HttpResponseRedirect(listing.from_start(own_columns=shown).address())
    if posted and "usual" in request.POST:
        User.objects.filter(pk=request.user.pk or 0).update(columns=list(shown))
        return HttpResponseRedirect(listing.from_start(own_columns=()).address())
    rest = [name for name in COLUMNS if name not in shown]
    context = {"listing": listing, "shown": shown, "rest": rest, "columns": COLUMNS, "first": FIRST_COLUMN}
    return page(request, "orders/table/columns.html", context, fragment="orders/table/_columns.html")


def moved_column(shown: tuple[str, ...], name: str, by: int) -> tuple[str, ...]:
    """With this column one place further up or down; the first one stays where it is."""
    if name not in shown[1:]:
        return shown
    rest = [other for other in shown if other != name]
    rest.insert(max(1, shown.index(name) + by), name)
    return tuple(rest)


@needs("view")
@require_GET  # no HEAD: it would write the whole file, and nobody gets it
def export(request: HttpRequest) -> HttpResponseBase:
    """All orders of the list that the address names, as `format=` csv or xlsx; written down as an event."""
    listing, now = Listing.read(request), timezone.now()
    form = "xlsx" if request.GET.get("format") == "xlsx" else "csv"
    most = files.MOST_OF_A_SHEET if form == "xlsx" else None
    lines, count = files.spool(islice(files.export_rows(listing), most and most + 1))
    with lines:
        if most and count > most:
            why = f"More than {number(most)} orders match, and a sheet of Excel holds no more. Export them as CSV."
            messages.error(request, why)
            return HttpResponseRedirect(listing.from_start().address())
        with for_the_record():
            facts = {"count": f"{count:,}", "form": form.upper(), "filter": files.filter_of(listing)}
        with written_for(zone_name(), ""):  # the person's clock, and numbers for programs
            title = files.title(listing, count, now)
        write, kind = files.FORMATS[form]
        file = write(title, lines)
    Event.objects.create(kind="exported", by_id=request.user.pk, at=now, facts=facts)
    return FileResponse(file, as_attachment=True, filename=f"{file_name(listing)}.{form}", content_type=kind)


def file_name(listing: Listing) -> str:
    """`orders-2026-11-21`, and which view or status."""
    views = views_context(listing.user, listing)
    which = str(views["view"]) if views["view"] and not views["view_changed"] else listing.status
    return f"orders-{today()}-{slugify(which)}".rstrip("-")

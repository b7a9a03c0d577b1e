"""The pages of the orders list: the table, its poll, the forms of filters and columns, and the export."""

import re
from http import HTTPStatus
from itertools import islice
from urllib.parse import urlencode

from django.contrib import messages
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect, QueryDict
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.access import may_see, needs
from accounts.models import User
from accounts.sign_in import throttle
from catalog.models import Service
from orders.models import Event, KeptSearch, Order
from orders.models.kept_search import SEARCH_CHARACTERS, cleaned_search
from orders.table import export as files
from orders.table.columns import COLUMNS, FIRST_COLUMN, Reader, draw_rows, known_columns, visible_columns
from orders.table.filters import (
    ALL_TABS,
    FILTERS,
    MONEY,
    NETWORK_NAMES,
    OPEN_FILTERS,
    OTHER_NETWORK,
    PAST,
    TABS,
    tab_label,
    typed_text,
)  # fmt: skip
from orders.table.listing import MOST_NEW_ORDERS, Listing
from orders.table.paging import SORTS
from orders.table.rows import fetch_rows, is_one_of, shown_versions
from orders.table.saved_views import views_context
from panel.format.locale import for_the_record, written_for
from panel.format.numbers import number
from panel.format.spreadsheet import FORMATS, MOST_SHEET_ROWS, spool
from panel.format.times import zone_name
from panel.web.htmx import page
from panel.web.params import read_number
from panel.web.polling import bar_moved, bar_of, rights_moved, with_times

NAMED_FILTER = re.compile(r"(customer|reference):\s*(\S.*)", re.I)  # typed into the search of the top bar
LISTED_CATEGORIES = 2_000  # that the form of filters suggests
EXPORTS_A_PERSON = 60  # within ten minutes: a script that takes away everything has to take its time
MANY_EXPORTS = f"You made {EXPORTS_A_PERSON} files within ten minutes. Wait a few minutes, then export again."


@require_safe
@needs("view")
def index(request: HttpRequest) -> HttpResponse:
    """A page of the list. An address with empty parameters, as forms make it, leads to the address without them."""
    listing = Listing.read(request)
    if "" in request.GET.values():
        # What could not be read stays in the address, because the page says so.
        kept = [name for name in ("before", "after", *FILTERS) if name not in listing.filters]
        return HttpResponseRedirect(listing.address(**{name: text for name in kept if (text := request.GET.get(name))}))
    context = listing.context()
    reader = Reader.of(request.user, listing.columns, stopped=bool(bar_of(request).stopped_at))
    context["drawn"] = draw_rows(context["orders"], reader, bar_of(request).company, match=context["match"])
    return render(request, "orders/table/index.html", {**context, **views_context(request.user, listing)})


@needs("view")
@require_POST
def searches(request: HttpRequest) -> HttpResponse:
    """Keeps what was typed into the search of the top bar, and leads to the list that it finds.

    The address has a key in place of the text: a message may be longer than any address, and it names customers.
    """
    typed = request.POST.get("q", "")
    if not cleaned_search(typed):
        return redirect("orders:index")
    if (named := NAMED_FILTER.fullmatch(typed.strip())) and may_see(request.user, FILTERS[named[1].lower()].field):
        listing = Listing.of(request.user, QueryDict(urlencode({named[1].lower(): named[2]})))
        if listing.filters:  # else nobody is called so, and it is searched for like any other text
            return redirect(listing.address())
    if len(typed.strip()) > SEARCH_CHARACTERS:
        read = f"The first {number(SEARCH_CHARACTERS)} of {number(len(typed.strip()))} characters were searched for."
        messages.warning(request, f"{read} “Paste ids” reads longer texts.")
    return redirect(Listing(request.user, key=KeptSearch.objects.keep(typed)).address())


@require_safe
@needs("view")
def changes(request: HttpRequest) -> HttpResponse:
    """The poll of an open page: the rows that changed and the status bar, or 204 if nothing did. Touches no session."""
    bar = bar_of(request)
    if "top" in request.GET and rights_moved(request):  # the whole list is drawn anew
        return HttpResponse(status=HTTPStatus.NO_CONTENT, headers={"HX-Refresh": "true"})
    listing = Listing.of(request.user, request.GET)
    versions = shown_versions(request.GET.get("v", ""))
    moved, polled, newest = listing.moved_since(versions, bar.company, stopped=bool(bar.stopped_at))
    bar_changed = bar_moved(request)
    more = "top" in request.GET and newest > read_number(request.GET["top"])  # pages without a list send no top
    counts_changed = request.GET.get("counts", bar.counts_version) != bar.counts_version
    if not (moved or bar_changed or more or counts_changed):
        return with_times(request, HttpResponse(status=HTTPStatus.NO_CONTENT), polled)
    changed = fetch_rows(Order.objects.seen_by(request.user).filter(is_one_of(moved)).order_by())
    reader = Reader.of(request.user, listing.columns, stopped=bool(bar.stopped_at))
    own = fetch_rows(listing.own_new_orders(versions)) if more and versions else []
    context = {
        "changed": draw_rows(changed, reader, bar.company, match=listing.query(), swap=True),
        "own": draw_rows(own, reader, bar.company, match=listing.query()),
        "listing": listing,
        "new_count": listing.count_new([*versions, *(row.pk for row in own)]) if more else 0,
        "most_new": MOST_NEW_ORDERS,
        "newest": newest,
        "bar_changed": bar_changed,
        "counts_changed": counts_changed,
        "tabs": TABS,
        "tab_counts": listing.tab_counts() if counts_changed else None,
    }
    return with_times(request, render(request, "orders/table/_changes.html", context), polled)


@needs("view")
@require_safe
def filters(request: HttpRequest) -> HttpResponse:
    """The form of all filters, filled in with those of the list."""
    listing = Listing.read(request)
    categories = Service.objects.order_by("category").values_list("category", flat=True).distinct()
    context = {
        "listing": listing,
        "said": {name: typed_text(name, value) for name, value in listing.filters.items()} | dict(listing.unclear),
        "statuses": [(tab, tab_label(tab)) for tab in ALL_TABS],
        "open": {name: open_filter.words for name, open_filter in OPEN_FILTERS.items()},
        "past": {name: fact.words for name, fact in PAST.items()},
        "moneys": {name: fact.words for name, fact in MONEY.items()},
        "networks": NETWORK_NAMES | {OTHER_NETWORK: "none that is known"},
        "categories": list(categories[:LISTED_CATEGORIES]),
        "people": User.objects.order_by("name", "username").only("name", "username"),
        "sorts": {name: sort.words for name, sort in SORTS.items() if may_see(request.user, sort.tells)},
    }
    return page(request, "orders/table/filters.html", context, fragment="orders/table/_filters.html")


@needs("view")
@require_http_methods(["GET", "HEAD", "POST"])
def columns(request: HttpRequest) -> HttpResponse:
    """The form of the table's columns; posted, moves one, or uses them for this list or as the person's usual ones."""
    posted = request.method == "POST"
    listing = Listing.of(request.user, QueryDict(request.POST.get("query", "")) if posted else request.GET)
    chosen = known_columns(request.POST.getlist("column")) if posted else listing.columns
    chosen = moved_column(chosen, request.POST.get("up", ""), -1)
    chosen = moved_column(chosen, request.POST.get("down", ""), 1)
    if posted and "here" in request.POST:
        return HttpResponseRedirect(listing.from_start(own_columns=chosen).address())
    if posted and "usual" in request.POST:
        User.objects.filter(pk=request.user.pk or 0).update(columns=list(chosen))
        return HttpResponseRedirect(listing.from_start(own_columns=()).address())
    chosen = visible_columns(chosen, request.user)
    others = visible_columns((name for name in COLUMNS if name not in chosen), request.user)
    context = {"listing": listing, "shown": chosen, "rest": others, "columns": COLUMNS, "first": FIRST_COLUMN}
    return page(request, "orders/table/columns.html", context, fragment="orders/table/_columns.html")


def moved_column(columns: tuple[str, ...], name: str, by: int) -> tuple[str, ...]:
    """The columns with one of them moved `by` places, but never before the first, which stays where it is."""
    if name not in columns[1:]:
        return columns
    moved = [other for other in columns if other != name]
    moved.insert(max(1, columns.index(name) + by), name)
    return tuple(moved)


@needs("export")
@require_POST  # for it records who took what
def export(request: HttpRequest) -> HttpResponseBase:
    """All orders of the list in the address as a file, with `format=` csv or xlsx in the form."""
    listing, now = Listing.read(request), timezone.now()
    if not throttle.has_room("exports", str(request.user.pk), most=EXPORTS_A_PERSON):
        messages.error(request, MANY_EXPORTS)
        return HttpResponseRedirect(listing.from_start().address())
    extension = "xlsx" if request.POST.get("format") == "xlsx" else "csv"
    limit = MOST_SHEET_ROWS if extension == "xlsx" else None
    lines, count = spool(islice(files.export_rows(listing), limit and limit + 1))
    with lines:
        if limit and count > limit:
            why = f"More than {number(limit)} orders match, and a sheet of Excel holds no more. Export them as CSV."
            messages.error(request, why)
            return HttpResponseRedirect(listing.from_start().address())
        with for_the_record():
            facts = {"count": f"{count:,}", "form": extension.upper(), "filter": files.recorded_words(listing)}
        with written_for(zone_name(), ""):  # times on the person's clock, but numbers for programs
            about = files.about(listing, count, now)
        as_file, content_type = FORMATS[extension]
        file = as_file("Orders", about, files.heads_for(request.user), lines)
    Event.objects.create(kind="exported", by_id=request.user.pk, at=now, facts=facts)
    views = views_context(listing.user, listing)
    named = str(views["view"]) if views["view"] and not views["view_changed"] else files.recorded_words(listing)
    name = files.file_name(named, count, extension)
    return FileResponse(file, as_attachment=True, filename=name, content_type=content_type)

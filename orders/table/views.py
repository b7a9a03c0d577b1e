"""The orders desk: the table, what moved since, one order, and what happened."""

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.access import needs
from orders.models import Order
from orders.rules.statuses import Status
from orders.table.columns import rows_of
from orders.table.listing import MOST_NEW, Listing
from orders.table.rows import LATE, STALE, WAITS, in_rows, on_screen, one_of
from orders.table.saved_views import views_of
from panel.web.htmx import with_times
from panel.web.params import number


@require_safe
@needs("look")
def index(request: HttpRequest) -> HttpResponse:
    listing = Listing.read(request)
    if "" in request.GET.values():  # as a form sends what nobody filled in
        stretch = {name: request.GET[name] for name in ("before", "after") if request.GET.get(name)}
        return HttpResponseRedirect(listing.address(**stretch))
    return render(request, "orders/index.html", {**listing.context(), **views_of(request.user, listing)})


@require_safe
@needs("look")
def changes(request: HttpRequest) -> HttpResponse:
    """What moved on an open page: 204 when nothing did, else the rows that did and the bar. Touches no session."""
    listing = Listing.read(request)
    rows, bar = on_screen(request.GET.get("v", "")), request.bar  # type: ignore[attr-defined]
    moved, looked, newest = listing.since(rows, stopped=bool(bar.stopped_at))
    bar_changed = bar.version != request.GET.get("bar")
    more = "top" in request.GET and newest > number(request.GET["top"])  # a page without a list has no top
    counts_changed = request.GET.get("counts", bar.counts_version) != bar.counts_version
    if not (moved or bar_changed or more or counts_changed):
        response = HttpResponse(status=204)
    else:
        changed = in_rows(Order.objects.seen_by(request.user).filter(one_of(moved)).order_by())
        context = {
            "changed": changed,
            "rows": rows_of(listing.columns),
            "listing": listing,
            "match": listing.query(),
            # Of a stop the banner tells, and not each row that it makes wait.
            "told": [order for order in changed if rows[order.pk].rstrip(WAITS + STALE + LATE) != str(order.version)],
            "new_count": listing.count_new() if more else 0,
            "most_new": MOST_NEW,
            "newest": newest,
            "bar_changed": bar_changed,
            "counts_changed": counts_changed,
            "statuses": list(Status),
        }
        response = render(request, "orders/_changes.html", context)
    return with_times(request, response, looked)

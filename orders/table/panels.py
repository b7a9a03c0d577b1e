"""The panels beside the orders list: what to narrow it by, and which columns it has."""

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.views.decorators.http import require_http_methods, require_safe

from accounts.access import needs
from accounts.models import User
from catalog.models import Service
from orders.rules.statuses import Status
from orders.table.columns import COLUMNS, FIRST, chosen
from orders.table.filters import NAMES, OPEN
from orders.table.listing import Listing, as_text
from orders.table.paging import SORTS
from panel.web.htmx import page

MOST_CATEGORIES = 2_000


@needs("look")
@require_safe
def filters(request: HttpRequest) -> HttpResponse:
    """The form of all filters, filled in as the list is now; it leads to the list."""
    listing = Listing.read(request)
    categories = Service.objects.order_by("category").values_list("category", flat=True).distinct()
    context = {
        "listing": listing,
        "said": {name: as_text(value) for name, value in listing.narrowed.items()},
        "statuses": Status.choices,
        "open": {name: some.words for name, some in OPEN.items()},
        "networks": NAMES,
        "categories": list(categories[:MOST_CATEGORIES]),
        "people": User.objects.order_by("name", "username").only("name", "username"),
        "sorts": {name: sort.words for name, sort in SORTS.items()},
    }
    return page(request, "orders/filters.html", context, fragment="orders/_filters.html")


@needs("look")
@require_http_methods(["GET", "HEAD", "POST"])
def columns(request: HttpRequest) -> HttpResponse:
    """Which columns, in which order; posted, for this list or as one's usual ones."""
    posted = request.method == "POST"
    listing = Listing.of(request.user, QueryDict(request.POST.get("query", "")) if posted else request.GET)
    shown = chosen(request.POST.getlist("column")) if posted else listing.columns
    shown = moved(shown, request.POST.get("up", ""), -1)
    shown = moved(shown, request.POST.get("down", ""), 1)
    if posted and "here" in request.POST:
        return HttpResponseRedirect(listing.from_its_end(own_columns=shown).address())
    if posted and "usual" in request.POST:
        User.objects.filter(pk=request.user.pk or 0).update(columns=list(shown))
        return HttpResponseRedirect(listing.from_its_end(own_columns=()).address())
    rest = [name for name in COLUMNS if name not in shown]
    context = {"listing": listing, "shown": shown, "rest": rest, "columns": COLUMNS, "first": FIRST}
    return page(request, "orders/columns.html", context, fragment="orders/_columns.html")


def moved(shown: tuple[str, ...], name: str, by: int) -> tuple[str, ...]:
    """With this column one place further up or down; the first one stays where it is."""
    if name not in shown[1:]:
        return shown
    rest = [other for other in shown if other != name]
    rest.insert(max(1, shown.index(name) + by), name)
    return tuple(rest)

"""The door by which a list leaves the desk as a file."""

from itertools import islice

from django.contrib import messages
from django.http import FileResponse, HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.utils import timezone
from django.utils.text import slugify
from django.views.decorators.http import require_GET

from accounts.access import needs
from orders.models import Event
from orders.table import export as files
from orders.table.listing import Listing
from orders.table.saved_views import views_of
from panel.format.locale import for_the_record, written_for
from panel.format.numbers import number as figure
from panel.format.times import today, zone_name


@needs("look")
@require_GET  # no HEAD: it would write the whole file, and nobody gets it
def export(request: HttpRequest) -> HttpResponseBase:
    """All orders of the list that the address names, as `format=` csv or xlsx; written down as an event."""
    listing, now = Listing.read(request), timezone.now()
    form = "xlsx" if request.GET.get("format") == "xlsx" else "csv"
    most = files.MOST_OF_A_SHEET if form == "xlsx" else None
    lines, count = files.spooled(islice(files.rows(listing), most and most + 1))
    with lines:
        if most and count > most:
            why = f"More than {figure(most)} orders match, and a sheet of Excel holds no more. Export them as CSV."
            messages.error(request, why)
            return HttpResponseRedirect(listing.from_its_end().address())
        with for_the_record():
            facts = {"count": f"{count:,}", "form": form.upper(), "filter": files.filter_of(listing)}
        with written_for(zone_name(), ""):  # the person's clock, and numbers for programs
            title = files.title(listing, count, now)
        write, kind = files.FORMS[form]
        file = write(title, lines)
    Event.objects.create(kind="exported", by_id=request.user.pk, at=now, facts=facts)
    return FileResponse(file, as_attachment=True, filename=f"{name_of(listing)}.{form}", content_type=kind)


def name_of(listing: Listing) -> str:
    """`orders-2026-11-21`, and which view or status."""
    views = views_of(listing.user, listing)
    which = str(views["view"]) if views["view"] and not views["view_changed"] else listing.status
    return f"orders-{today()}-{slugify(which)}".rstrip("-")

"""The buttons about an order that is followed: check now, no longer ask, and seen."""

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_POST

from accounts.access import needs
from orders.following import triage
from orders.models import Order
from orders.table.replies import asks_first, redirect_back, refusal_of, row_or_redirect, the_order


@needs("note")
@require_POST
def looks(request: HttpRequest, pk: int) -> HttpResponse:
    """Check now: the order joins the next batch that is polled."""
    order = the_order(request, pk)
    Order.objects.filter(pk=pk).poll_now(timezone.now())
    why = "" if order.upstream_id else f"Order {pk} cannot be checked: the supplier does not have it yet."
    return row_or_redirect(request, pk, why, f"Order {pk} is checked with the next call.")


@needs("decide")
@require_POST
@asks_first
def abandonment(request: HttpRequest, pk: int) -> HttpResponse:
    """No longer ask: gives up an order that upstream does not know, with the reason from the form."""
    why = refusal_of(lambda: triage.give_up(the_order(request, pk), request.POST.get("reason", ""), by=request.user))
    return redirect_back(request, why, f"Order {pk} is no longer checked.")


@needs("decide")
@require_POST
@asks_first
def sighting(request: HttpRequest, pk: int) -> HttpResponse:
    """I have seen it: marks the kinds of anomalies that stood on the page as seen."""
    why = refusal_of(lambda: triage.mark_seen(the_order(request, pk), request.POST.get("doubts", ""), by=request.user))
    return redirect_back(request, why, f"The unusual values of order {pk} are marked as reviewed.")

"""The page of approvals, and its buttons: approve, decline and remind."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_POST, require_safe

from accounts.access import needs
from orders.approvals import decide
from orders.approvals.page import page_context
from orders.approvals.remind import remind
from orders.models import Order
from orders.table.replies import redirect_back, refusal_of
from panel.web.htmx import page
from panel.web.params import read_number
from panel.web.polling import bar_moved, unchanged, with_times


@require_safe
@needs("view")
def index(request: HttpRequest) -> HttpResponse:
    """What waits for a second person, or what was decided. The open page polls it: 204 while it shows the same."""
    context = page_context(request.user, request.GET.get("state", ""), read_number(request.GET.get("before")))
    response = unchanged(request, context["version"]) or page(
        request,
        "orders/approvals/index.html",
        {**context, "bar_changed": bar_moved(request)},
        fragment="orders/approvals/_now.html",
    )
    return with_times(request, response)


@needs("approve")
@require_POST
def approval(request: HttpRequest, pk: int) -> HttpResponse:
    """Approves an order at the price that the person saw."""
    order = asked_order(request, pk)
    why = refusal_of(lambda: decide.approve(order, request.POST.get("seen", ""), by=request.user))
    return redirect_back(request, why, f"Order {pk} is approved. It is queued.")


@needs("approve")
@require_POST
def refusal(request: HttpRequest, pk: int) -> HttpResponse:
    """Declines an order; the person gives the reason."""
    order = asked_order(request, pk)
    why = refusal_of(lambda: decide.decline(order, request.POST.get("reason", ""), by=request.user))
    return redirect_back(request, why, f"Order {pk} is declined. {order.placed_by} reads why.")


@needs("place")
@require_POST
def reminder(request: HttpRequest, pk: int) -> HttpResponse:
    """Reminds those who may approve an order that the person asked for."""
    order = asked_order(request, pk)
    why = refusal_of(lambda: remind(order, by=request.user))
    return redirect_back(request, why, f"Everybody who may approve order {pk} finds a note about it now.")


def asked_order(request: HttpRequest, pk: int) -> Order:
    """The order, if the person may see it; else 404."""
    return get_object_or_404(Order.objects.seen_by(request.user).select_related("placed_by"), pk=pk)

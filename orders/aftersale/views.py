"""The buttons for refills, cancels and withdrawals, and the lists of all refills and all cancels."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST, require_safe

from accounts.access import needs
from orders.aftersale import ask
from orders.aftersale.task_list import task_list_context
from orders.aftersale.withdraw import withdraw
from orders.table.replies import redirect_back, refusal_of, row_or_redirect, the_order
from panel.web.params import read_number


@needs("place")
@require_POST
def withdrawal(request: HttpRequest, pk: int) -> HttpResponse:
    """Withdraws an order that was not sent yet."""
    why = refusal_of(lambda: withdraw(the_order(request, pk), by=request.user))
    return row_or_redirect(request, pk, why, f"Order {pk} is withdrawn. Nothing was sent.")


@needs("place")
@require_POST
def refill_or_cancel(request: HttpRequest, pk: int, kind: str) -> HttpResponse:
    """Asks for a refill or a cancel of an order."""
    why = refusal_of(lambda: ask.ask(the_order(request, pk), kind, by=request.user))
    return row_or_redirect(request, pk, why, f"You asked for a {kind} of order {pk}.")


@needs("place")
@require_POST
def repetition(request: HttpRequest, pk: int, kind: str) -> HttpResponse:
    """Sends a refill or a cancel once more that got no clear answer."""
    why = refusal_of(lambda: ask.ask_again(the_order(request, pk), kind, by=request.user))
    return redirect_back(request, why, f"You asked for the {kind} of order {pk} again.")


@needs("decide")
@require_POST
def settlement(request: HttpRequest, pk: int) -> HttpResponse:
    """Marks the pending refill of an order as settled; the person gives the reason."""
    reason = request.POST.get("reason", "")
    why = refusal_of(lambda: ask.mark_settled(the_order(request, pk), reason, by=request.user))
    return redirect_back(request, why, f"The refill of order {pk} is marked as done.")


@needs("decide")
@require_POST
def next_refill(request: HttpRequest, pk: int) -> HttpResponse:
    """Asks for another refill although one is pending, to learn from upstream whether that one is settled."""
    why = refusal_of(lambda: ask.ask_anew(the_order(request, pk), by=request.user))
    return redirect_back(
        request,
        why,
        f"You asked for another refill of order {pk}. The supplier’s answer will show whether the pending one is done.",
    )


@require_safe
@needs("view")
def tasks(request: HttpRequest, kind: str) -> HttpResponse:
    """All refills, or all cancels, newest first."""
    state, before = request.GET.get("state", ""), read_number(request.GET.get("before"))
    return render(request, "orders/aftersale/tasks.html", task_list_context(request.user, kind, state, before))

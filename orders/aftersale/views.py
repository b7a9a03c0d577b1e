"""The buttons for refills, cancels and withdrawals, and the lists of all refills and all cancels."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST, require_safe

from accounts.access import needs
from orders.aftersale import ask
from orders.aftersale.task_list import task_list_context
from orders.aftersale.withdraw import TOO_LATE, withdraw
from orders.models import Order
from orders.rules.eligibility import (
    Question,
    cancel_question,
    refill_question,
    why_no_cancel,
    why_no_refill,
    withdrawal_question,
)
from orders.table.replies import asks_first, redirect_back, refusal_of, row_or_redirect, the_order
from panel.web.htmx import referer_path
from panel.web.params import read_number
from panel.web.polling import bar_of


def why_no_withdrawal(order: Order) -> str:
    """Why an order may not be withdrawn, or ""."""
    return "" if order.unsent else TOO_LATE


# By the last part of the address that the answer goes to: what is asked for, why not, and the question.
ASKED: dict[str, tuple[str, Callable[[Order], str], Callable[[Order], Question]]] = {
    "refills": ("Refill", why_no_refill, refill_question),
    "cancellation": ("Cancel", why_no_cancel, cancel_question),
    "withdrawal": ("Withdraw", why_no_withdrawal, withdrawal_question),
}


@require_safe
def question(request: HttpRequest, pk: int, what: str) -> HttpResponse:
    """Asks first, on a page of its own: for browsers without a script. Others ask where the button is."""
    order, (words, why_not, question_of) = the_order(request, pk), ASKED[what]
    came_from = referer_path(request)
    safe = came_from != "/" and url_has_allowed_host_and_scheme(came_from, allowed_hosts=None)
    context = {
        "order": order, "words": words, "why": why_not(order), "question": question_of(order),
        "action": f"{order.get_absolute_url()}{what}/", "back": came_from if safe else order.get_absolute_url(),
        "company": bar_of(request).company.get(pk, ()),
    }  # fmt: skip
    return render(request, "orders/aftersale/question.html", context)


@needs("place")
@require_POST
@asks_first
def withdrawal(request: HttpRequest, pk: int) -> HttpResponse:
    """Withdraws an order that was not sent yet."""
    why = refusal_of(lambda: withdraw(the_order(request, pk), by=request.user))
    return row_or_redirect(request, pk, why, f"Order {pk} is withdrawn. Nothing was sent.")


@require_POST
@asks_first
def refill_or_cancel(request: HttpRequest, pk: int, kind: str) -> HttpResponse:
    """Asks for a refill or a cancel of an order."""
    why = refusal_of(lambda: ask.ask(the_order(request, pk), kind, by=request.user))
    return row_or_redirect(request, pk, why, f"You asked for a {kind} of order {pk}.")


@require_POST
@asks_first
def repetition(request: HttpRequest, pk: int, kind: str) -> HttpResponse:
    """Sends a refill or a cancel once more that got no clear answer."""
    why = refusal_of(lambda: ask.ask_again(the_order(request, pk), kind, by=request.user))
    return redirect_back(request, why, f"You asked for the {kind} of order {pk} again.")


@needs("decide")
@require_POST
@asks_first
def settlement(request: HttpRequest, pk: int) -> HttpResponse:
    """Marks the pending refill of an order as settled; the person gives the reason."""
    reason = request.POST.get("reason", "")
    why = refusal_of(lambda: ask.mark_settled(the_order(request, pk), reason, by=request.user))
    return redirect_back(request, why, f"The refill of order {pk} is marked as done.")


@needs("decide")
@require_POST
@asks_first
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

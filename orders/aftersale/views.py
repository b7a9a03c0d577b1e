"""What people press for refills, cancels and withdrawals, and the list of all that was asked."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST, require_safe

from accounts.access import needs
from orders.aftersale import ask
from orders.aftersale.task_list import TaskList
from orders.aftersale.withdraw import withdraw
from orders.models import Task
from orders.rules.statuses import TaskKind
from orders.table.replies import redirect_back, refusal_of, row_or_redirect, the_order


@needs("place")
@require_POST
def withdrawal(request: HttpRequest, pk: int) -> HttpResponse:
    """Undo: in the table the row answers, else the page one came from."""
    why = refusal_of(lambda: withdraw(the_order(request, pk), by=request.user))
    return row_or_redirect(request, pk, why, f"Order {pk} is withdrawn. Nothing was sent.")


ASKED_SENTENCES = {
    Task.Kind.REFILL: "A refill of order {} is asked for.",
    Task.Kind.CANCEL: "A cancel of order {} is asked for.",
}


@needs("place")
@require_POST
def refills(request: HttpRequest, pk: int) -> HttpResponse:
    return ask_for_task(request, pk, Task.Kind.REFILL)


@needs("place")
@require_POST
def cancellation(request: HttpRequest, pk: int) -> HttpResponse:
    return ask_for_task(request, pk, Task.Kind.CANCEL)


def ask_for_task(request: HttpRequest, pk: int, kind: TaskKind) -> HttpResponse:
    """A wish from a row, which answers with itself, or from another page."""
    why = refusal_of(lambda: ask.ask(the_order(request, pk), kind, by=request.user))
    return row_or_redirect(request, pk, why, ASKED_SENTENCES[kind].format(pk))


@needs("place")
@require_POST
def repetition(request: HttpRequest, pk: int, kind: str) -> HttpResponse:
    """Once more what got no clear answer."""
    why = refusal_of(lambda: ask.ask_again(the_order(request, pk), kind, by=request.user))
    return redirect_back(request, why, f"The {kind} of order {pk} is asked for once more.")


@needs("decide")
@require_POST
def settlement(request: HttpRequest, pk: int) -> HttpResponse:
    reason = request.POST.get("reason", "")
    why = refusal_of(lambda: ask.mark_settled(the_order(request, pk), reason, by=request.user))
    return redirect_back(request, why, f"The refill of order {pk} is marked as settled.")


@needs("decide")
@require_POST
def next_refill(request: HttpRequest, pk: int) -> HttpResponse:
    why = refusal_of(lambda: ask.ask_anew(the_order(request, pk), by=request.user))
    return redirect_back(request, why, f"Another refill of order {pk} is asked for; upstream tells whether it may.")


@require_safe
@needs("view")
def tasks(request: HttpRequest, kind: str) -> HttpResponse:
    """All refills, or all cancels, newest first."""
    return render(request, "orders/aftersale/tasks.html", TaskList.read(request, kind).context())

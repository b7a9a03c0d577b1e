"""The order form's page, its live receipt, and what was typed when a session ended."""

import uuid
from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.core import signing
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect, QueryDict
from django.shortcuts import render, resolve_url
from django.urls import reverse
from django.utils.html import format_html
from django.views.decorators.http import require_http_methods, require_POST

from accounts.access import needs
from accounts.models import BalanceReading
from catalog.models import Service
from catalog.views import picker
from orders.models import Order, Spending
from orders.placing import review, send_switch
from orders.placing.form import OrderForm
from orders.placing.funding import choose_when_funded, send_now
from orders.placing.place import place
from orders.rules.refusal import Refusal
from orders.rules.service_types import FIELDS
from orders.statistics.runway import is_dear, runway
from orders.table.replies import redirect_back, refusal_of, the_order
from panel.format.money import is_dollars
from panel.web.htmx import wants_htmx
from panel.web.params import read_number
from panel.web.polling import bar_of

KEPT_SECONDS = 3600  # that a form typed by somebody who is signed out waits for the sign-in
KEPT_CHARACTERS = 250_000  # of it; a session is a row of the database
OF_A_PERSON = "orders.ordering"  # the salt of the proof that a form was made for a person of the team

View = Callable[[HttpRequest], HttpResponseBase]


def keeps_typed(view: View) -> View:
    """A form sent after its session had ended waits in the visitor's new session, and is there after the sign-in."""

    @wraps(view)
    def guarded(request: HttpRequest) -> HttpResponseBase:
        if request.method != "POST" or request.user.is_authenticated or wants_htmx(request):
            return view(request)
        owner = maker_of(request.POST.get("made_for", ""))
        typed = {name: request.POST.get(name, "") for name in OrderForm.KEPT}
        if owner is None or sum(map(len, typed.values())) > KEPT_CHARACTERS:
            return view(request)
        request.session["typed"] = {"by": owner, "form": typed}
        request.session.set_expiry(KEPT_SECONDS)
        back = urlencode({"next": f"{reverse('orders:new')}?kept=1"})
        return HttpResponseRedirect(f"{resolve_url(settings.LOGIN_URL)}?{back}")

    return guarded


def maker_of(proof: str) -> int | None:
    """Whom a form was made for. Without a proof nothing is kept, or strangers could fill the database."""
    try:
        return int(signing.loads(proof, salt=OF_A_PERSON))
    except signing.BadSignature:
        return None


@require_http_methods(["GET", "POST"])
@keeps_typed
@needs("place")
def new(request: HttpRequest) -> HttpResponse:
    """The order form. A POST that is in order leads to the order's own page, however often it is sent."""
    typed = typed_fields(request)
    # `search`: without a script, where a GET would put the CSRF token into an address; `keep`: nobody pressed Place.
    if request.method == "POST" and not {"search", "keep"} & request.POST.keys():
        order, form = place_from_form(typed, request.user)
        if order:
            request.session.pop("typed", None)
            mended = " ".join(form.checkup.mended)
            messages.success(request, format_html("Order <b>{}</b> is written down. {}", order.pk, mended))
            return HttpResponseRedirect(order.get_absolute_url())
    else:
        form = OrderForm.blank(typed)
    context = {
        **form_context(form, form if form.is_bound else OrderForm(typed)),
        **picker(typed.get("q", ""), str(form["service"].value() or ""), request.user),
        "made_for": signing.dumps(request.user.pk, salt=OF_A_PERSON),
    }
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.errors else HTTPStatus.OK
    return render(request, "orders/placing/new.html", context, status=status)


def typed_fields(request: HttpRequest) -> QueryDict:
    """What was sent; or after a sign-in in mid-form, what this person had typed before."""
    if request.method == "POST":
        return request.POST
    if like := read_number(request.GET.get("like")):
        return fields_of_order(request, like)
    kept = request.session.get("typed") if "kept" in request.GET else None
    if not kept or kept["by"] != request.user.pk:
        return request.GET
    messages.info(request, "You had been signed out. What you typed is here; nothing was sent.")
    typed = QueryDict(mutable=True)
    typed.update(kept["form"])
    return typed


def fields_of_order(request: HttpRequest, pk: int) -> QueryDict:
    """What an order was asked with, for the form; by its number, for a link belongs in no address."""
    typed = QueryDict(mutable=True)
    if order := Order.objects.seen_by(request.user).select_related("service").filter(pk=pk).first():
        typed.update(OrderForm.fields_of(order))
    return typed


def place_from_form(typed: QueryDict, by: Any) -> tuple[Order | None, OrderForm]:
    """The order that the form asks for, or None and what is wrong in the form."""
    with transaction.atomic():
        # One at a time for a service, so that its terms and the orders like this one stay as they are checked here.
        held = Service.objects.select_for_update(no_key=True).filter(upstream_id=read_number(typed.get("service")))
        held.first()
        form = OrderForm(typed, repeats=is_known(typed.get("token", ""), by))
        if form.is_valid():
            try:
                return place(by=by, **form.order), form
            except Refusal as no:
                form.add_error(None, str(no))
    return None, form


def is_known(token: str, by: Any) -> bool:
    """Whether this person's form with that token is an order already."""
    try:
        return Order.objects.filter(form_token=uuid.UUID(token), placed_by=by).exists()
    except ValueError:
        return False


@require_http_methods(["GET", "HEAD", "POST"])
@needs("place")
def receipt(request: HttpRequest) -> HttpResponse:
    """What the order would be, as one types. By POST, for a link belongs in no address; nothing is changed."""
    typed = typed_fields(request)
    form = OrderForm.blank(typed)
    context = {
        **form_context(form, OrderForm(typed)),
        "other_fields": typed.get("asks") not in (None, form.fields_version),
    }
    return render(request, "orders/placing/_receipt_now.html", context)


def form_context(form: OrderForm, read: OrderForm) -> dict[str, object]:
    """What the form's fragments want: `form` to be shown, and `read`, the same bound, with what was found in it."""
    read.is_valid()
    return {"form": form, "read": read, "FIELDS": FIELDS, **receipt_context(read)}


def receipt_context(read: OrderForm) -> dict[str, object]:
    """What `_receipt.html` wants: our estimate in USD and the balance behind it."""
    chosen, said = read.chosen_service, read.cleaned_data
    why = (
        (chosen.why_no_order() or read.error_in(name for name in read.shown_fields if name != "link")) if chosen else ""
    )
    quantity, runs = said.get("quantity"), said.get("runs") or 1
    wrong = {"service", "quantity", "runs", "interval", read.service_type.counts} & read.errors.keys()
    one_run = chosen.expected_charge(quantity) if chosen and quantity and not wrong else None
    expected = one_run * runs if one_run is not None else None
    reading = BalanceReading.objects.first()
    balance = reading.amount if reading else None
    currency = reading.currency if reading else "USD"
    comparable = is_dollars(currency)  # from another currency nothing is subtracted
    after = balance - expected if balance is not None and expected is not None and comparable else None
    dear = after is not None and is_dear(balance, currency, expected)
    return {
        "chosen": chosen,
        "quantity": quantity,
        "runs": runs,
        "interval": said.get("interval"),
        "one_run": one_run,
        "expected": expected,
        "balance": balance,
        "currency": currency,
        "after": after,
        "leaves": runway(after, currency, Spending.objects.first()) if dear else None,
        "why": why,
    }


@needs("place")
@require_POST
def funding(request: HttpRequest, pk: int) -> HttpResponse:
    """An order that waits for money: `then` is now, by-itself or press."""
    order, then = the_order(request, pk), request.POST.get("then", "")
    if then == "now":
        why = refusal_of(lambda: send_now(order, by=request.user))
        when = "when sending goes on" if bar_of(request).stopped_at else "as soon as the worker comes to it"
        return redirect_back(request, why, f"Order {pk} is sent {when}.")
    by_itself = then == "by-itself"
    words = "goes by itself when the money is there" if by_itself else "waits for a press when the money is there"
    why = refusal_of(lambda: choose_when_funded(order, by_itself, by=request.user))
    return redirect_back(request, why, f"Order {pk} {words}.")


@needs("decide")
@require_POST
def tries(request: HttpRequest, pk: int) -> HttpResponse:
    why = refusal_of(lambda: review.ask_again(the_order(request, pk), by=request.user))
    return redirect_back(request, why, f"Order {pk} is asked for again, with the same request id.")


@needs("decide")
@require_POST
def adoption(request: HttpRequest, pk: int) -> HttpResponse:
    said = request.POST.get("upstream_id", "")
    why = refusal_of(lambda: review.adopt(the_order(request, pk), said, by=request.user))
    return redirect_back(
        request, why, f"Order {pk} is {said.strip()} now; upstream is asked at once whether that is so."
    )


@needs("decide")
@require_POST
def closing(request: HttpRequest, pk: int) -> HttpResponse:
    why = refusal_of(lambda: review.close(the_order(request, pk), request.POST.get("reason", ""), by=request.user))
    return redirect_back(request, why, f"Order {pk} is closed as not placed.")


@needs("decide")
@require_POST
def stop(request: HttpRequest) -> HttpResponse:
    why = refusal_of(lambda: send_switch.stop(request.POST.get("reason", ""), by=request.user))
    return redirect_back(request, why, "Sending is stopped. Orders are written down and wait.")


@needs("decide")
@require_POST
def resumption(request: HttpRequest) -> HttpResponse:
    why = refusal_of(lambda: send_switch.resume(by=request.user))
    return redirect_back(request, why, "Orders go out again, in their order.")

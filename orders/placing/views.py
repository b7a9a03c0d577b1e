"""The order form with its live receipt, the buttons of an order that waits or is in review, and the send switch."""

import uuid
from functools import wraps
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.core import signing
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect, QueryDict
from django.shortcuts import redirect, render, resolve_url
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.access import View, may, needs
from accounts.desk_settings import current, undo_window
from accounts.factors.proof import recently_proved
from accounts.models import BalanceReading
from accounts.sign_in import throttle
from catalog.models import Service
from orders.customers.find import suggested_names
from orders.limits.check import room_for
from orders.models import Customer, Order, Sending, Task
from orders.placing import old_books, review, send_switch
from orders.placing.form import OrderForm
from orders.placing.funding import choose_when_funded, send_now
from orders.placing.picker import cheaper_than, picker
from orders.placing.place import place
from orders.rules.refusal import Refusal
from orders.rules.service_types import FIELDS
from orders.rules.statuses import Status
from orders.statistics.runway import is_dear, runway
from orders.statistics.spending import spending_beside
from orders.table.replies import asks_first, redirect_back, refusal_of, row_or_redirect, the_order
from panel.format.money import is_dollars, sees_money
from panel.format.numbers import number
from panel.web.htmx import wants_htmx
from panel.web.params import read_number
from panel.web.polling import bar_of

KEPT_FORM_SECONDS = 3600  # how long a form that was sent without a session waits for the sign-in
KEPT_FORM_CHARACTERS = 250_000  # a session is a row of the database
LISTED_TASKS = 500  # of what was due in old books; Django refuses more than a thousand fields
MADE_FOR_SECONDS = 24 * 3600  # how long an open form proves whom it was made for: a day of work at the desk
MADE_FOR_CHARACTERS = 200  # a proof has fewer
KEPT_FORMS_A_PERSON = 20  # within ten minutes; each is a row of the database
MADE_FOR_SALT = "orders.ordering"  # of the proof that a form was made for a person of the team


def keeps_typed(view: View) -> View:
    """Keeps a form that is sent after its session ended in a new session, and shows it again after the sign-in."""

    @wraps(view)
    def keeping(request: HttpRequest) -> HttpResponseBase:
        if request.method != "POST" or request.user.is_authenticated or wants_htmx(request):
            return view(request)
        # Without a proof nothing is kept, or strangers could fill the database.
        person_id = made_for(request.POST.get("made_for", ""))
        typed = {name: request.POST.get(name, "") for name in OrderForm.KEPT_FIELDS}
        if person_id is None or sum(map(len, typed.values())) > KEPT_FORM_CHARACTERS:
            return view(request)
        if not throttle.has_room("kept form", str(person_id), most=KEPT_FORMS_A_PERSON):
            return view(request)
        request.session["typed"] = {"by": person_id, "form": typed}
        request.session.set_expiry(KEPT_FORM_SECONDS)
        back = urlencode({"next": f"{reverse('orders:new')}?kept=1"})
        return HttpResponseRedirect(f"{resolve_url(settings.LOGIN_URL)}?{back}")

    return keeping


def made_for(proof: str) -> int | None:
    """The id of the person whom a form was made for, by the proof in it, or None if the proof is forged or too old."""
    try:
        return int(signing.loads(proof[:MADE_FOR_CHARACTERS], salt=MADE_FOR_SALT, max_age=MADE_FOR_SECONDS))
    except signing.BadSignature:
        return None


@require_http_methods(["GET", "POST"])
@keeps_typed
@needs("place")
def new(request: HttpRequest) -> HttpResponse:
    """The order form. A POST without errors leads to the order's own page, however often it is sent."""
    typed = typed_fields(request)
    # `search` comes from a browser without a script, where a GET would put the CSRF token into an address. `keep`
    # comes from a script that brings back what was typed, and `instead` takes a cheaper service: nobody pressed Place.
    if request.method == "POST" and not {"search", "keep", "instead"} & request.POST.keys():
        order, form = place_from_form(typed, request.user)
        if order:
            request.session.pop("typed", None)
            mended = " ".join(form.checkup.mended)
            messages.success(request, format_html("Order <b>{}</b> {}. {}", order.pk, what_next(order, form), mended))
            return HttpResponseRedirect(order.get_absolute_url())
    else:
        form = OrderForm.blank(typed)
    context = {
        **form_context(form, form if form.is_bound else OrderForm(typed), request.user),
        **picker(typed.get("q", ""), str(form["service"].value() or ""), request.user),
        "undo_window": undo_window(request.user),
        "made_for": signing.dumps(request.user.pk, salt=MADE_FOR_SALT),
    }
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.errors else HTTPStatus.OK
    return render(request, "orders/placing/new.html", context, status=status)


def what_next(order: Order, form: OrderForm) -> str:
    """What happens next to the order that a form made."""
    if order.status == Status.APPROVAL:
        return "is saved and waits for approval: a second person decides. Nothing is sent until then"
    asked = bool(form.cleaned_data["ask"])
    return "is saved and will be sent" + " without approval: it is within your limits" * asked


def typed_fields(request: HttpRequest) -> QueryDict:
    """The form's fields: as sent, of an earlier order, as typed before a sign-in, or as the address says."""
    if request.method == "POST":
        typed = request.POST.copy()
        if instead := typed.get("instead"):
            typed["service"] = instead
        if not may(request.user, "customers"):  # the form has no such fields for them, and says nothing of names
            for name in ("customer", "customer_reference"):
                typed.pop(name, None)
        return typed
    typed = QueryDict(mutable=True)
    # By the number of the customer, for a name belongs in no address.
    if whom := read_number(request.GET.get("for")):
        typed.update(request.GET)
        if may(request.user, "customers") and (customer := Customer.objects.kept().filter(pk=whom).first()):
            typed["customer"] = customer.name
        return typed
    kept_form = request.session.get("typed") if "kept" in request.GET else None
    # By the number of the earlier order, for its link belongs in no address.
    if like := read_number(request.GET.get("like")):
        if order := Order.objects.seen_by(request.user).select_related("service").filter(pk=like).first():
            typed.update(OrderForm.fields_of(order))
    elif kept_form and kept_form["by"] == request.user.pk:
        messages.info(request, "You had been signed out. What you typed is here; nothing was sent.")
        typed.update(kept_form["form"])
    else:
        return request.GET
    return typed


def place_from_form(typed: QueryDict, by: Any) -> tuple[Order | None, OrderForm]:
    """Places the order that the form asks for. The order is None when the form has errors."""
    with transaction.atomic():
        # One form at a time for each service, so that its terms and the similar orders stay as they are checked here.
        Service.objects.select_for_update(no_key=True).filter(upstream_id=read_number(typed.get("service"))).first()
        form = OrderForm(typed, repeats=is_known(typed.get("token", ""), by))
        if form.is_valid():
            try:
                return place(by=by, **form.order), form
            except Refusal as refusal:
                form.add_error(None, str(refusal))
    return None, form


def is_known(token: str, by: Any) -> bool:
    """Whether this person's form with this token became an order already."""
    try:
        return Order.objects.filter(form_token=uuid.UUID(token), placed_by=by).exists()
    except ValueError:
        return False


@require_http_methods(["GET", "HEAD", "POST"])
@needs("place")
def receipt(request: HttpRequest) -> HttpResponse:
    """What the order would cost, while somebody types. A POST, for a link belongs in no address; changes nothing."""
    typed = typed_fields(request)
    form = OrderForm.blank(typed)
    other_fields = typed.get("asks") not in (None, form.fields_version)
    context = {**form_context(form, OrderForm(typed), request.user), "other_fields": other_fields}
    return render(request, "orders/placing/_receipt_now.html", context)


def form_context(form: OrderForm, read: OrderForm, by: Any) -> dict[str, object]:
    """What the form's templates want: `form` to show, and what `read`, the same form bound, says of it.

    That is its errors, our estimate of the charge in USD, the balance before and after it, and the limits.
    """
    read.is_valid()
    chosen, cleaned = read.chosen_service, read.cleaned_data
    quantity, runs = cleaned.get("quantity"), cleaned.get("runs") or 1
    names = (name for name in read.shown_fields if name != "link")
    wrong = {"service", "quantity", "runs", "interval", read.service_type.counts} & read.errors.keys()
    one_run = chosen.expected_charge(quantity) if chosen and quantity and not wrong else None
    expected = one_run * runs if one_run is not None else None
    reading = BalanceReading.objects.first()
    balance, currency = (reading.amount, reading.currency) if reading else (None, "USD")
    # From another currency nothing is subtracted.
    after = balance - expected if balance is not None and expected is not None and is_dollars(currency) else None
    dear = after is not None and is_dear(balance, currency, expected)
    return {
        "form": form,
        "read": read,
        "FIELDS": FIELDS,
        "chosen": chosen,
        "quantity": quantity,
        "runs": runs,
        "interval": cleaned.get("interval"),
        "one_run": one_run,
        "expected": expected,
        "balance": balance,
        "currency": currency,
        "after": after,
        "room": room_for(by, chosen, expected, quantity, runs),
        "leaves": runway(after, currency, spending_beside(reading)) if dear and sees_money() else None,
        # That something is cheaper tells of its price as well.
        "cheaper": (cheaper := cheaper_than(chosen, quantity) if sees_money() and not wrong else None),
        "cheaper_charge": cheaper.expected_charge(quantity, runs) if cheaper and quantity else None,
        "dearer": chosen.why_dearer(current().price_jump_percent) if chosen else "",
        "customer_names": suggested_names(str(form["customer"].value() or "")) if may(by, "customers") else [],
        "why": (chosen.why_no_order() or read.error_in(names)) if chosen else "",
    }


@needs("place")
@require_POST
def funding(request: HttpRequest, pk: int) -> HttpResponse:
    """Sends an order that waits for money now, or sets how it goes on. `then` is now, by-itself or press."""
    order, then = the_order(request, pk), request.POST.get("then", "")
    if then == "now":
        why = refusal_of(lambda: send_now(order, by=request.user))
        when = "when sending goes on" if bar_of(request).stopped_at else "as soon as the worker comes to it"
        return redirect_back(request, why, f"Order {pk} is sent {when}.")
    by_itself = then == "by-itself"
    words = f"is {'' if by_itself else 'not '}sent by itself when the balance covers it"
    why = refusal_of(lambda: choose_when_funded(order, by_itself, by=request.user))
    return redirect_back(request, why, f"Order {pk} {words}.")


@needs("place")
def tries(request: HttpRequest, pk: int) -> HttpResponseBase:
    """Sends an order once more, with the same request_id: one that waits for its next try, or one in review.

    About an order in review only those decide who may.
    """
    order = the_order(request, pk)
    if order.waits_again:
        return ask_now(request, order)
    return ask_again(request, pk)


@require_POST
def ask_now(request: HttpRequest, order: Order) -> HttpResponse:
    """Sends an order now that waits for its next try."""
    why = refusal_of(lambda: review.ask_now(order, by=request.user))
    when = "when sending goes on" if bar_of(request).stopped_at else "now"
    return row_or_redirect(request, order.pk, why, f"Order {order.pk} is sent again {when}, with the same request id.")


@needs("decide")
@require_POST
@asks_first
def ask_again(request: HttpRequest, pk: int) -> HttpResponse:
    """Sends an order in review once more."""
    why = refusal_of(lambda: review.ask_again(the_order(request, pk), by=request.user))
    return redirect_back(request, why, f"Order {pk} is sent again, with the same request id.")


@needs("decide")
@require_POST
@asks_first
def adoption(request: HttpRequest, pk: int) -> HttpResponse:
    """Gives an undecided order the id that the person found at the supplier."""
    upstream_id = request.POST.get("upstream_id", "")
    why = refusal_of(lambda: review.adopt(the_order(request, pk), upstream_id, by=request.user))
    done = f"Order {pk} is {upstream_id.strip()} now; the desk checks it at once."
    return redirect_back(request, why, done)


@needs("decide")
@require_POST
@asks_first
def closing(request: HttpRequest, pk: int) -> HttpResponse:
    """Closes an undecided order as not placed; the person gives the reason."""
    why = refusal_of(lambda: review.close(the_order(request, pk), request.POST.get("reason", ""), by=request.user))
    return redirect_back(request, why, f"Order {pk} is closed as not placed.")


@needs("stop")
@require_POST
@recently_proved
def stop(request: HttpRequest) -> HttpResponse:
    """Stops all sending; the person gives the reason."""
    why = refusal_of(lambda: send_switch.stop(request.POST.get("reason", ""), by=request.user))
    return redirect_back(request, why, "Sending is stopped. New orders are saved and wait.")


@needs("stop")
@require_POST
@recently_proved
def resumption(request: HttpRequest) -> HttpResponse:
    """Lets orders go out again."""
    why = refusal_of(lambda: send_switch.resume(by=request.user))
    return redirect_back(request, why, "Sending has started again, oldest orders first.")


@require_safe
@needs("view")
def due_then(request: HttpRequest) -> HttpResponse:
    """What was due in books that may be old, for a manager to release."""
    sending = Sending.objects.filter(old_since__isnull=False).first()
    tasks = old_books.due_then(sending.old_since) if sending and sending.old_since else Task.objects.none()
    now = timezone.now()
    listed = tasks.select_related("order__service", "asked_by")[:LISTED_TASKS]
    context = {
        "sending": sending,
        "rows": [(task, old_books.fate_of(task, now)) for task in listed],
        "in_all": tasks.count(),
        "hours": settings.TRUST_WINDOW_HOURS,
    }
    return render(request, "orders/placing/due_then.html", context)


@needs("decide")
@require_POST
@recently_proved
def release(request: HttpRequest) -> HttpResponse:
    """Releases all, some or none of what was due in old books, and lets orders go out again."""
    which, ticked = request.POST.get("which", ""), {read_number(pk) for pk in request.POST.getlist("task")}
    try:
        done = old_books.release(which, ticked, rested=request.POST.get("rested") == "1", by=request.user)
    except Refusal as refusal:
        messages.warning(request, str(refusal))
        return redirect("orders:due_then")
    messages.success(
        request, f"{number(done.sent)} will be sent, {number(done.left)} will not. New orders are sent again."
    )
    return redirect("orders:index")

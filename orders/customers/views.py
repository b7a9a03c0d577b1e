"""The register of customers, the page of each, and what is kept of them."""

from http import HTTPStatus
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from accounts.access import may, needs
from accounts.factors.proof import recently_proved
from orders.customers.change import add_customer, add_payment, change_customer
from orders.customers.erasure import erase_customer
from orders.customers.find import suggested_names
from orders.customers.form import CustomerForm, PaymentForm
from orders.customers.page import customer_context, register_context
from orders.customers.personal_data import personal_data
from orders.models import Customer
from orders.rules.refusal import Refusal
from panel.format.money import sees_money
from panel.web.htmx import page
from panel.web.params import read_number

any_method = require_http_methods(["GET", "HEAD", "POST"])


@needs("customers")
@any_method
def register(request: HttpRequest) -> HttpResponse:
    """The register. A search is posted, so that no name stands in an address; it changes nothing."""
    asked = request.POST if request.method == "POST" else request.GET
    typed = request.POST.get("q", "")
    context = register_context(typed, 0 if "search" in request.POST else read_number(asked.get("after")))
    return page(request, "orders/customers/register.html", context, fragment="orders/customers/_register.html")


@needs("customers")
@any_method
def found(request: HttpRequest) -> HttpResponse:
    """Names for what is typed into a field so far, as options. Posted: names stand in no address. Changes nothing."""
    names = suggested_names(request.POST.get("customer", ""))
    return render(request, "orders/customers/_names.html", {"names": names})


@needs("customers")
@any_method
def new(request: HttpRequest) -> HttpResponse:
    """The form of a new customer; 422 with what is wrong."""
    form = form_of(request)
    if form.is_valid():
        try:
            customer = add_customer(form.details, by=request.user)
        except Refusal as refusal:
            form.add_error("name", str(refusal))
        else:
            messages.success(request, f"{customer} is in the register.")
            return redirect(customer)
    return form_page(request, form, None)


@needs("customers")
@any_method
def change(request: HttpRequest, pk: int) -> HttpResponse:
    """The form that changes a customer; 422 with what is wrong."""
    customer = the_customer(pk)
    form = form_of(request, customer)
    if form.is_valid():
        try:
            changed = change_customer(customer, form.details, by=request.user)
        except Refusal as refusal:
            form.add_error("name", str(refusal))
        else:
            messages.success(request, "Saved." if changed else "Nothing was changed.")
            return redirect(customer)
    return form_page(request, form, customer)


def form_of(request: HttpRequest, customer: Customer | None = None) -> CustomerForm:
    """The form of a customer, with the fields that this person may fill in."""
    data = request.POST if request.method == "POST" else None
    return CustomerForm(data, customer=customer, prices=may(request.user, "prices"), money=sees_money())


def form_page(request: HttpRequest, form: CustomerForm, customer: Customer | None) -> HttpResponse:
    """The page with the form of a customer."""
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.errors else HTTPStatus.OK
    return render(request, "orders/customers/change.html", {"form": form, "customer": customer}, status=status)


@needs("customers")
@any_method
def show(request: HttpRequest, pk: int) -> HttpResponse:
    """One customer. Posted, finds one of their orders, so that no reference stands in an address."""
    return customer_page(request, the_customer(pk), typed=request.POST.get("ref", ""))


def customer_page(request: HttpRequest, customer: Customer, typed: str = "", **more: Any) -> HttpResponse:
    """The page of a customer; `more` is what a refused form brings back."""
    context = {**customer_context(customer, request.user, typed), **more}
    form = more.get("payment_form")
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form and form.errors else HTTPStatus.OK
    return render(request, "orders/customers/show.html", context, status=status)


@needs("customers")
@needs("money")
@any_method
def payments(request: HttpRequest, pk: int) -> HttpResponse:
    """Writes down what a customer paid; 422 with what is wrong. Back and F5 may come here with a GET."""
    customer = the_customer(pk)
    if request.method != "POST":
        return redirect(customer)
    form = PaymentForm(request.POST)
    if form.is_valid():
        try:
            add_payment(customer, form.cleaned_data["amount"], form.cleaned_data["token"], by=request.user)
        except Refusal as refusal:
            form.add_error("amount", str(refusal))
        else:
            messages.success(request, "The payment is written down.")
            return redirect(customer)
    return customer_page(request, customer, payment_form=form)


@needs("customers")
@needs("export")
@require_POST
def data_file(request: HttpRequest, pk: int) -> HttpResponse:
    """All that is kept of a customer, as a file. A POST, for it records who took what."""
    customer = the_customer(pk)
    try:
        text = personal_data(customer, by=request.user)
    except Refusal as refusal:
        messages.warning(request, str(refusal))
        return redirect(customer)
    name = f'attachment; filename="customer-{pk}.json"'
    return HttpResponse(text, content_type="application/json", headers={"Content-Disposition": name})


@needs("decide")
@any_method
@recently_proved
def erasure(request: HttpRequest, pk: int) -> HttpResponse:
    """Asks before what is personal of a customer is erased, and erases it."""
    customer = the_customer(pk)
    if request.method == "POST" and request.POST.get("sure") == "yes":
        try:
            erased = erase_customer(customer, by=request.user)
        except Refusal as refusal:
            messages.warning(request, str(refusal))
        else:
            said = f"Name, contact and note of customer {pk} are erased. Their orders stay."
            messages.success(request, said if erased else "This customer was erased already.")
        return redirect("customer", pk)
    return render(request, "orders/customers/erasure.html", {"customer": customer})


def the_customer(pk: int) -> Customer:
    """The customer with everything that their page shows, or 404."""
    return get_object_or_404(Customer.objects.select_related("price_list", "created_by"), pk=pk)

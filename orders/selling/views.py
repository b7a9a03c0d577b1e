"""The page of selling prices: its rules, its price lists, and what is sold too low."""

from http import HTTPStatus

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from accounts.access import needs
from accounts.desk_settings import current, typed
from orders.models import Customer, PriceList, SellingRule
from orders.rules.margin import PRECEDENCE, scope_of
from orders.rules.refusal import Refusal
from orders.selling.below import charged_above, unsent_below
from orders.selling.change import make_list, remove_rule, set_rule
from orders.selling.form import RuleForm
from orders.selling.prices import rule_words

RULES_SHOWN = 500
NAMES_SUGGESTED = 200


@needs("prices")
@require_http_methods(["GET", "HEAD", "POST"])
def prices(request: HttpRequest) -> HttpResponse:
    """All rules, and the form that sets one; 422 with what is wrong."""
    form = RuleForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            set_rule(**form.cleaned_data, by=request.user)
        except Refusal as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, "Saved. It holds for orders from now on.")
            return redirect("prices")
    return prices_page(request, form)


def prices_page(request: HttpRequest, form: RuleForm, *, why_no_list: str = "", list_name: str = "") -> HttpResponse:
    """The page with this form. `why_no_list`: why the list of this name was not made."""
    rules = list(SellingRule.objects.select_related("customer", "price_list", "service", "changed_by")[:RULES_SHOWN])
    rules.sort(key=lambda rule: PRECEDENCE.index(scope_of(rule) or PRECEDENCE[-1]))
    charged, more = charged_above()
    context = {
        "form": form, "rules": [(rule, rule_words(rule)) for rule in rules], "precedence": PRECEDENCE,
        "lists": PriceList.objects.all(), "charged": charged, "more_charged": more, "unsent": unsent_below(),
        "floor": typed(current().margin_floor_percent), "why_no_list": why_no_list, "list_name": list_name,
        "names": Customer.objects.kept().order_by("key").values_list("name", flat=True)[:NAMES_SUGGESTED],
    }  # fmt: skip
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.errors or why_no_list else HTTPStatus.OK
    return render(request, "orders/selling/prices.html", context, status=status)


@needs("prices")
@require_POST
def removal(request: HttpRequest, pk: int) -> HttpResponse:
    """Removes a rule."""
    remove_rule(pk, by=request.user)
    messages.success(request, "The rule is removed. Orders that are placed already keep their price.")
    return redirect("prices")


@needs("prices")
@require_http_methods(["GET", "HEAD", "POST"])
def price_lists(request: HttpRequest) -> HttpResponse:
    """Makes a price list; 422 with what is wrong. Back and F5 may come here with a GET."""
    if request.method != "POST":
        return redirect("prices")
    name = request.POST.get("name", "")
    try:
        made = make_list(name, by=request.user)
    except Refusal as refusal:
        return prices_page(request, RuleForm(), why_no_list=str(refusal), list_name=name)
    messages.success(request, f"The price list “{made}” is made. Set a price for it below.")
    return redirect("prices")

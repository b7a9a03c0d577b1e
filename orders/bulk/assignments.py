"""Assigning many orders at once: who has them now, to whom they go, and what came of the press."""

from collections import defaultdict
from http import HTTPStatus
from typing import Any, NamedTuple

from django.contrib import messages
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_http_methods, require_POST

from accounts.access import may, needs
from accounts.models import User
from orders.bulk.selection import ASSIGN, BATCH_ORDERS, GOOD_FOR_SECONDS, Selection
from orders.bulk.views import read_selection
from orders.models import Order
from orders.rules.refusal import Refusal
from orders.table.pasted_ids import PastedOrders
from orders.teamwork.assign_many import NOBODY, assign_many
from orders.teamwork.notes import team
from panel.ops.database import batches
from panel.web.htmx import referer_path
from panel.web.params import read_number
from panel.web.polling import bar_of

SALT = "orders.assignments"


class Picked(NamedTuple):
    """The orders that would be assigned, by who has them: as the page shows them, and as its button carries them."""

    by_person: dict[int, list[int]]  # the assignee's id, or NOBODY → orders
    source: str  # how they were found, in words

    @property
    def orders(self) -> int:
        """How many they are."""
        return sum(map(len, self.by_person.values()))

    @property
    def saw(self) -> dict[int, int]:
        """Each order with the assignee that the page shows."""
        return {pk: person for person, pks in self.by_person.items() for pk in pks}

    def signed(self) -> str:
        """As a text that nobody else can make, for a form's hidden field."""
        pairs = [[person, pks] for person, pks in self.by_person.items()]
        return signing.dumps([pairs, self.source], salt=SALT, compress=True)

    @classmethod
    def read(cls, text: str) -> "Picked":
        """What a text holds that `signed` made; a Refusal for any other text, and when it is too old."""
        try:
            pairs, source = signing.loads(text, salt=SALT, max_age=GOOD_FOR_SECONDS)
        except signing.SignatureExpired:
            raise Refusal("This page is more than a day old. Nothing was assigned; pick the orders again.") from None
        except signing.BadSignature:
            raise Refusal("This page came back incomplete. Nothing was assigned; pick the orders again.") from None
        return cls(dict(pairs), source)

    @classmethod
    def of(cls, selection: Selection) -> "Picked":
        """These orders with who has them now."""
        by_person = defaultdict[int, list[int]](list)
        for pks in batches(selection.orders, BATCH_ORDERS):
            for pk, person in Order.objects.filter(pk__in=pks).order_by("pk").values_list("pk", "assigned_to"):
                by_person[person or NOBODY].append(pk)
        return cls(dict(by_person), selection.source)


@needs("note")
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """Who has the orders that were ticked or that match a filter, and to whom they may go. A GET leads to the list."""
    if request.method != "POST":
        return redirect("orders:index")
    try:
        picked = Picked.of(read_selection(request, PastedOrders([], [], []), ASSIGN))
    except Refusal as refusal:
        return assignment_page(request, None, str(refusal))
    return assignment_page(request, picked)


@needs("note")
@require_POST
def confirmation(request: HttpRequest) -> HttpResponse:
    """Assigns them: `to` is a teammate's id, or `nobody`. Says what was done, and what was left alone."""
    picked, to = None, request.POST.get("to", "")
    try:
        picked = Picked.read(request.POST.get("picked", ""))
        person = User.objects.filter(pk=read_number(to)).first()
        if not person and to != "nobody":
            raise Refusal("Choose whom they are assigned to.")
        done = assign_many(picked.saw, person, by=request.user)
    except Refusal as refusal:
        return assignment_page(request, picked, str(refusal))
    messages.add_message(request, messages.WARNING if done.moved else messages.SUCCESS, done.sentence)
    back = request.POST.get("back", "")
    return redirect(back if url_has_allowed_host_and_scheme(back, allowed_hosts=None) else "orders:index")


def assignment_page(request: HttpRequest, picked: Picked | None, why: str = "") -> HttpResponse:
    """The page with the picked orders by who has them, or `why` nothing was done (422)."""
    names = User.objects.in_bulk(picked.by_person) if picked else {}
    company = bar_of(request).company
    back = request.POST.get("back") or referer_path(request)
    context: dict[str, Any] = {
        "picked": picked,
        "why": why,
        "groups": [(names.get(person), pks) for person, pks in picked.by_person.items()] if picked else [],
        "assignable": [person for person in team() if may(person, "note")],
        "company": {pk: company[pk] for pk in (picked.saw if picked else ()) if pk in company},
        "back": back if back != "/" and url_has_allowed_host_and_scheme(back, allowed_hosts=None) else "",
    }
    status = HTTPStatus.UNPROCESSABLE_ENTITY if why else HTTPStatus.OK
    return render(request, "orders/bulk/assign.html", context, status=status)

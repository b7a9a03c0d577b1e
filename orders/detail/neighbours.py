"""The orders before and after the one on the page, within the list that a person came from."""

from typing import Any

from django.http import HttpRequest, QueryDict

from orders.models import Order
from orders.table.listing import Listing

QUERY_CHARACTERS = 2_000  # longer than any list's address


def came_from(request: HttpRequest) -> str:
    """The query string of the list that the person came from; "" for the list of all orders."""
    return (request.POST.get("from") or request.GET.get("from", ""))[:QUERY_CHARACTERS]


def neighbours(user: Any, query: str, pk: int) -> tuple[int | None, int | None]:
    """The ids of the orders above and below order `pk` in that list, whether or not the list still has `pk` in it."""
    listing = Listing.of(user, QueryDict(query))
    field = listing.sort.field
    key = Order.objects.values_list(field, "pk").get(pk=pk) if field else (None, pk)
    return listing.next_to(key, up=True), listing.next_to(key, up=False)

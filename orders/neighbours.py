"""The orders before and after one, within the list that a person came from."""

from typing import Any

from django.http import HttpRequest, QueryDict

from orders.listing import Listing

QUERY_CHARACTERS = 2_000  # longer than any list's address


def came_from(request: HttpRequest) -> str:
    """The query string of the list that one came from; "" for the whole list."""
    return (request.POST.get("from") or request.GET.get("from", ""))[:QUERY_CHARACTERS]


def neighbours(user: Any, query: str, pk: int) -> tuple[int | None, int | None]:
    """The ids of the next newer and the next older order of that list, whether or not `pk` still is in it."""
    orders = Listing.of(user, QueryDict(query)).orders()
    newer = orders.filter(pk__gt=pk).order_by("pk").values_list("pk", flat=True)
    older = orders.filter(pk__lt=pk).order_by("-pk").values_list("pk", flat=True)
    return newer.first(), older.first()

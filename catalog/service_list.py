"""The list of services as an address asks for it: its filters, its order, and its pages by keyset."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cached_property, reduce
from typing import Any, Self
from urllib.parse import urlencode

from django.core.exceptions import ObjectDoesNotExist
from django.db.models import Q
from django.http import HttpRequest
from django.urls import reverse

from catalog.category_tree import Tree, category_tree
from catalog.favourites import starred
from catalog.models import Change, Service, ServiceQuerySet
from catalog.rate_charts import RECENT_SPAN, rate_charts
from panel.web.paging import one_more
from panel.web.params import read_number

ROWS_A_PAGE = 100
COUNTED_SERVICES = 1_000  # that match; beyond that the page says 1,000+
PARAM_CHARACTERS = 300  # the rest of a longer parameter is ignored
FLAGS = ("refill", "cancel", "dripfeed")
RATE = re.compile(r"\d{1,9}(\.\d{1,6})?")  # USD
# The parameters of an address, and which values of each make sense; all others are ignored.
PARAMS: Mapping[str, Callable[[str], object]] = {
    "q": str.strip, "category": str.strip, "only": {"favourites", "lately", "gone"}.__contains__,
    **dict.fromkeys(FLAGS, {"1"}.__contains__), "rate": RATE.fullmatch, "minimum": read_number,
    "sort": {"rate", "score"}.__contains__,
}  # fmt: skip
SORTS = {"": ("category", "upstream_id"), "rate": ("rate", "upstream_id"),
         # By the row that orders/statistics/scores.py keeps; services without one are left out.
         "score": ("score__rank", "upstream_id")}  # fmt: skip


@dataclass(frozen=True)
class ServiceList:
    """One list of services for one person. Index it by a parameter to get its text, "" when it is not given."""

    user: Any
    params: Mapping[str, str]  # only those that make sense
    after: str  # upstream's id of the service before this page

    @classmethod
    def read(cls, request: HttpRequest) -> Self:
        """The list that the request's address asks for."""
        typed = {name: request.GET.get(name, "").replace("\0", "")[:PARAM_CHARACTERS] for name in PARAMS}
        params = {name: text for name, text in typed.items() if PARAMS[name](text)}
        return cls(request.user, params, request.GET.get("after", ""))

    @cached_property
    def tree(self) -> Tree:
        """The tree of categories beside the list; one query, the first time."""
        return category_tree()

    def __getitem__(self, name: str) -> str:
        return self.params.get(name, "")

    @property
    def rate(self) -> Decimal:
        """The dearest rate that matches, in USD; only for a list that has one."""
        return Decimal(self["rate"])

    @property
    def minimum(self) -> int:
        """The largest minimum that matches; 0 for any."""
        return read_number(self["minimum"])

    @property
    def filters(self) -> dict[str, str]:
        """The parameters that narrow the list, each with the address of the list without it."""
        return {name: self.address(**{name: ""}) for name in self.params if name != "sort"}

    def address(self, **other: str) -> str:
        """The address of the first page of this list, with these parameters in place of its own."""
        query = urlencode({name: text for name, text in {**self.params, **other}.items() if text})
        return f"{reverse('catalog:index')}?{query}" if query else reverse("catalog:index")

    def services(self, now: datetime) -> ServiceQuerySet:
        """All services that match, in no order yet."""
        only = {
            # A search may be for the id of a service that is gone: orders lead here with it.
            "": Q() if self["q"] else Q(active=True),
            "gone": Q(active=False),
            "favourites": Q(pk__in=starred(self.user)),
            "lately": Q(pk__in=Change.objects.since(now - RECENT_SPAN).values("service")),
        }
        services = Service.objects.matching(self["q"]).filter(**{flag: True for flag in FLAGS if self[flag]})
        services = services.filter(only[self["only"]])
        if self["category"]:
            services = services.filter(category__in=self.tree.under(self["category"]))
        if self["rate"]:
            services = services.filter(rate__lte=self.rate)
        if self["sort"] == "score":
            services = services.filter(score__isnull=False)
        return services.filter(minimum__lte=self.minimum) if self["minimum"] else services

    def page(self, now: datetime) -> dict[str, object]:
        """What `catalog/_rows.html` shows: one page and how many match, in a few queries however many there are."""
        matching, order = self.services(now), SORTS[self["sort"]]
        following = after_service(matching, order, self.after).for_list(self.user).order_by(*order)
        services, more = one_more(following, ROWS_A_PAGE)
        return {
            "wanted": self,
            "services": services,
            "more": self.address(after=str(services[-1].upstream_id)) if more else "",
            # A list that ends on its first page needs no count, which would search every service for the words.
            "matching": matching.order_by()[: COUNTED_SERVICES + 1].count() if more or self.after else len(services),
            "most_counted": COUNTED_SERVICES,
            "sparks": rate_charts(services, now),
        }


def after_service(services: ServiceQuerySet, order: tuple[str, str], upstream_id: str) -> ServiceQuerySet:
    """The services that come after the given service in this order, or all when there is no such service."""
    last = service_with_id(upstream_id)
    if last is None:
        return services
    (field, value), (next_field, next_value) = ((name, value_of(last, name)) for name in order)
    if value is None:
        return services
    same = Q(**{field: value, f"{next_field}__gt": next_value})
    return services.filter(Q(**{f"{field}__gt": value}) | same)


def value_of(service: Service, name: str) -> Any:
    """The value by which a service is sorted; None where it has no score."""
    try:
        return reduce(getattr, name.split("__"), service)
    except ObjectDoesNotExist:
        return None


def service_with_id(upstream_id: str, among: ServiceQuerySet | None = None) -> Service | None:
    """The service with upstream's id, or None when there is none or the text is no id."""
    number = read_number(upstream_id)
    services = Service.objects.all() if among is None else among
    return services.filter(upstream_id=number).first() if number else None


def tree_counts(user: Any, now: datetime) -> dict[str, int]:
    """How many services are behind “Favourites” and “Changed lately”, the latter up to COUNTED_SERVICES + 1."""
    lately = Change.objects.since(now - RECENT_SPAN).order_by().values("service").distinct()
    return {"favourites": starred(user).count(), "lately": lately[: COUNTED_SERVICES + 1].count()}

"""Which services a person looks for: read from the address, listed by keyset, and what to loosen when none fits."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from typing import Any, Self
from urllib.parse import urlencode

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
FLAGS = ("refill", "cancel", "dripfeed")
ONLY_VALUES = ("favourites", "lately", "gone")
RATE = re.compile(r"\d{1,9}(\.\d{1,6})?")  # USD


def one_of(*words: str) -> Callable[[str], bool]:
    return words.__contains__


# What an address may say, and whether what stands there makes sense; what makes none is as if it were not there.
PARAMS: Mapping[str, Callable[[str], object]] = {
    "q": str.strip, "category": str.strip, "only": one_of(*ONLY_VALUES), **dict.fromkeys(FLAGS, one_of("1")),
    "rate": RATE.fullmatch, "minimum": read_number, "sort": one_of("rate"),
}  # fmt: skip
PARAM_CHARACTERS = 300  # characters of any
SORTS = {"": ("category", "upstream_id"), "rate": ("rate", "upstream_id")}


@dataclass(frozen=True)
class ServiceList:
    """What an address asks for: `said` holds what is in it and makes sense, `after` the service before this page."""

    user: Any
    said: Mapping[str, str]
    after: str

    @classmethod
    def read(cls, request: HttpRequest) -> Self:
        typed = {name: request.GET.get(name, "").replace("\0", "")[:PARAM_CHARACTERS] for name in PARAMS}
        said = {name: text for name, text in typed.items() if PARAMS[name](text)}
        return cls(request.user, said, request.GET.get("after", ""))

    @cached_property
    def tree(self) -> Tree:
        return category_tree()

    def __getitem__(self, name: str) -> str:
        return self.said.get(name, "")

    @property
    def rate(self) -> Decimal:
        """The dearest, in USD."""
        return Decimal(self["rate"])

    @property
    def minimum(self) -> int:
        return read_number(self["minimum"])

    @property
    def filters(self) -> dict[str, str]:
        """What narrows the list, each with the address that does without it."""
        return {name: self.address(**{name: ""}) for name in self.said if name != "sort"}

    def address(self, **other: str) -> str:
        """The same list but for these; of a list of its own the first page."""
        query = urlencode({name: text for name, text in {**self.said, **other}.items() if text})
        return f"{reverse('catalog:index')}?{query}" if query else reverse("catalog:index")

    def services(self, now: datetime) -> ServiceQuerySet:
        """All that match, in no order yet."""
        found = Service.objects.all().matching(self["q"]).filter(**{flag: True for flag in FLAGS if self[flag]})
        if self["only"] == "gone":
            found = found.filter(active=False)
        elif self["only"] == "favourites":
            found = found.filter(pk__in=starred(self.user))
        elif self["only"] == "lately":
            found = found.filter(pk__in=Change.objects.since(now - RECENT_SPAN).values("service"))
        elif not self["q"]:  # who searches for a service by its id may look for one that is gone: orders lead here
            found = found.active()
        if self["category"]:
            found = found.filter(category__in=self.tree.under(self["category"]))
        if self["rate"]:
            found = found.filter(rate__lte=self.rate)
        return found.filter(minimum__lte=self.minimum) if self["minimum"] else found

    def page(self, now: datetime) -> dict[str, object]:
        """What `catalog/_rows.html` wants: one page and how many match, in a few queries however many there are."""
        matching, order = self.services(now), SORTS[self["sort"]]
        following = after_service(matching, order, self.after).for_list(self.user).order_by(*order)
        services, more = one_more(following, ROWS_A_PAGE)
        return {
            "wanted": self,
            "services": services,
            "more": self.address(after=str(services[-1].upstream_id)) if more else "",
            # A list that ends on its first page is counted already: words are looked for in every service.
            "matching": matching.order_by()[: COUNTED_SERVICES + 1].count() if more or self.after else len(services),
            "most_counted": COUNTED_SERVICES,
            "sparks": rate_charts(services, now),
        }


def after_service(services: ServiceQuerySet, order: tuple[str, str], upstream_id: str) -> ServiceQuerySet:
    """What comes after that service in this order; all of it when there is no such service."""
    last = service_with_id(upstream_id)
    if last is None:
        return services
    first, then = ((name, getattr(last, name)) for name in order)
    same = Q(**{first[0]: first[1], f"{then[0]}__gt": then[1]})
    return services.filter(Q(**{f"{first[0]}__gt": first[1]}) | same)


def service_with_id(upstream_id: str, among: ServiceQuerySet | None = None) -> Service | None:
    """The service with upstream's number, if there is one; anything else is None."""
    wanted = read_number(upstream_id)
    services = Service.objects.all() if among is None else among
    return services.filter(upstream_id=wanted).first() if wanted else None


def tree_counts(user: Any, now: datetime) -> dict[str, int]:
    """How many are behind the tree's first lines."""
    lately = Change.objects.since(now - RECENT_SPAN).order_by().values("service").distinct()
    return {"favourites": starred(user).count(), "lately": lately[: COUNTED_SERVICES + 1].count()}

"""The services that the order form offers: by the words typed, and before that those that this person and team use."""

from collections import Counter
from typing import Any, NamedTuple

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.access import needs
from catalog.favourites import starred
from catalog.models import Service, ServiceQuerySet
from catalog.service_list import service_with_id
from orders.models import Order
from orders.rules.service_types import service_type_of

PICKER_ROWS = 20  # services: more words find better than more scrolling
PICKER_CHARACTERS = 200  # of what is typed; the rest is ignored
# The newest orders in which we look for what is used: so few that a page costs the same on any desk.
OWN_ORDERS = 100
TEAM_ORDERS = 500
USED_ROWS = 5  # services that a person used last, and as many that the team used most
CHEAPER_ROWS = 10  # services that are read to find a cheaper one


class Group(NamedTuple):
    """Services that stand together in the picker, under a title or "". `chosen`: the choice that no search found."""

    title: str
    services: list[Service]
    chosen: bool = False


class Used(NamedTuple):
    """Our ids of services by why they come first, each in the order in which they are shown."""

    favourites: list[int]
    lately: list[int]  # that this person ordered last
    most: list[int]  # that the team ordered most of late

    @classmethod
    def by(cls, user: Any) -> "Used":
        """What this person and the team use."""
        newest = Order.objects.seen_by(user).order_by("-pk").values_list("service_id", flat=True)
        lately = dict.fromkeys(newest.filter(placed_by=user)[:OWN_ORDERS])
        most = Counter(newest[:TEAM_ORDERS]).most_common(USED_ROWS)
        favourites = starred(user).order_by("service").values_list("service", flat=True)[:PICKER_ROWS]
        return cls(list(favourites), list(lately)[:USED_ROWS], [service for service, _ in most])

    @property
    def all(self) -> list[int]:
        """All of them, each once."""
        return list(dict.fromkeys((*self.favourites, *self.lately, *self.most)))


@needs("place")
@require_safe
def picker_services(request: HttpRequest) -> HttpResponse:
    """The services that the order form offers for the words typed so far."""
    q, chosen = request.GET.get("q", ""), request.GET.get("service", "")
    return render(request, "catalog/_found.html", {**picker(q, chosen, request.user), "open": True})


def picker(q: str, chosen: str, user: Any) -> dict[str, object]:
    """What `_found.html` shows: services on sale that match `q`, and always the chosen service (an upstream id).

    The list is `open` until one is chosen that can be ordered.
    """
    words = q[:PICKER_CHARACTERS].strip()
    rows = Service.objects.for_list(user).with_undecided()
    service = service_with_id(chosen, rows)
    if words:
        groups = found_by(words, rows, Used.by(user))
    elif service and not service.active:
        groups = instead_of(service, rows)
    else:
        groups = used_first(rows, Used.by(user))
    shown = [one for group in groups for one in group.services]
    if service and service not in shown:
        groups.insert(0, Group("Chosen", [service], chosen=True))
        shown.insert(0, service)
    return {
        "groups": groups,
        "services": shown,
        "q": q,
        "chosen_id": service.upstream_id if service else None,
        "total_active": Service.objects.active().count(),
        "open": service is None or not service.active,
    }


def found_by(words: str, rows: ServiceQuerySet, used: Used) -> list[Group]:
    """The services with these words, first the one whose id they are, then those that are used."""
    matching = rows.active().matching(words)
    exact = service_with_id(words, matching)
    before = [*([exact.pk] if exact else []), *used.all]
    first = sorted(matching.filter(pk__in=before), key=lambda service: before.index(service.pk))[:PICKER_ROWS]
    return [Group("", [*first, *matching.exclude(pk__in=before)[: PICKER_ROWS - len(first)]])]


def instead_of(gone: Service, rows: ServiceQuerySet) -> list[Group]:
    """The services of the category that this one had, those of its type first; others are found by words."""
    alike = list(rows.active().filter(category=gone.category, type=gone.type)[:PICKER_ROWS])
    others = rows.active().filter(category=gone.category).exclude(type=gone.type)[: PICKER_ROWS - len(alike)]
    groups = [Group(f"On sale in {gone.category}", [*alike, *others])]
    return groups if groups[0].services else [Group("On sale", list(rows.active()[:PICKER_ROWS]))]


def used_first(rows: ServiceQuerySet, used: Used) -> list[Group]:
    """Favourites, then what this person used last, then what the team uses most, then others until the list is full."""
    services = {service.pk: service for service in rows.active().filter(pk__in=used.all)}
    groups, left = [], PICKER_ROWS
    for title, pks in (
        ("Your favourites", used.favourites),
        ("You used lately", used.lately),
        ("The team uses most", used.most),
    ):
        members = [services.pop(pk) for pk in pks if pk in services][:left]
        left -= len(members)
        groups.append(Group(title, members))
    others = list(rows.active().exclude(pk__in=used.all)[:left])
    used_groups = [group for group in groups if group.services]
    return [*used_groups, Group("Others" if used_groups else "", others)] if others else used_groups


def cheaper_than(service: Service | None, quantity: int | None) -> Service | None:
    """The cheapest service that surely gives the same for less, or None.

    Sure is: category, type and flags are alike, it takes this quantity, and nothing about it is in doubt: no hold, no
    change without a decision, no row that cannot be read. A package may hold anything, so none is compared.
    """
    sure = service and quantity and service.active and service_type_of(service).known and not service.bought_whole
    if not sure or service is None:
        return None
    takes = Service.objects.equal_to(service).filter(minimum__lte=quantity, maximum__gte=quantity)
    certain = takes.filter(rate__lt=service.rate, rate__gt=0, held_over=None, unread_since=None).with_undecided()
    cheapest = certain.order_by("rate", "upstream_id")[:CHEAPER_ROWS]
    return next((other for other in cheapest if other.undecided_id is None), None)

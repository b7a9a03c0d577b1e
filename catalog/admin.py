"""The catalog in Django's admin, where owners find and read what upstream says. Only upstream changes it."""

from collections.abc import Callable
from functools import partial
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString

from catalog import changes
from catalog.models import Change, Favourite, RateChange, Service, SetAside, ShrinkAlarm
from panel.format.money import money
from panel.format.numbers import number
from panel.web.admin_groups import CATALOG, PEOPLE
from panel.web.admin_list import ValuesFilter
from panel.web.admin_record import RecordAdmin, RecordInline, clipped, leading


# ── Columns ──────────────────────────────────────────────────────────────────────────────────────
def service_page(service: Service) -> str:
    """The address of the desk's list of services with this one alone."""
    return f"{reverse('catalog:index')}?q={service.upstream_id}"


@admin.display(description="Name", ordering="name")
def name_of(service: Service) -> SafeString:
    """The beginning of a service's name."""
    return clipped(service.name)


@admin.display(description="Category", ordering="category")
def category_of(service: Service) -> SafeString:
    """The beginning of a service's category."""
    return clipped(service.category)


@admin.display(description="Rate", ordering="rate")
def rate_of(service: Service) -> str:
    """The price of 1000 units, or of a package."""
    return money(service.rate)


@admin.display(description="Quantity")
def limits_of(service: Service) -> str:
    """The smallest and the largest quantity."""
    return f"{number(service.minimum)} to {number(service.maximum)}"


@admin.display(description="Was", ordering="was")
def was_of(change: RateChange) -> str:
    """The rate before."""
    return money(change.was)


@admin.display(description="Now", ordering="now")
def now_of(change: RateChange) -> str:
    """The rate after."""
    return money(change.now)


@admin.display(description="Service", ordering="service")
def service_of(record: Any) -> SafeString:
    """Number and name of a record's service, as a link to it on the desk."""
    return leading(clipped(record.service), service_page(record.service))


@admin.display(description="What changed")
def moves_of(change: Change) -> SafeString:
    """The fields of a change, each with what it was and what it is."""
    return clipped("; ".join(f"{move.what}: {move.was} → {move.now}" for move in change.moves))


# ── Actions: each is the verb of a button on the page Services → Changes ─────────────────────────
Verb = Callable[[int, HttpRequest], bool | int]


def decide(words: str, said: str, verb: Verb) -> Any:
    """An action that makes one decision about each ticked change that it still can be made of."""

    @admin.action(description=words)
    def action(keeper: RecordAdmin, request: HttpRequest, chosen: "QuerySet[Change]") -> None:
        pks = list(chosen.values_list("pk", flat=True))
        done = sum(bool(verb(pk, request)) for pk in pks)
        left = len(pks) - done
        why = f" Left as they were, because somebody has decided: {number(left)}." if left else ""
        keeper.message_user(request, f"{said}: {number(done)}.{why}")

    action.__name__ = words.partition(" ")[0].lower()
    return action


accept = decide(
    "Accept the change", "Changes accepted",
    lambda pk, request: changes.accept([pk], by=request.user, at=timezone.now()),
)  # fmt: skip
hold = decide(
    "Hold the service", "Services put on hold",
    lambda pk, request: changes.hold(pk, by=request.user, at=timezone.now()),
)  # fmt: skip
release = decide(
    "Lift the hold", "Holds lifted",
    lambda pk, request: changes.release(pk, by=request.user, at=timezone.now()),
)  # fmt: skip


# ── The lists ────────────────────────────────────────────────────────────────────────────────────
class RateInline(RecordInline):
    """The changes of a service's rate, on its admin page."""

    model = RateChange
    fields = readonly_fields = (was_of, now_of, "at")  # type: ignore[assignment]  # Django takes functions here


register = partial(admin.site.register, admin_class=RecordAdmin)
register(
    Service,
    group=CATALOG,
    leads=True,
    names=("service", "services"),
    field_names={"upstream_id": "service", "active": "on sale"},
    list_display=("upstream_id", name_of, category_of, "type", rate_of, limits_of, "refill", "cancel", "active"),
    list_filter=("active", ("type", ValuesFilter), "refill", "cancel", "dripfeed"),
    search_fields=("=upstream_id", "haystack"),
    search_help_text="A service’s number finds it anywhere; words, in this list. The page Services searches all words.",
    inlines=(RateInline,),
    on_desk=service_page,
)
register(
    RateChange,
    group=CATALOG,
    names=("price change", "price changes"),
    field_names={"at": "seen at"},
    list_display=("at", service_of, was_of, now_of),
    list_filter=("at",),
    list_select_related=("service",),
    search_fields=("=service__upstream_id", "service__haystack"),
    search_help_text="A service’s number finds its price changes anywhere; words of the service, in this list.",
    on_desk=lambda change: service_page(change.service),
)
register(
    Change,
    group=CATALOG,
    names=("change to decide", "changes to decide"),
    field_names={"at": "seen at", "released_at": "hold lifted at", "released_by": "hold lifted by"},
    list_display=(
        "at", service_of, moves_of, "decision", "decided_by", "decided_at", "released_by", "released_at",
    ),
    list_filter=("decision", "at"),
    list_select_related=("service", "decided_by", "released_by"),
    search_fields=("service__haystack",),  # no `=`: no index finds all changes of a service
    search_help_text="Words or number of the service, in this list.",
    actions=(accept, hold, release),
    on_desk=lambda change: reverse("catalog:changes"),
)  # fmt: skip
register(
    SetAside,
    group=CATALOG,
    names=("unreadable row of the catalog", "unreadable rows of the catalog"),
    field_names={"raw": "as the supplier sent it", "why": "reason"},
    list_display=("why", "first_seen_at", "raw"),
    search_fields=("why", "raw"),
)
register(
    ShrinkAlarm,
    group=CATALOG,
    names=("catalog with many services missing", "catalogs with many services missing"),
    field_names={"listed": "services listed", "missing": "services missing"},
    list_display=("raised_at", "listed", "missing", "accepted_by", "accepted_at", "closed_at"),
    list_filter=("closed_at",),
    list_select_related=("accepted_by",),
    on_desk=lambda alarm: reverse("catalog:index"),
)
register(
    Favourite,
    group=PEOPLE,
    names=("favourite service", "favourite services"),
    list_display=("user", service_of),
    list_select_related=("user", "service"),
    search_fields=("=service__upstream_id", "user__name"),
    on_desk=lambda favourite: service_page(favourite.service),
)

"""The catalog in Django's admin, where owners find and read what upstream says. Only upstream changes it."""

from functools import partial

from django.contrib import admin

from catalog.models import Change, Favourite, RateChange, Service, SetAside, ShrinkAlarm
from panel.web.admin_list import ValuesFilter
from panel.web.admin_record import RecordAdmin, RecordInline


class RateInline(RecordInline):
    """The changes of a service's rate, on its admin page."""

    model = RateChange
    fields = readonly_fields = ("was", "now", "at")


register = partial(admin.site.register, admin_class=RecordAdmin)
register(
    Service,
    list_display=(
        "upstream_id",
        "name",
        "type",
        "category",
        "rate",
        "minimum",
        "maximum",
        "refill",
        "cancel",
        "active",
    ),
    list_filter=("active", ("type", ValuesFilter), "refill", "cancel", "dripfeed"),
    search_fields=("=upstream_id", "haystack"),
    search_help_text="Upstream’s id; or words, of the services that the list is about. The page Services searches all.",
    inlines=(RateInline,),
)
register(
    RateChange,
    list_display=("at", "service", "was", "now"),
    list_filter=("at",),
    list_select_related=("service",),
    search_fields=("=service__upstream_id", "service__haystack"),
    search_help_text="Upstream’s id of the service; or words of it, of the changes that the list is about.",
)
register(
    Change,
    list_display=("at", "service", "moved", "decision", "decided_by", "decided_at", "released_by", "released_at"),
    list_filter=("decision", "at"),
    list_select_related=("service", "decided_by", "released_by"),
    search_fields=("service__haystack",),  # no `=`: no index finds all changes of a service
    search_help_text="Words or upstream’s id of the service, of the changes that the list is about.",
)
register(
    Favourite,
    list_display=("user", "service"),
    list_select_related=("user", "service"),
    search_fields=("=service__upstream_id", "user__name"),
)
register(SetAside, list_display=("why", "first_seen_at", "raw"), search_fields=("why", "raw"))
register(
    ShrinkAlarm,
    list_display=("raised_at", "listed", "missing", "accepted_by", "accepted_at", "closed_at"),
    list_filter=("closed_at",),
    list_select_related=("accepted_by",),
)

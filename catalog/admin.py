"""The catalog for owners: upstream's words, to find and to read. Only upstream changes them."""

from django.contrib import admin

from catalog.models import Change, Favourite, RateChange, Service, SetAside, ShrinkAlarm
from panel.web.admin_record import RecordAdmin


class RateInline(admin.TabularInline):  # type: ignore[type-arg]
    model = RateChange
    fields = readonly_fields = ("was", "now", "at")
    extra = 0
    can_delete = False

    def has_add_permission(self, request: object, obj: object = None) -> bool:
        return False


@admin.register(Service)
class ServiceAdmin(RecordAdmin):
    list_display = (
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
    )
    list_filter = ("active", "type", "refill", "cancel", "dripfeed")
    search_fields = ("=upstream_id", "haystack")
    inlines = (RateInline,)


@admin.register(RateChange)
class RateChangeAdmin(RecordAdmin):
    list_display = ("at", "service", "was", "now")
    list_filter = ("at",)
    list_select_related = ("service",)
    search_fields = ("=service__upstream_id", "service__haystack")


@admin.register(Change)
class ChangeAdmin(RecordAdmin):
    list_display = ("at", "service", "moved", "decision", "decided_by", "decided_at", "released_by", "released_at")
    list_filter = ("decision", "at")
    list_select_related = ("service", "decided_by", "released_by")
    search_fields = ("=service__upstream_id", "service__haystack")


@admin.register(Favourite)
class FavouriteAdmin(RecordAdmin):
    list_display = ("user", "service")
    list_select_related = ("user", "service")
    search_fields = ("=service__upstream_id", "user__name")


@admin.register(SetAside)
class SetAsideAdmin(RecordAdmin):
    list_display = ("why", "first_seen_at", "raw")
    search_fields = ("why", "raw")


@admin.register(ShrinkAlarm)
class ShrinkAlarmAdmin(RecordAdmin):
    list_display = ("raised_at", "listed", "missing", "accepted_by", "accepted_at", "closed_at")
    list_filter = ("closed_at",)
    list_select_related = ("accepted_by",)

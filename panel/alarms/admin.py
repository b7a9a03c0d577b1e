"""The alarms, for owners to read."""

from django.contrib import admin

from panel.alarms.models import Alarm, Notice, Recipient, Sighting, Watch
from panel.web.admin_record import RecordAdmin


@admin.register(Alarm)
class AlarmAdmin(RecordAdmin):
    list_display = ("kind", "subject", "raised_at", "ended_at", "sentence")
    list_filter = ("kind",)


@admin.register(Notice)
class NoticeAdmin(RecordAdmin):
    list_display = ("alarm", "to", "channel", "over", "due_at", "attempts", "sent_at", "dropped_at", "trouble")
    list_select_related = ("alarm", "to__user")


@admin.register(Recipient)
class RecipientAdmin(RecordAdmin):
    list_display = ("__str__", "kinds", "over_too", "quiet_from", "quiet_until", "serious_anyway")
    list_select_related = ("user",)


@admin.register(Sighting)
class SightingAdmin(RecordAdmin):
    list_display = ("alarm", "user", "at")
    list_select_related = ("alarm", "user")


@admin.register(Watch)
class WatchAdmin(RecordAdmin):
    list_display = ("looked_at", "due_at")

"""The admin for owners: the records of panel's rooms and of the admin itself, and its sign-in."""

from typing import Any

from allauth.account.models import EmailAddress
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from accounts.access import why_not
from panel.alarms.kinds import KINDS
from panel.alarms.models import Alarm, Notice, Recipient, Sighting, Watch
from panel.upstream.models import Beat, Chore, Upstream, Window
from panel.web.admin_list import ValuesFilter
from panel.web.admin_record import RecordAdmin

RECORDS: dict[type[Model], dict[str, Any]] = {
    Upstream: {"list_display": ("spoke_at", "trouble", "trouble_since", "paused_until")},
    Beat: {
        "list_display": ("name", "roles", "started_at", "beat_at", "stopped_at", "calls"),
        "search_fields": ("name",),
    },
    Window: {
        "list_display": ("number", "ends_at", "key_left", "key_limit", "place", "ask", "look", "upkeep", "denied")
    },
    Chore: {"list_display": ("name", "due_at", "done_at", "trouble")},
    LogEntry: {
        "list_display": ("action_time", "user", "content_type", "object_repr", "action_flag", "change_message"),
        "list_filter": ("action_flag", "action_time"),
        "list_select_related": ("user", "content_type"),
        "search_fields": ("object_repr", "change_message"),
    },
    Alarm: {
        "list_display": ("kind", "subject", "raised_at", "ended_at", "sentence"),
        "list_filter": (("kind", ValuesFilter.of(KINDS)),),
    },
    Notice: {
        "list_display": ("alarm", "to", "channel", "over", "due_at", "attempts", "sent_at", "dropped_at", "trouble"),
        "list_select_related": ("alarm", "to__user"),
    },
    Recipient: {
        "list_display": ("__str__", "kinds", "over_too", "quiet_from", "quiet_until", "serious_anyway"),
        "list_select_related": ("user",),
    },
    Sighting: {"list_display": ("alarm", "user", "at"), "list_select_related": ("alarm", "user")},
    Watch: {"list_display": ("looked_at", "due_at")},
}


def sign_in(request: HttpRequest, extra_context: object = None) -> HttpResponse:
    """Replaces Django's sign-in page, which has no throttle.

    A stranger is sent to the desk's own sign-in page, a teammate who is not an owner is told why not.
    """
    if not request.user.is_authenticated:
        return redirect_to_login(request.GET.get("next", reverse("admin:index")))
    if why := why_not(request.user, "administer"):
        raise PermissionDenied(why)
    return redirect("admin:index")


admin.site.login = sign_in  # type: ignore[method-assign]
admin.site.site_header = admin.site.site_title = "Order Desk"
admin.site.index_title = "For owners"
admin.site.unregister(EmailAddress)  # the desk keeps one address for each person, with the person
admin.site.unregister(Group)  # the role decides everything
for model, options in RECORDS.items():
    admin.site.register(model, RecordAdmin, **options)

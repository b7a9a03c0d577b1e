"""The admin for owners: the records of panel's rooms and of the admin itself, and its sign-in."""

from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.conf.locale.en_GB import formats  # type: ignore[import-untyped]
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
from panel.alarms.kinds import KINDS, kind_of
from panel.alarms.models import Alarm, Notice, Recipient, Sighting, Watch
from panel.upstream.models import EVERY_ROLE, Beat, Chore, Upstream, Window
from panel.web.admin_groups import CATALOG, MONEY, ORDERS, PEOPLE, SYSTEM, grouped
from panel.web.admin_list import ValuesFilter
from panel.web.admin_record import RecordAdmin


@admin.display(description="Alarm", ordering="kind")
def title_of(alarm: Alarm) -> str:
    """What this kind of alarm is called."""
    return alarm.about.title


@admin.display(description="Alarms")
def kinds_of(recipient: Recipient) -> str:
    """The alarms that a recipient has chosen."""
    return ", ".join(kind_of(kind).title for kind in recipient.kinds) or "none"


@admin.display(description="Work")
def work_of(worker: Beat) -> str:
    """What a worker does."""
    return "everything" if worker.roles == EVERY_ROLE else ", ".join(worker.roles.split())


@admin.display(description="Connection")
def state_of(connection: Upstream) -> str:
    """What is wrong with the connection to the supplier, if anything is."""
    return str(connection)


RECORDS: dict[type[Model], dict[str, Any]] = {
    Recipient: {
        "group": PEOPLE,
        "names": ("alarm recipient", "alarm recipients"),
        "list_display": ("__str__", kinds_of, "over_too", "quiet_from", "quiet_until", "serious_anyway"),
        "list_select_related": ("user",),
        "on_desk": lambda recipient: reverse("alarm_choices"),
    },
    Alarm: {
        "group": SYSTEM,
        "leads": True,
        "names": ("alarm", "alarms"),
        "field_names": {"raised_at": "began at"},
        "list_display": (title_of, "raised_at", "ended_at", "sentence"),
        "list_filter": (("kind", ValuesFilter.of({name: kind.title for name, kind in KINDS.items()})),),
        "on_desk": lambda alarm: reverse("alarms"),
    },
    Notice: {
        "group": SYSTEM,
        "names": ("alarm message", "alarm messages"),
        "field_names": {"over": "says that it ended", "due_at": "to be sent at", "attempts": "tries"},
        "list_display": ("alarm", "to", "channel", "over", "due_at", "attempts", "sent_at", "dropped_at", "trouble"),
        "list_select_related": ("alarm", "to__user"),
    },
    Upstream: {
        "group": SYSTEM,
        "names": ("connection to the supplier", "connection to the supplier"),
        "field_names": {"spoke_at": "last answer"},
        "list_display": (state_of, "spoke_at", "trouble_since", "paused_until"),
        "on_desk": lambda connection: reverse("calls"),
    },
    Beat: {
        "group": SYSTEM,
        "names": ("worker", "workers"),
        "field_names": {"beat_at": "last seen", "calls": "calls to the supplier"},
        "list_display": ("name", work_of, "started_at", "beat_at", "stopped_at", "calls"),
        "search_fields": ("name",),
        "on_desk": lambda worker: reverse("calls"),
    },
    Chore: {
        "group": SYSTEM,
        "names": ("recurring task", "recurring tasks"),
        "field_names": {"due_at": "next run", "done_at": "last run that went well", "trouble": "what went wrong"},
        "list_display": ("name", "due_at", "done_at", "trouble"),
        "on_desk": lambda chore: reverse("calls"),
    },
    LogEntry: {
        "group": SYSTEM,
        "names": ("change made in the admin", "changes made in the admin"),
        "field_names": {"action_time": "at", "content_type": "kind", "object_repr": "what", "action_flag": "change"},
        "list_display": ("action_time", "user", "content_type", "object_repr", "action_flag", "change_message"),
        "list_filter": ("action_flag", "action_time"),
        "list_select_related": ("user", "content_type"),
        "search_fields": ("object_repr", "change_message"),
    },
    Window: {
        "names": ("minute of calls", "minutes of calls"),
        "list_display": ("number", "ends_at", "key_left", "key_limit", "place", "ask", "look", "upkeep", "denied"),
    },
    Sighting: {
        "names": ("alarm marked as seen", "alarms marked as seen"),
        "list_display": ("alarm", "user", "at"),
        "list_select_related": ("alarm", "user"),
    },
    Watch: {"names": ("alarm check", "alarm checks"), "list_display": ("looked_at", "due_at")},
}
# The desk's own pages about what a group of lists holds: words and URL name.
PAGES = {
    PEOPLE: (("Team", "team"),),
    ORDERS: (("Orders", "orders:index"), ("Refills", "orders:all_refills"), ("Cancels", "orders:all_cancels")),
    CATALOG: (("Services", "catalog:index"), ("Changes", "catalog:changes")),
    MONEY: (("Balance", "balance"), ("Charges", "charges")),
    SYSTEM: (("Alarms", "alarms"), ("Calls and workers", "calls"), ("Webhooks", "webhooks")),
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


def change_password(request: HttpRequest, extra_context: object = None) -> HttpResponse:
    """Replaces Django's page, on which tries of the old password are not counted."""
    return redirect("account_change_password")


def app_list(request: HttpRequest, app_label: str | None = None) -> list[dict[str, Any]]:
    """The lists of the admin's first page and of its sidebar, in groups."""
    return grouped(admin.site, request, PAGES, app_label)


# Times as the desk writes them. Django takes its own module of a language before any setting.
formats.TIME_FORMAT, formats.DATETIME_FORMAT = "H:i", "j M Y, H:i"
admin.site.empty_value_display = "–"
admin.site.get_app_list = app_list  # type: ignore[method-assign]
admin.site.login = sign_in  # type: ignore[method-assign]
admin.site.password_change = change_password  # type: ignore[method-assign, assignment]
admin.site.site_header = admin.site.site_title = "Order Desk"
admin.site.index_title = "Everything that the desk keeps"
admin.site.unregister(EmailAddress)  # the desk keeps one address for each person, with the person
admin.site.unregister(Authenticator)  # its data are secrets; owners see what people have on the page of a person
admin.site.unregister(Group)  # the role decides everything
for model, options in RECORDS.items():
    admin.site.register(model, RecordAdmin, **options)

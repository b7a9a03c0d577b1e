"""The orders' tables in Django's admin, where owners find and read rows. Only the desk's own verbs change them."""

from functools import partial

from django.contrib import admin

from orders import models
from orders.rules.event_text import SENTENCES
from orders.rules.statuses import Status
from panel.web.admin_list import ValuesFilter
from panel.web.admin_record import RecordAdmin, RecordInline


class TaskInline(RecordInline):
    """The tasks of an order, on its admin page."""

    model = models.Task
    fields = readonly_fields = ("kind", "asked_by", "asked_at", "due_at", "attempts", "outcome", "answer")


STATUSES = ("status", ValuesFilter.of(Status))
# What the searches of the rows of an order take.
OF_ORDER = "The order’s id, or its ord_…"

register = partial(admin.site.register, admin_class=RecordAdmin)
register(
    models.Order,
    list_display=("id", "upstream_id", "service", "link", "quantity", "charge", "status", "placed_by", "created_at"),
    list_filter=(STATUSES, "created_at", "placed_by"),
    list_select_related=("service", "placed_by"),
    search_fields=("=id", "=upstream_id", "=request_id", "link"),
    search_help_text="Our id, ord_…, or a whole request_id; or part of a link, of the orders that the list is about.",
    inlines=(TaskInline,),
)
register(
    models.Poll,
    list_display=("order", "next_poll_at", "reported_at", "queue", "urgency", "share"),
    list_filter=("queue", "urgency"),
    list_select_related=("order",),
    search_fields=("=order__id", "=order__upstream_id"),
    search_help_text=f"{OF_ORDER}.",
)
register(models.PollCall, list_display=("__str__", "ends_at"))
register(
    models.Task,
    list_display=("id", "kind", "order", "asked_by", "asked_at", "due_at", "attempts", "unclear_since", "outcome"),
    list_filter=("kind", "outcome", "asked_at"),
    list_select_related=("order", "asked_by"),
    search_fields=("=order__id", "=order__upstream_id", "answer"),
    search_help_text=f"{OF_ORDER}; or part of an answer, of the tasks that the list is about.",
)
register(
    models.Event,
    list_display=("at", "order", "kind", "by", "__str__"),
    list_filter=(("kind", ValuesFilter.of(SENTENCES)), "at", "by"),
    list_select_related=("order", "by"),
    search_fields=("=order__id", "=order__upstream_id", "kind"),
    search_help_text=f"{OF_ORDER}; or part of a kind, of the events that the list is about.",
)
register(
    models.Attempt,
    list_display=("began_at", "task", "ended_at", "ending", "said"),
    list_filter=("ending", "began_at"),
    list_select_related=("task",),
    search_fields=("=task__order__id", "said"),
    search_help_text="The order’s id; or part of an answer, of the attempts that the list is about.",
)
register(models.Sending, list_display=("__str__", "stopped_at", "stopped_by", "failures", "probe_at"))
register(
    models.Bulk,
    list_display=("asked_at", "__str__", "asked_by", "picked_from", "picked", "asked"),
    list_filter=("kind", "asked_at", "asked_by"),
    list_select_related=("asked_by",),
)
register(models.KeptSearch, list_display=("key", "typed_at"))
register(
    models.SavedView,
    list_display=("name", "owner", "shared", "query", "saved_at"),
    list_filter=("shared", "owner"),
    list_select_related=("owner",),
    search_fields=("name", "query"),
)
register(models.Tally, list_display=("status", "by"), list_filter=(STATUSES,))
register(models.Charged, list_display=("slot", "orders", "expected", "charged", "given_back", "elsewhere"))
register(models.Spending, list_display=("at", "since", "spent", "queued"))
register(models.Folding, list_display=("__str__",))
register(
    models.Reading,
    list_display=("at", "order", "status", "remains"),
    list_filter=(STATUSES, "at"),
    list_select_related=("order",),
    search_fields=("=order__id", "=order__upstream_id"),
    search_help_text=f"{OF_ORDER}.",
)
register(
    models.Pace,
    list_display=(
        "service",
        "starts",
        "start_median",
        "start_p95",
        "finishes",
        "finish_median",
        "finish_p95",
        "computed_at",
    ),
    list_select_related=("service",),
    search_fields=("=service__upstream_id", "service__name"),
)
register(
    models.Note,
    list_display=("at", "order", "by", "__str__"),
    list_filter=("at", "by"),
    list_select_related=("order", "by"),
    search_fields=("=order__id", "=order__upstream_id", "text"),
    search_help_text=f"{OF_ORDER}; or part of a note, of those that the list is about.",
)
register(models.Mention, list_display=("user", "note"), list_filter=("user",), list_select_related=("user", "note__by"))
register(models.Presence, list_display=("seen_at", "user", "order"), list_select_related=("user", "order"))
register(
    models.AnswerText,
    list_display=("language", "situation", "text", "changed_by", "changed_at"),
    list_select_related=("changed_by",),
)
register(models.Worklist, list_display=("id", "by", "at", "asked", "language"), list_select_related=("by",))
register(
    models.Delivery,
    list_display=("received_at", "event", "upstream_id", "status", "how", "handled_at", "mark"),
    list_filter=("how", "received_at"),
    search_fields=("=key", "=upstream_id", "event"),
    search_help_text="Its whole key, or ord_…; or part of an event, of the deliveries that the list is about.",
)
register(models.Endpoint, list_display=("registered_at", "url", "upstream_id", "events", "mark", "last_delivery_at"))
register(models.TurnedAway, list_display=("day", "reason", "count"), list_filter=(("reason", ValuesFilter), "day"))

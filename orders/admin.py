"""The orders' tables in Django's admin, where owners find and read rows. Only the desk's own verbs change them."""

from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from orders import models
from orders.bulk.dry_run import dry_run
from orders.bulk.selection import Selection
from orders.bulk.views import dry_run_page
from orders.models import Order, Task
from orders.rules.refusal import Refusal
from orders.rules.statuses import Status, label
from orders.webhooks.endpoint import REJECTIONS
from panel.format.money import money
from panel.format.numbers import number
from panel.format.times import took
from panel.web.admin_groups import CATALOG, MONEY, ORDERS, PEOPLE, SYSTEM
from panel.web.admin_list import ValuesFilter
from panel.web.admin_record import RecordAdmin, RecordInline, clipped, leading


# ── Columns ──────────────────────────────────────────────────────────────────────────────────────
@admin.display(description="Status", ordering="status")
def status_of(record: Any) -> str:
    """The status in the words of the desk."""
    return label(record.status) if record.status else "–"


@admin.display(description="Order", ordering="order")
def order_of(record: Any) -> SafeString | str:
    """The order that a record belongs to, as a link to its page on the desk."""
    return leading(record.order_id, order_page(record) or "") if record.order_id else "–"


def order_page(record: Any) -> str | None:
    """The address of the desk's page about the order that a record belongs to."""
    return reverse("orders:show", args=[record.order_id]) if record.order_id else None


@admin.display(description="Link", ordering="link")
def link_of(order: Order) -> SafeString:
    """The beginning of the customer's link, without what all links have."""
    return clipped(order.link.removeprefix("https://").removeprefix("www."))


@admin.display(description="Service", ordering="service")
def service_of(record: Any) -> SafeString:
    """Number and name of the service."""
    return clipped(record.service)


@admin.display(description="Quantity", ordering="quantity")
def quantity_of(order: Order) -> str:
    """The quantity in the reader's numbers."""
    return number(order.quantity)


@admin.display(description="Charge", ordering="charge")
def charge_of(order: Order) -> str:
    """What the supplier charged, or – while it has not said."""
    return money(order.charge, order.currency)


@admin.display(description="Price shown when it was ordered")
def expected_of(order: Order) -> str:
    """What the order form showed."""
    return money(order.expected_charge)


@admin.display(description="Desk")
def on_the_desk(record: Any) -> SafeString:
    """A link to the desk's own page."""
    return leading("Open", record.get_absolute_url())


@admin.display(description="See also")
def more_of(order: Order) -> SafeString:
    """Links to what else the admin has about this order."""
    lists = (models.Event, models.Task, models.Note, models.Reading)
    address = {model: reverse(f"admin:{model._meta.label_lower.replace('.', '_')}_changelist") for model in lists}
    links = [(f"{address[model]}?q={order.pk}", str(model._meta.verbose_name_plural)) for model in lists]
    return format_html_join(" · ", '<a href="{}">{}</a>', links)


@admin.display(description="Answer", ordering="answer")
def answer_of(task: Task) -> SafeString:
    """The supplier's id or sentence, or what went wrong."""
    return clipped(task.answer or "–")


@admin.display(description="Answer", ordering="said")
def said_of(attempt: models.Attempt) -> SafeString:
    """The supplier's words, or what went wrong."""
    return clipped(attempt.said or "–")


@admin.display(description="What happened")
def sentence_of(event: models.Event) -> str:
    """The event in words."""
    return str(event)


@admin.display(description="Note")
def text_of(note: models.Note) -> SafeString:
    """The beginning of a note."""
    return clipped(note.text)


@admin.display(description="Reason", ordering="reason")
def reason_of(rejected: models.TurnedAway) -> str:
    """Why deliveries were rejected, as the page of webhooks says it."""
    return REJECTIONS[rejected.reason][1] if rejected.reason in REJECTIONS else rejected.reason


def seconds_column(field: str, words: str) -> Any:
    """A column of a duration that is kept in seconds."""

    @admin.display(description=words, ordering=field)
    def column(pace: models.Pace) -> str:
        seconds = getattr(pace, field)
        return "–" if seconds is None else took(timedelta(seconds=seconds))

    return column


def dollars_column(field: str, words: str) -> Any:
    """A column of an amount in US dollars."""

    @admin.display(description=words, ordering=field)
    def column(record: Any) -> str:
        amount: Decimal = getattr(record, field)
        return money(amount)

    return column


# ── Actions: each goes through the verb of the desk's own page ───────────────────────────────────
@admin.action(description="Check now")
def check_now(keeper: RecordAdmin, request: HttpRequest, orders: "QuerySet[Order]") -> None:
    """Asks the supplier about these orders with the next call."""
    count = Order.objects.filter(pk__in=list(orders.values_list("pk", flat=True))).poll_now(timezone.now())
    keeper.message_user(request, f"Orders that are checked with the next call: {number(count)}.")


@admin.action(description="Ask for refills…")
def ask_refills(keeper: RecordAdmin, request: HttpRequest, orders: "QuerySet[Order]") -> HttpResponse | None:
    """Leads to the desk's page that says what would happen, and asks after a yes."""
    return asked_first(keeper, request, orders, Task.Kind.REFILL)


@admin.action(description="Ask to cancel…")
def ask_cancels(keeper: RecordAdmin, request: HttpRequest, orders: "QuerySet[Order]") -> HttpResponse | None:
    """Leads to the desk's page that says what would happen, and asks after a yes."""
    return asked_first(keeper, request, orders, Task.Kind.CANCEL)


def asked_first(keeper: RecordAdmin, request: HttpRequest, orders: "QuerySet[Order]", kind: str) -> HttpResponse | None:
    """The desk's own page about these orders, on which nothing is asked before a yes; None after a refusal."""
    try:
        selection = Selection.of(kind, orders.values_list("pk", flat=True), "picked in the admin")
    except Refusal as refusal:
        keeper.message_user(request, str(refusal), messages.ERROR)
        return None
    return dry_run_page(request, selection=selection, run=dry_run(selection))


# ── The lists ────────────────────────────────────────────────────────────────────────────────────
class TaskInline(RecordInline):
    """What was asked of the supplier about an order, on its admin page."""

    model = models.Task
    fields = readonly_fields = ("kind", "asked_by", "asked_at", "due_at", "attempts", "outcome", "answer")


STATUSES = ("status", ValuesFilter.of({status.value: str(status.label) for status in Status}))
# What the searches of the rows of an order take.
OF_ORDER = "An order’s number or ord_…"

register = partial(admin.site.register, admin_class=RecordAdmin)
register(
    models.Order,
    group=ORDERS,
    leads=True,
    names=("order", "orders"),
    field_names={
        "id": "order", "upstream_id": "supplier’s id", "created_at": "placed at", "said": "supplier’s last answer",
        "reported_at": "last change seen", "taken_at": "accepted at", "request_id": "request id",
        "ended_late": "ended late", "late_from": "late from", "left_out": "answers without it",
        "doubts": "unusual values, not reviewed",
    },
    list_display=("id", on_the_desk, status_of, link_of, service_of, quantity_of, charge_of, "created_at", "placed_by"),
    list_filter=(STATUSES, "created_at", "placed_by"),
    list_select_related=("service", "placed_by"),
    search_fields=("=id", "=upstream_id", "=request_id", "link"),
    search_help_text="An order’s number, ord_… or whole request id finds it anywhere; part of a link, in this list.",
    inlines=(TaskInline,),
    actions=(check_now, ask_refills, ask_cancels),
    sections=(
        (None, (status_of, "service", "link", "quantity", "runs", "interval", "coupon", expected_of, "placed_by",
                "created_at", "assigned_to", more_of)),
        ("What the supplier says", ("upstream_id", charge_of, "start_count", "remains", "reported_at", "taken_at",
                                    "started_at", "ended_at", "ended_late", "late_from")),
    ),
)  # fmt: skip
register(
    models.Task,
    group=ORDERS,
    names=("request to the supplier", "requests to the supplier"),
    field_names={"id": "request", "due_at": "next try", "attempts": "tries"},
    list_display=("id", "kind", order_of, "asked_by", "asked_at", "outcome", answer_of, "attempts", "due_at"),
    list_filter=("kind", "outcome", "asked_at"),
    list_select_related=("order", "asked_by"),
    search_fields=("=order__id", "=order__upstream_id", "answer"),
    search_help_text=f"{OF_ORDER} finds its requests anywhere; part of an answer, in this list.",
    on_desk=order_page,
)
register(
    models.Event,
    group=ORDERS,
    names=("timeline entry", "timeline entries"),
    field_names={"at": "time", "by": "person"},
    list_display=("at", order_of, sentence_of, "by"),
    list_filter=("at", "by"),
    list_select_related=("order", "by"),
    search_fields=("=order__id", "=order__upstream_id"),
    search_help_text=f"{OF_ORDER} finds what belongs to it, anywhere.",
    on_desk=order_page,
    sections=((None, ("at", order_of, sentence_of, "by")),),
)
register(
    models.Note,
    group=ORDERS,
    names=("note", "notes"),
    field_names={"at": "time", "by": "person"},
    list_display=("at", order_of, "by", text_of),
    list_filter=("at", "by"),
    list_select_related=("order", "by"),
    search_fields=("=order__id", "=order__upstream_id", "text"),
    search_help_text=f"{OF_ORDER} finds its notes anywhere; part of a note, in this list.",
    on_desk=order_page,
)
register(
    models.Bulk,
    group=ORDERS,
    names=("request for many orders", "requests for many orders"),
    field_names={"picked_from": "found by", "picked": "orders picked", "asked": "orders asked"},
    list_display=("asked_at", "__str__", "asked_by", "picked_from", "picked", "asked", on_the_desk),
    list_filter=("kind", "asked_at", "asked_by"),
    list_select_related=("asked_by",),
)
register(models.MassJob, group=ORDERS, names=("list of orders", "lists of orders"),
         list_display=("placed_at", "__str__", "source", "listed", "ordered", on_the_desk))  # fmt: skip
register(models.Plan, group=ORDERS, names=("plan", "plans"),
         list_display=("made_at", "__str__", "owner", "source", "listed", on_the_desk),
         list_select_related=("owner",))  # fmt: skip
register(
    models.SavedView,
    group=ORDERS,
    names=("saved view", "saved views"),
    list_display=("name", "owner", "is_report", "shared", "saved_at", on_the_desk),
    list_filter=("shared", "is_report", "owner"),
    list_select_related=("owner",),
    search_fields=("name", "query"),
)
register(models.ReportMail, group=ORDERS, names=("weekly report", "weekly reports"),
         list_display=("view", "person", "due_at", "sent_at", "trouble"), list_select_related=("view", "person"),
         on_desk=lambda mail: reverse("saved_reports"))  # fmt: skip
register(
    models.Pace,
    group=CATALOG,
    names=("delivery time", "delivery times"),
    list_display=(
        service_of,
        seconds_column("start_median", "Usually starts within"),
        seconds_column("start_p95", "95 of 100 start within"),
        seconds_column("finish_median", "Usually finished within"),
        seconds_column("finish_p95", "95 of 100 finished within"),
        "finishes",
        "computed_at",
    ),
    field_names={"finishes": "orders measured", "computed_at": "measured at"},
    list_select_related=("service",),
    search_fields=("=service__upstream_id", "service__name"),
    on_desk=lambda pace: reverse("orders:late"),
)
register(models.Spending, group=MONEY, names=("recent spending", "recent spending"),
         list_display=("at", "since", dollars_column("spent", "Spent"), dollars_column("queued", "Waiting to be sent")),
         on_desk=lambda spending: reverse("balance"))  # fmt: skip
register(models.Spent, group=MONEY, names=("day's spending", "days' spending"),
         list_display=("day", "who", "spent", "waiting"),
         field_names={"who": "person’s id", "spent": "spent, in millionths", "waiting": "waiting, in millionths"},
         on_desk=lambda spent: reverse("person_limits", args=[spent.who]) if spent.who else reverse("limits"),
         )  # fmt: skip
register(models.Approval, group=ORDERS, names=("approval", "approvals"), on_desk=order_page,
         list_display=("asked_at", order_of, "asked_by", dollars_column("charge", "Asked at"), "outcome", "decided_by"),
         list_filter=("outcome", "asked_at", "asked_by"), list_select_related=("asked_by", "decided_by"))  # fmt: skip
register(models.Sending, group=SYSTEM, names=("sending switch", "sending switch"),
         list_display=("__str__", "stopped_at", "stopped_by", "failures", "probe_at"),
         field_names={"failures": "tries without an answer", "probe_at": "next check of the supplier"})  # fmt: skip
register(models.Endpoint, group=SYSTEM, names=("webhook address", "webhook addresses"),
         field_names={"mark": "secret", "upstream_id": "supplier’s id", "url": "address"},
         list_display=("registered_at", "url", "upstream_id", "events", "mark", "last_delivery_at"),
         on_desk=lambda endpoint: reverse("webhooks"))  # fmt: skip
register(
    models.Delivery,
    group=SYSTEM,
    names=("webhook delivery", "webhook deliveries"),
    field_names={"mark": "secret", "upstream_id": "supplier’s order id", "how": "result"},
    list_display=("received_at", "event", "upstream_id", status_of, "how", "handled_at", "mark"),
    list_filter=("how", "received_at"),
    search_fields=("=key", "=upstream_id", "event"),
    search_help_text="A delivery’s whole key or ord_… finds it anywhere; part of an event, in this list.",
    on_desk=lambda delivery: reverse("webhooks"),
)
register(
    models.TurnedAway,
    group=SYSTEM,
    names=("rejected webhook", "rejected webhooks"),
    field_names={"count": "deliveries"},
    list_display=("day", reason_of, "count"),
    list_filter=(("reason", ValuesFilter.of({key: sentence for key, (_, sentence) in REJECTIONS.items()})), "day"),
    on_desk=lambda rejected: reverse("webhooks"),
)
register(models.Mention, names=("mention", "mentions"), group=PEOPLE, list_display=("user", "note"),
         list_filter=("user",), list_select_related=("user", "note__by"))  # fmt: skip
register(models.ShiftNote, names=("note to the next shift", "notes to the next shift"), group=PEOPLE,
         field_names={"at": "time", "by": "person", "taken_along": "went with it"}, list_display=("at", "by", text_of),
         list_filter=("at", "by"), list_select_related=("by",), on_desk=lambda note: reverse("since"))  # fmt: skip
register(models.ShiftReader, names=("reader of a shift note", "readers of shift notes"), group=PEOPLE,
         list_display=("note", "user", "read_at"), list_filter=("user",),
         list_select_related=("note__by", "user"))  # fmt: skip
register(models.Handed, names=("told assignment", "told assignments"), group=PEOPLE,
         list_display=("at", order_of, "by", "user", "read_at"), list_filter=("user",),
         list_select_related=("order", "by", "user"))  # fmt: skip

# ── Internals ────────────────────────────────────────────────────────────────────────────────────
register(
    models.Poll,
    names=("poll schedule", "poll schedule"),
    list_display=(order_of, "next_poll_at", "reported_at", "queue", "urgency", "share"),
    list_filter=("queue", "urgency"),
    list_select_related=("order",),
    search_fields=("=order__id", "=order__upstream_id"),
    search_help_text=f"{OF_ORDER} finds what belongs to it, anywhere.",
)
register(models.PollCall, names=("poll in progress", "polls in progress"), list_display=("__str__", "ends_at"))
register(models.Attempt, names=("try of a request", "tries of requests"),
         list_display=("began_at", "task", "ended_at", "ending", said_of), list_filter=("ending", "began_at"),
         list_select_related=("task",), search_fields=("=task__order__id", "said"),
         search_help_text="An order’s number finds its tries anywhere; part of an answer, in this list.")  # fmt: skip
register(models.Reading, names=("delivery report", "delivery reports"), field_names={"at": "asked at"},
         list_display=("at", order_of, status_of, "remains"), list_filter=(STATUSES, "at"),
         list_select_related=("order",), search_fields=("=order__id", "=order__upstream_id"),
         search_help_text=f"{OF_ORDER} finds what belongs to it, anywhere.")  # fmt: skip
register(models.AnswerText, group=ORDERS, names=("text for customers", "texts for customers"), list_select_related=(
         "changed_by",), list_display=("situation", "language", "text", "changed_by", "changed_at"))  # fmt: skip
register(models.Worklist, names=("pasted message", "pasted messages"), list_select_related=("by",),
         list_display=("id", "by", "at", "asked", "language"))  # fmt: skip
register(models.Customer, group=ORDERS, names=("customer", "customers"), on_desk=lambda customer: reverse(
         "customer", args=[customer.pk]), list_display=("name", "language", "created_at", "erased_at"))  # fmt: skip
register(models.PriceList, group=MONEY, names=("price list", "price lists"), list_display=("name",))
register(models.SellingRule, group=MONEY, names=("selling price rule", "selling price rules"),
         list_display=("scope", "percent", "plus", "step", "changed_by", "changed_at"),
         list_select_related=("changed_by",), on_desk=lambda rule: reverse("prices"))  # fmt: skip
register(models.Payment, group=MONEY, names=("payment", "payments"), list_display=("at", "customer", "amount", "by"),
         list_select_related=("customer", "by"))  # fmt: skip
register(models.CustomerSum, names=("customer total", "customer totals"), list_display=("customer", "orders", "earned"),
         list_select_related=("customer",))  # fmt: skip
register(models.MassLine, names=("line of a list", "lines of lists"), list_display=("job", "number", order_of, "why"),
         list_select_related=("job", "order"))  # fmt: skip
register(models.ListTemplate, names=("template of a list", "templates of lists"),
         list_display=("name", "owner", "shared", "listed", "saved_at"), list_select_related=("owner",))  # fmt: skip
register(models.PlanPart, names=("part of a plan", "parts of plans"),
         list_display=("plan", "number", "due_at", "outcome"), list_select_related=("plan",))  # fmt: skip
register(models.KeptSearch, names=("kept search", "kept searches"), list_display=("key", "typed_at"))
register(models.Tally, names=("status count", "status counts"), list_display=(status_of, "by"), list_filter=(STATUSES,))
register(models.Charged, names=("charge total", "charge totals"),
         list_display=("slot", "orders", "expected", "charged", "given_back", "elsewhere"))  # fmt: skip
register(models.ServiceScore, names=("service score", "service scores"),
         list_display=("service_id", "value", "before", "measured_at"))  # fmt: skip
register(models.SaleSum, names=("sales total", "sales totals"), list_display=("level", "slot", "orders", "charged"))
register(models.SaleLine, names=("change of sales", "changes of sales"), list_display=("slot", "orders", "charged"))
register(models.Folding, names=("history cleanup", "history cleanup"), list_display=("__str__",))
register(models.Presence, names=("open order page", "open order pages"), list_display=("seen_at", "user", order_of),
         list_select_related=("user", "order"))  # fmt: skip

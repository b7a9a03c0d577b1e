"""What was asked, what became of it, and who did what."""

import uuid
from collections.abc import Collection, Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import F
from django.db.models.functions import Coalesce, Least
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import cached_property

from catalog.models import Service
from orders.models.event import Event
from orders.models.task import Task
from orders.rules import lateness
from orders.rules.charges import ENDED_SHORT
from orders.rules.eligibility import Refills, pending_cancel, refills_of, why_no_cancel, why_no_refill
from orders.rules.poll_schedule import POLLED_ALONE_FROM, WEBHOOKS_TOGETHER, is_stale, next_tick
from orders.rules.search_text import HOST_CHARACTERS, search_fields
from orders.rules.statuses import Stage, Status, label, stage
from panel.format.money import is_dollars

IS_MISSING = models.Q(missing_since__isnull=False)  # upstream says that it knows no such order


INDEXED_OF_A_LINK = 200  # characters


def link_beginning(field: str) -> models.Func:
    """Written out rather than bound, or SQLite would not know the index's expression again."""
    template = f"SUBSTR(%(expressions)s, 1, {INDEXED_OF_A_LINK})"
    return models.Func(F(field), template=template, output_field=models.CharField())


class Urgency(models.IntegerChoices):
    """Why an order is asked after before its time. The greater goes first."""

    WEBHOOK = 1, "a webhook named it"
    PERSON = 2, "a person wants to know"


class OrderQuerySet(models.QuerySet["Order"]):
    def seen_by(self, user: Any) -> Self:
        """The orders this person may see: the whole team's, none for a stranger."""
        return self if user.is_authenticated and user.is_active else self.none()

    def for_table(self) -> Self:
        """Everything that one row shows, in two queries however long the page."""
        tasks = models.Prefetch("tasks", Task.objects.with_people())
        return self.select_related("service", "placed_by").prefetch_related(tasks)

    def for_page(self) -> Self:
        """What its own page tells beside that."""
        return self.for_table().select_related("assigned_to", "service__pace")

    def with_links(self, links: Collection[str]) -> Self:
        """Orders for exactly these links; with all spellings of one, an index finds them, newest first."""
        starts = {link[:INDEXED_OF_A_LINK] for link in links}
        found = self.alias(start=link_beginning("link")).filter(start__in=starts)
        if all(len(link) < INDEXED_OF_A_LINK for link in links):
            return found  # no link but themselves begins so and ends there
        # Joined with nothing: from `link = …` SQLite would conclude what the beginning is, and no longer use its index.
        return found.alias(whole=models.Func(F("link"), template="%(expressions)s || ''")).filter(whole__in=links)

    def change(self, **facts: Any) -> int:
        """Updates what a page shows of these orders, so that open pages notice; says how many there were."""
        return self.update(version=F("version") + 1, **facts)

    def poll_now(self, now: datetime) -> int:
        """Somebody wants to know now: these go first in upstream's next batch. No call of their own is made."""
        return self._first(Urgency.PERSON, now)

    def poll_soon(self, now: datetime) -> int:
        """A webhook names them: they go first of what is due, with all that are rung for within a moment."""
        return self._first(Urgency.WEBHOOK, next_tick(WEBHOOKS_TOGETHER, now))

    def _first(self, hurry: int, at: datetime) -> int:
        known = self.filter(upstream_id__isnull=False).exclude(hurry__gte=hurry, next_look_at__lte=at)
        return known.update(hurry=hurry, next_look_at=Least(Coalesce("next_look_at", at), at))

    def due(self, now: datetime) -> Self:
        """Orders to ask upstream about, longest due first."""
        return self.filter(next_look_at__lte=now).order_by("next_look_at")

    def due_first(self, now: datetime) -> Self:
        """Those due orders that go first; the index `order_hurry` knows them."""
        return self.filter(hurry__isnull=False, next_look_at__lte=now).order_by("-hurry", "next_look_at")

    def due_alone(self, now: datetime) -> Self:
        """Due orders that upstream keeps leaving out; those that somebody wants to know of first."""
        due = self.due(now).filter(left_out__gte=POLLED_ALONE_FROM)
        return due.order_by(F("hurry").desc(nulls_last=True), "next_look_at")


class Order(models.Model):
    """One order. `status` is a fact: upstream's last word, or one of three of ours before it has spoken."""

    # What was asked: written once, never edited. The same request_id must always go with the same body.
    request_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    # No index of its own for service and person: those below begin with them.
    service = models.ForeignKey(Service, on_delete=models.PROTECT, related_name="orders", db_index=False)
    link = models.CharField(max_length=1000)
    quantity = models.PositiveBigIntegerField()
    runs = models.PositiveIntegerField(null=True, blank=True)
    interval = models.PositiveIntegerField(null=True, blank=True, help_text="Minutes between runs.")
    coupon = models.CharField(max_length=100, blank=True)
    body = models.JSONField(help_text="Exactly the fields that go with `add`, frozen.")
    rate_seen = models.DecimalField(max_digits=18, decimal_places=6, help_text="The rate when it was placed, USD.")
    expected_charge = models.DecimalField(max_digits=18, decimal_places=6, help_text="Our estimate in USD.")
    placed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="orders", db_index=False
    )
    created_at = models.DateTimeField(default=timezone.now)
    # Who of the team looks after it. No index of its own: the one below serves it.
    assigned_to = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    # The form's own token: a double click, F5 or a second tab of one form meet here.
    form_token = models.UUIDField(null=True, unique=True, editable=False)
    send_when_funded = models.BooleanField(
        default=True, help_text="Refused for want of money: sent again by itself when a balance covers it."
    )

    # What it is found by, as it was when it was placed: orders/rules/search_text.py.
    network = models.CharField(max_length=20, blank=True, editable=False)
    category = models.CharField(max_length=300, blank=True, editable=False)
    host = models.CharField(max_length=HOST_CHARACTERS, blank=True, editable=False)
    haystack = models.TextField(blank=True, editable=False, help_text="Link, service and person, folded, for search.")

    # What became of it: upstream's words, by `absorb` alone.
    upstream_id = models.CharField(max_length=64, null=True, unique=True)
    status = models.CharField(max_length=40, default=Status.QUEUED)
    charge = models.DecimalField(max_digits=18, decimal_places=6, null=True)
    currency = models.CharField(max_length=10, blank=True)
    start_count = models.BigIntegerField(null=True)
    remains = models.BigIntegerField(null=True)
    said = models.JSONField(null=True, help_text="Upstream's last answer, as it was.")
    reported_at = models.DateTimeField(null=True, help_text="When we asked for the last answer.")
    left_out = models.PositiveIntegerField(default=0, help_text="Answers in a row that did not mention it.")
    missing_since = models.DateTimeField(null=True, help_text="Since when upstream says that it knows no such order.")
    doubts = models.CharField(
        max_length=200, null=True, help_text="Kinds of facts that surprise and nobody has looked at."
    )
    refills_elsewhere = models.PositiveSmallIntegerField(
        default=0, help_text="Refills that upstream counts and the desk did not ask for."
    )
    next_look_at = models.DateTimeField(null=True, help_text="When we ask next; empty: not any more.")
    hurry = models.PositiveSmallIntegerField(
        null=True, choices=Urgency, help_text="Who wants it to be asked after before its time; empty: nobody."
    )
    # How long it takes: orders/rules/lateness.py.
    taken_at = models.DateTimeField(null=True, help_text="When upstream took it.")
    started_at = models.DateTimeField(null=True, help_text="When a report first said that it delivers.")
    ended_at = models.DateTimeField(null=True, help_text="When a report first said that it ended; empty while live.")
    late_from = models.DateTimeField(null=True, help_text="From then on it is late; empty: nobody can tell, or ended.")
    cost = models.GeneratedField(
        expression=Coalesce("charge", "expected_charge"),
        output_field=models.DecimalField(max_digits=18, decimal_places=6),
        db_persist=True,
        help_text="Upstream's charge, and until it names one our estimate.",
    )
    # Counts what a page shows of this order, so that an open page knows which rows have moved.
    version = models.PositiveIntegerField(default=1)

    objects: ClassVar[OrderQuerySet] = OrderQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        ordering = ("-id",)
        indexes = [
            # A status tab, newest first, by keyset.
            models.Index(fields=["status", "-id"], name="order_status_newest"),
            # What is assigned to somebody, newest first.
            models.Index(
                fields=["assigned_to", "-id"], condition=models.Q(assigned_to__isnull=False), name="order_assigned"
            ),
            # The sweep: what is due; final orders are not in it.
            models.Index(fields=["next_look_at"], condition=models.Q(next_look_at__isnull=False), name="order_due"),
            # Those that are asked for alone.
            models.Index(
                fields=["next_look_at"], condition=models.Q(left_out__gte=POLLED_ALONE_FROM), name="order_alone"
            ),
            # Those that go first, longest waiting first.
            models.Index(
                fields=["-hurry", "next_look_at"], condition=models.Q(hurry__isnull=False), name="order_hurry"
            ),
            # `like`: a service's orders of the last day, and those under way.
            models.Index(fields=["service", "-created_at"], name="order_like_young"),
            models.Index(fields=["service", "status"], name="order_like_under_way"),
            # Those that need a look for it, newest first.
            models.Index(fields=["-id"], condition=IS_MISSING, name="order_missing"),
            # Which are late: how many, the longest first; and newest first, by keyset.
            models.Index(fields=["late_from"], condition=models.Q(late_from__isnull=False), name="order_late"),
            models.Index(
                fields=["-id", "late_from"], condition=models.Q(late_from__isnull=False), name="order_late_newest"
            ),
            # The pace: which services' orders have ended since, and each one's last that did.
            models.Index(fields=["ended_at", "service"], condition=models.Q(ended_at__isnull=False), name="order_ends"),
            models.Index(
                fields=["service", "-ended_at"], condition=models.Q(ended_at__isnull=False), name="order_ends_of_one"
            ),
            # The pace of spending: what upstream has taken and not named the charge of.
            models.Index(
                fields=["created_at"],
                condition=models.Q(charge=None, upstream_id__isnull=False),
                name="order_uncharged",
            ),
            # The filter by facts that surprise, newest first.
            models.Index(fields=["-id"], condition=models.Q(doubts__isnull=False), name="order_doubts"),
            # The filters of the list, newest first, by keyset.
            models.Index(fields=["service", "-id"], name="order_service_newest"),
            models.Index(fields=["placed_by", "-id"], name="order_person_newest"),
            models.Index(fields=["network", "-id"], name="order_network_newest"),
            models.Index(fields=["category", "-id"], name="order_category_newest"),
            models.Index(fields=["host", "-id"], name="order_host_newest"),
            # The list by charge; and its filter by day, which becomes a span of ids.
            models.Index(fields=["cost", "id"], name="order_cost"),
            models.Index(fields=["created_at", "id"], name="order_day"),
            # `linked`: a pasted link. Its beginning is enough, and fits into a page of any database's index.
            models.Index(link_beginning("link"), models.OrderBy(F("id"), descending=True), name="order_link"),
        ]

    def __str__(self) -> str:
        return f"Order {self.pk}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if self._state.adding:
            self.fill_search_fields()
        super().save(*args, **kwargs)

    def get_absolute_url(self) -> str:
        return reverse("orders:show", args=[self.pk])

    def fill_search_fields(self) -> None:
        """Sets what lists and searches find it by. `save` does it for a new order; `bulk_create` does not."""
        fields = search_fields(self.service, self.link, self.body, self.placed_by)
        self.network, self.category, self.host, self.haystack = fields

    # ── What the screen says ─────────────────────────────────────────────────────────────────────
    @property
    def tasks_newest_first(self) -> Iterable[Task]:
        """Its tasks, newest first: those that in_rows fetched, else asked for."""
        known: list[Task] | None = self.__dict__.get("known_tasks")
        return self.tasks.all() if known is None else known

    @cached_property
    def placing_task(self) -> Task | None:
        """The task that sends it; only orders that came from elsewhere have none."""
        return next((task for task in self.tasks_newest_first if task.kind == Task.Kind.PLACE), None)

    def refresh_from_db(self, *args: Any, **kwargs: Any) -> None:
        for known in ("placing_task", "known_tasks"):
            self.__dict__.pop(known, None)
        super().refresh_from_db(*args, **kwargs)

    @property
    def confirming(self) -> bool:
        """Sent, and the answer lost: upstream may have it. We ask again with the same request_id."""
        task = self.placing_task
        return self.status == Status.QUEUED and bool(task and task.unclear_since and not task.settled_at)

    @property
    def taken(self) -> bool:
        """Upstream gave it an id, and has not said yet how it stands."""
        return self.status == Status.QUEUED and self.upstream_id is not None

    @property
    def shown_status(self) -> str:
        """The status, or one of SHOWN, which are ways to show one and no statuses."""
        if self.confirming:
            return "confirming"
        if self.taken:
            return "taken"
        if self.status == Status.QUEUED and self.placing_task and self.placing_task.needs is not None:
            return "unfunded"
        if self.status == Status.REJECTED and self.placing_task:
            return {Task.Outcome.WITHDRAWN: "withdrawn", Task.Outcome.CLOSED: "closed"}.get(
                Task.Outcome(self.placing_task.outcome), self.status
            )
        return self.status

    @property
    def stale(self) -> bool:
        """Upstream was to be asked long ago: what the row says may be old."""
        return is_stale(self.next_look_at)

    @property
    def late_since(self) -> datetime | None:
        """When it became late; None while it is not. No clock writes that down: the moment was known before."""
        return self.late_from if lateness.is_late(self.late_from) else None

    @property
    def polled_alone(self) -> bool:
        """Upstream keeps leaving it out of its answers about many."""
        return self.left_out >= POLLED_ALONE_FROM

    @property
    def charge_difference(self) -> Decimal | None:
        """USD that upstream charged more than the price shown; None while it has named no charge in dollars."""
        return None if self.charge is None or not is_dollars(self.currency) else self.charge - self.expected_charge

    @property
    def given_back(self) -> bool:
        """It ended short, and was charged less for it."""
        return self.status in ENDED_SHORT and bool(self.charge_difference and self.charge_difference < 0)

    @property
    def given_up(self) -> bool:
        """Upstream did not know it, and a person ended the asking."""
        followed = self.stage.live or self.taken
        return followed and self.next_look_at is None and self.left_out >= POLLED_ALONE_FROM

    @property
    def label(self) -> str:
        return SHOWN_STATUSES.get(self.shown_status) or label(self.status)

    @property
    def stage(self) -> Stage:
        return stage(self.status)

    @property
    def total(self) -> int:
        """Units over all runs."""
        return self.quantity * (self.runs or 1)

    @property
    def delivered(self) -> int | None:
        """Units delivered by upstream's own `remains`; None while it has not said, or said nonsense."""
        if self.remains is None or not 0 <= self.remains <= self.total:
            return None
        return self.total - self.remains

    @property
    def refills(self) -> Refills:
        """How many refills are used and left, and the pending one."""
        return refills_of(self)

    @property
    def cancel_asked(self) -> bool:
        """Somebody asked for a cancel, and nobody knows yet what becomes of it."""
        return pending_cancel(self) is not None

    def why_no_refill(self) -> str:
        """Empty when a refill may be asked for, else the reason, as every door says it."""
        return why_no_refill(self)

    def why_no_cancel(self) -> str:
        """Empty when a cancel may be asked for, else the reason, as every door says it."""
        return why_no_cancel(self)

    def change(self, **facts: Any) -> None:
        """Updates what a page shows of this order; an instance in hand keeps what it had."""
        Order.objects.filter(pk=self.pk).change(**facts)

    def record(self, kind: str, *, by: Any = None, at: datetime | None = None, **facts: Any) -> Event:
        """Writes down one thing that happened to this order."""
        return Event.objects.create(order=self, kind=kind, by=by, at=at or timezone.now(), facts=facts)


# Ways to show a status that say more than its word.
SHOWN_STATUSES = {
    "confirming": "Confirming", "taken": "Taken", "unfunded": "Waits for money", "withdrawn": "Withdrawn",
    "closed": "Not placed",
}  # fmt: skip

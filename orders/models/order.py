"""An order: what was asked, what became of it, and what the pages read of it."""

import uuid
from collections.abc import Collection, Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar, Self

from django.db import models
from django.db.models import F, Index, Q
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import cached_property

from accounts.models import TrailLine, User
from catalog.models import Service
from catalog.networks import TARGET_CHARACTERS
from orders.models.customer import REFERENCE_CHARACTERS, Customer
from orders.models.poll import Poll, PolledQuerySet
from orders.models.task import Task
from orders.rules.eligibility import Refills, pending_cancel, refills_of, why_no_cancel, why_no_refill
from orders.rules.lateness import late_since
from orders.rules.links import HOST_CHARACTERS, search_fields, with_reference
from orders.rules.margin import ENDED_SHORT
from orders.rules.poll_schedule import POLLED_ALONE_FROM, is_stale
from orders.rules.statuses import Stage, Status, label, stage
from panel.format.money import is_dollars
from panel.format.times import latest
from panel.ops.database import all_true, literally

# Ways to show an order that say more than its status; the last four are outcomes of its placing task.
SHOWN_STATUSES = {
    "confirming": "Confirming", "taken": "Taken", "unfunded": "Waits for money", "withdrawn": "Withdrawn",
    "closed": "Not placed", "declined": "Declined", "expired": "Expired",
}  # fmt: skip
# It has not ended, or upstream calls its status by a word that we do not know. In the words of the indexes.
NOT_ENDED = "NOT IN ('cancelled', 'completed', 'partial', 'refunded', 'rejected')"
IS_UNDER_WAY = literally("status", NOT_ENDED)
IS_MISSING = Q(missing_since__isnull=False)  # upstream says that it knows no such order
NEEDS_A_PERSON = Q(IS_MISSING | Q(literally("status", "= 'review'")) | Q(doubts__isnull=False), assigned_to=None)
# Sold for less than it costs; and sold, while upstream may not have taken it yet.
COSTS_MORE = Q(literally("status", "NOT IN ('cancelled', 'refunded', 'rejected')"), sold_for__lt=F("cost"))
SOLD_UNSENT = Q(literally("status", "IN ('approval', 'queued', 'review')"), sold_for__isnull=False)
HAS_REFERENCE = ~Q(literally("customer_reference", "= ''"))  # in the words of the index `order_reference`
# It ended short, by upstream's word. In words that lead to no index of statuses, which would be sorted.
IS_SHORT = literally("status", "|| '' IN ('cancelled', 'partial', 'refunded')")
ENDED_BADLY = Q(all_true(IS_SHORT))
GAVE_BACK = Q(all_true(IS_SHORT, literally("charge", "< expected_charge")))  # and was charged less for that


class OrderQuerySet(PolledQuerySet["Order"]):
    """Orders by who may see them, by what a page reads of them, and by when upstream is polled for them."""

    def seen_by(self, user: Any) -> Self:
        """The orders this person may see: the whole team's, none for a stranger."""
        return self if user.is_authenticated and user.is_active else self.none()

    def for_table(self) -> Self:
        """With everything that a row shows, in two queries however many rows there are."""
        tasks = models.Prefetch("tasks", Task.objects.with_people())
        return self.select_related("service", "placed_by", "poll").prefetch_related(tasks)

    def for_page(self) -> Self:
        """With everything that an order's own page shows: besides a row's, the assignee and the usual times."""
        return self.for_table().select_related("assigned_to", "service__pace", "approval__decided_by", "customer")

    def for_targets(self, targets: Collection[str]) -> Self:
        """The orders whose links lead to these targets, as `target_of` spells them."""
        return self.filter(target__in=targets)

    def lock(self) -> None:
        """Locks these orders before their tasks change, by id like everybody, so that no two wait for each other.

        In a statement of its own: PostgreSQL would not ask an inner query again after it had waited.
        """
        list(self.order_by("pk").select_for_update(no_key=True).values_list("pk"))

    def change(self, **facts: Any) -> int:
        """Updates what a page shows of these orders, so that open pages notice; returns how many there were."""
        return self.update(version=F("version") + 1, **facts)


class Order(models.Model):
    """One order. `status` is a fact: upstream's last word, or, before upstream has spoken, a word of ours."""

    # What was asked: written once, never edited. The same request_id must always go with the same body.
    request_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    # No index of its own for service and person: indexes below begin with them.
    service = models.ForeignKey(Service, on_delete=models.PROTECT, related_name="orders", db_index=False)
    link = models.CharField(max_length=1000)
    quantity = models.PositiveBigIntegerField()
    runs = models.PositiveIntegerField(null=True, blank=True)
    interval = models.PositiveIntegerField(null=True, blank=True, help_text="Minutes between runs.")
    coupon = models.CharField(max_length=100, blank=True)
    body = models.JSONField(help_text="Exactly the fields that go with `add`, frozen.")
    rate_seen = models.DecimalField(max_digits=18, decimal_places=6, help_text="The rate when it was placed, USD.")
    expected_charge = models.DecimalField(max_digits=18, decimal_places=6, help_text="Our estimate in USD.")
    placed_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="orders", db_index=False)
    created_at = models.DateTimeField(default=timezone.now)
    counts_on = models.DateField(null=True, editable=False, help_text="Against the limits of this day; empty: of none.")
    # Who of the team takes care of it. No index of its own: the index `order_assigned` serves it.
    assigned_to = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    # The form's own token, so that a double click, F5 or a second tab of one form make one order.
    form_token = models.UUIDField(null=True, unique=True, editable=False)
    send_when_funded = models.BooleanField(
        default=True, help_text="Refused for want of money: sent again by itself when a balance covers it."
    )

    # Whom it is for and what they pay, which only the desk knows: nothing of it ever goes upstream.
    customer = models.ForeignKey(Customer, null=True, on_delete=models.PROTECT, related_name="orders", db_index=False)
    customer_reference = models.CharField(
        max_length=REFERENCE_CHARACTERS, blank=True, help_text="What the customer calls it by: their own number."
    )
    sold_for = models.DecimalField(
        max_digits=18, decimal_places=6, null=True,
        help_text="The selling price in USD, frozen when it was placed; empty: none was agreed.",
    )  # fmt: skip

    # What it is found by, as that was when it was placed: orders/rules/links.py.
    network = models.CharField(max_length=20, blank=True, editable=False)
    category = models.CharField(max_length=300, blank=True, editable=False)
    host = models.CharField(max_length=HOST_CHARACTERS, blank=True, editable=False)
    haystack = models.TextField(blank=True, editable=False, help_text="Link, service and person, folded, for search.")
    target = models.CharField(  # catalog/networks.py
        max_length=TARGET_CHARACTERS, null=True, editable=False,
        help_text="Where the link leads, in one spelling for all links that lead there; empty: not filled in yet.",
    )  # fmt: skip

    # What became of it: upstream's words, which orders/following/absorb.py writes.
    upstream_id = models.CharField(max_length=64, null=True, unique=True)
    status = models.CharField(max_length=40, default=Status.QUEUED)
    charge = models.DecimalField(max_digits=18, decimal_places=6, null=True)
    currency = models.CharField(max_length=10, blank=True)
    start_count = models.BigIntegerField(null=True)
    remains = models.BigIntegerField(null=True)
    said = models.JSONField(null=True, help_text="Upstream's last answer, as it was.")
    reported_at = models.DateTimeField(
        null=True, help_text="When we asked for the last answer that changed something; its poll knows of later ones."
    )
    other_ids = models.TextField(
        null=True, help_text="Ids that upstream gave for its request_id besides, with blanks between; empty: none."
    )
    left_out = models.PositiveIntegerField(default=0, help_text="Answers in a row that did not mention it.")
    missing_since = models.DateTimeField(null=True, help_text="Since when upstream says that it knows no such order.")
    doubts = models.CharField(
        max_length=200, null=True, help_text="Kinds of facts that surprise and nobody has looked at."
    )
    refills_elsewhere = models.PositiveSmallIntegerField(
        default=0, help_text="Refills that upstream counts and the desk did not ask for."
    )
    # Calls about many orders that fail: orders/following/split.py.
    failing_since = models.DateTimeField(null=True, help_text="Since when calls that name it fail; empty: they do not.")
    # How long it takes: orders/rules/lateness.py.
    taken_at = models.DateTimeField(null=True, help_text="When upstream took it.")
    started_at = models.DateTimeField(null=True, help_text="When a report first said that it delivers.")
    ended_at = models.DateTimeField(null=True, help_text="When a report first said that it ended; empty while live.")
    ended_late = models.BooleanField(null=True, help_text="Whether it was late when it ended; empty: not ended.")
    late_from = models.DateTimeField(null=True, help_text="From then on it is late; empty: nobody can tell, or ended.")
    cost = models.GeneratedField(
        expression=Coalesce("charge", "expected_charge"),
        output_field=models.DecimalField(max_digits=18, decimal_places=6),
        db_persist=True,
        help_text="Upstream's charge, and until it names one our estimate.",
    )
    # Goes up when what a page shows of this order changes, so that open pages know which rows to fetch again.
    version = models.PositiveIntegerField(default=1)

    objects: ClassVar[OrderQuerySet] = OrderQuerySet.as_manager()  # type: ignore[assignment]
    known_tasks: list[Task] | None = None  # set by what reads many orders with their tasks

    class Meta:
        ordering = ("-id",)
        indexes = [
            # A status tab, newest first, by keyset.
            Index(fields=["status", "-id"], name="order_status_newest"),
            # What is assigned to a person, newest first.
            Index(fields=["assigned_to", "-id"], condition=Q(assigned_to__isnull=False), name="order_assigned"),
            # The rail: how many of them are under way.
            Index(
                fields=["assigned_to", "-id"],
                condition=Q(IS_UNDER_WAY, assigned_to__isnull=False),
                name="order_assigned_under_way",
            ),
            # The alarm about possible duplicates.
            Index(fields=["-id"], condition=Q(other_ids__isnull=False), name="order_other_ids"),
            # `similar_orders`: a service's orders for one target, of the last day.
            Index(fields=["target", "service", "-created_at"], name="order_like"),
            # Of those that have not ended: `similar_orders`, and for delivery times a service's live orders.
            Index(fields=["service", "target", "-created_at"], condition=Q(IS_UNDER_WAY), name="order_like_under_way"),
            # The filter by what needs a look: what upstream does not know, newest first.
            Index(fields=["-id"], condition=IS_MISSING, name="order_missing"),
            # Late orders: how many, the longest late first; and newest first, by keyset.
            Index(fields=["late_from", "id"], condition=Q(late_from__isnull=False), name="order_late"),
            Index(fields=["-id", "late_from"], condition=Q(late_from__isnull=False), name="order_late_newest"),
            # Delivery times: which services' orders have ended since, and a service's last that did.
            Index(fields=["ended_at", "service"], condition=Q(ended_at__isnull=False), name="order_ends"),
            Index(fields=["service", "-ended_at"], condition=Q(ended_at__isnull=False), name="order_ends_of_one"),
            # Since you left: what ended badly, the latest first.
            Index(fields=["-ended_at", "-id"], condition=ENDED_BADLY, name="order_ended_badly"),
            # “Take next”: the oldest that needs a person and that nobody has.
            Index(fields=["id"], condition=NEEDS_A_PERSON, name="order_to_take"),
            # Spending: what upstream has taken and not named the charge of.
            Index(fields=["created_at"], condition=Q(charge=None, upstream_id__isnull=False), name="order_uncharged"),
            # The filter by anomalies, newest first.
            Index(fields=["-id"], condition=Q(doubts__isnull=False), name="order_doubts"),
            # The filters of the list, newest first, by keyset.
            Index(fields=["service", "-id"], name="order_service_newest"),
            Index(fields=["placed_by", "-id"], name="order_person_newest"),
            Index(fields=["network", "-id"], name="order_network_newest"),
            Index(fields=["category", "-id"], name="order_category_newest"),
            Index(fields=["host", "-id"], name="order_host_newest"),
            # A customer's orders, newest first; and what a customer calls one by.
            Index(fields=["customer", "-id"], condition=Q(customer__isnull=False), name="order_customer_newest"),
            Index(fields=["customer_reference", "-id"], condition=~Q(customer_reference=""), name="order_reference"),
            # The list's filters by what became of orders, newest first.
            Index(fields=["-id"], condition=Q(ended_late=True), name="order_ended_late"),
            Index(fields=["-id"], condition=GAVE_BACK, name="order_gave_back"),
            # The page of selling prices: what costs more than it was sold for, and what is not sent and has a price.
            Index(fields=["-id"], condition=COSTS_MORE, name="order_below_cost"),
            Index(fields=["service", "-id"], condition=SOLD_UNSENT, name="order_sold_unsent"),
            # The list by charge; and its filter by day, which becomes a range of ids.
            Index(fields=["cost", "id"], name="order_cost"),
            Index(fields=["created_at", "id"], name="order_day"),
            # `for_targets`: a pasted link, newest first; and which orders have no target yet.
            Index(fields=["target", "-id"], name="order_target"),
        ]

    def __str__(self) -> str:
        return f"Order {self.pk}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Fills the search fields of a new order."""
        if self._state.adding:
            self.fill_search_fields()
        super().save(*args, **kwargs)

    def get_absolute_url(self) -> str:
        """The order's own page."""
        return reverse("orders:show", args=[self.pk])

    def refresh_from_db(self, *args: Any, **kwargs: Any) -> None:
        """Also forgets the tasks that were read before."""
        for name in ("placing_task", "known_tasks", "next_poll_at", "checked_at"):
            self.__dict__.pop(name, None)
        super().refresh_from_db(*args, **kwargs)

    def fill_search_fields(self) -> None:
        """Sets what lists and searches find it by. `save` does it for a new order; `bulk_create` does not."""
        fields = search_fields(self.service, self.link, self.body, self.placed_by)
        self.network, self.category, self.host, self.haystack, self.target = fields
        self.haystack = with_reference(self.haystack, "", self.customer_reference)

    @property
    def tasks_newest_first(self) -> Iterable[Task]:
        """Its tasks, newest first: those that `fetch_rows` read with it, else by a query."""
        return self.tasks.all() if self.known_tasks is None else self.known_tasks

    @cached_property
    def placing_task(self) -> Task | None:
        """The task that sends it, or None for an order that was not placed here."""
        return next((task for task in self.tasks_newest_first if task.kind == Task.Kind.PLACE), None)

    @property
    def confirming(self) -> bool:
        """Whether upstream may have it, for it was sent and no clear answer came: the same request_id goes again."""
        task = self.placing_task
        return self.status == Status.QUEUED and bool(task and task.unclear_since and not task.settled_at)

    @property
    def waits_again(self) -> bool:
        """Whether it was tried, and waits for another try: not for money, and not for a person to look."""
        task = self.placing_task
        tried = task is not None and task.settled_at is None and task.attempts > 0 and bool(task.answer)
        return self.status == Status.QUEUED and tried and task is not None and task.needs is None

    @property
    def unsent(self) -> bool:
        """Whether it may still be withdrawn: upstream cannot have it, and no worker is about to send it."""
        return self.status == Status.APPROVAL or (self.placing_task is not None and self.placing_task.unsent)

    @property
    def taken(self) -> bool:
        """Whether upstream gave it an id and has not said yet how it stands."""
        return self.status == Status.QUEUED and self.upstream_id is not None

    @property
    def shown_status(self) -> str:
        """The status, or a key of SHOWN_STATUSES where more is known."""
        task = self.placing_task
        if self.confirming:
            return "confirming"
        if self.taken:
            return "taken"
        if self.status == Status.QUEUED and task and task.needs is not None:
            return "unfunded"
        if self.status == Status.REJECTED and task and task.outcome in SHOWN_STATUSES:
            return task.outcome
        return self.status

    @property
    def label(self) -> str:
        """The word on the screen for `shown_status`."""
        return SHOWN_STATUSES.get(self.shown_status) or label(self.status)

    @property
    def stage(self) -> Stage:
        """What its status means: tone, what may be asked, what comes next."""
        return stage(self.status)

    @cached_property
    def next_poll_at(self) -> datetime | None:
        """When upstream is polled for it next, or None if it is polled no more. Assigning it saves nothing."""
        poll = getattr(self, "poll", None)
        return poll.next_poll_at if poll else None

    @cached_property
    def checked_at(self) -> datetime | None:
        """When we asked for upstream's last answer, whether or not it changed anything; None before the first."""
        poll = getattr(self, "poll", None)
        return latest(self.reported_at, poll and poll.reported_at)

    def recall_poll(self, poll: Poll | None) -> None:
        """Takes `next_poll_at` and `checked_at` from this poll, or from none."""
        self._meta.get_field("poll").set_cached_value(self, poll)  # type: ignore[union-attr]
        for name in ("next_poll_at", "checked_at"):
            self.__dict__.pop(name, None)

    @property
    def stale(self) -> bool:
        """Whether a poll is long overdue, so that what the row says may be old."""
        return is_stale(self.next_poll_at)

    @property
    def late_since(self) -> datetime | None:
        """When it became late, or None while it is not. Nothing is written at that moment: it was known before."""
        return late_since(self.late_from)

    @property
    def polled_alone(self) -> bool:
        """Whether upstream keeps leaving it out of its answers about many orders."""
        return self.left_out >= POLLED_ALONE_FROM

    @property
    def silent(self) -> bool:
        """Whether it is polled alone because calls that name it fail."""
        return self.failing_since is not None and self.polled_alone

    @property
    def given_up(self) -> bool:
        """Whether upstream did not know it, and a person ended the polling."""
        return (self.stage.live or self.taken) and self.next_poll_at is None and self.polled_alone

    @property
    def charge_difference(self) -> Decimal | None:
        """USD that upstream charged beyond the price shown, or None while it has named no charge in dollars."""
        return None if self.charge is None or not is_dollars(self.currency) else self.charge - self.expected_charge

    @property
    def given_back(self) -> bool:
        """Whether it ended short, and was charged less for that."""
        return self.status in ENDED_SHORT and (self.charge_difference or 0) < 0

    @property
    def total(self) -> int:
        """Units over all runs."""
        return self.quantity * (self.runs or 1)

    @property
    def delivered(self) -> int | None:
        """Units delivered by upstream's own `remains`, or None while it has not said, or said nonsense."""
        if self.remains is None or not 0 <= self.remains <= self.total:
            return None
        return self.total - self.remains

    @property
    def refills(self) -> Refills:
        """How many refills are used and left, and the pending refill."""
        return refills_of(self)

    @property
    def cancel_asked(self) -> bool:
        """Whether a cancel was asked for whose end nobody knows yet."""
        return pending_cancel(self) is not None

    def why_no_refill(self) -> str:
        """Why no refill may be asked for, or "": the same sentence on every page and in every bulk job."""
        return why_no_refill(self)

    def why_no_cancel(self) -> str:
        """Why no cancel may be asked for, or "": the same sentence on every page and in every bulk job."""
        return why_no_cancel(self)

    def change(self, **facts: Any) -> None:
        """Updates what a page shows of this order in the database; the instance in hand keeps its values."""
        Order.objects.filter(pk=self.pk).change(**facts)

    def record(self, kind: str, *, by: Any = None, at: datetime | None = None, **facts: Any) -> TrailLine:
        """Writes down one event of this order; `kind` is a key of SENTENCES in rules/event_text.py."""
        return TrailLine.objects.create(order=self, kind=kind, by=by, at=at or timezone.now(), facts=facts)

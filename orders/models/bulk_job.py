"""Many orders by one press: bulk jobs ask for refills or cancels, lists are placed at once or by a plan in parts.

What became of each order, its tasks say.
"""

import uuid

from django.db import models
from django.db.models import CheckConstraint, Index, Q, UniqueConstraint
from django.urls import reverse

from accounts.models import User
from orders.models.team import Worklist
from orders.rules.statuses import AFTERSALE
from panel.ops.database import literally

TEMPLATE_NAME_CHARACTERS = 60


class Bulk(models.Model):
    """One bulk job: who asked for what and when, for how many orders, and which orders the rule left out then."""

    kind = models.CharField(max_length=10, choices=[(kind.value, kind.label) for kind in AFTERSALE])
    asked_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    # The dry run's own token, so that a double click, F5 or a second tab of one dry run make one job.
    token = models.UUIDField(unique=True, editable=False)
    picked_from = models.CharField(max_length=200, help_text="How its orders were found, in words.")
    picked = models.PositiveIntegerField(help_text="Orders that were picked.")
    asked = models.PositiveIntegerField(default=0, help_text="Orders of them that something was asked of.")
    left_out = models.JSONField(default=dict, help_text="Order → why nothing was asked of it, when it was pressed.")
    # Empty for jobs from before there were answers.
    worklist = models.OneToOneField(
        Worklist, null=True, editable=False, on_delete=models.PROTECT, related_name="job",
        help_text="What the orders were named by, also what no order was found for.",
    )  # fmt: skip

    class Meta:
        ordering = ("-id",)

    def __str__(self) -> str:
        return f"{self.get_kind_display()} of {self.picked:,} {'order' if self.picked == 1 else 'orders'}"

    def get_absolute_url(self) -> str:
        """The job's receipt."""
        return reverse("orders:bulk", args=[self.pk])

    @property
    def left(self) -> int:
        """How many orders were left out, without reading which."""
        return self.picked - self.asked


# ── Mass orders ──────────────────────────────────────────────────────────────────────────────────
class MassDraft(models.Model):
    """A list that a person has pasted and not placed yet. Nobody else sees it, and nothing of it is sent."""

    # It becomes the token of the list, so that a draft that is placed again is the same list.
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+", db_index=False)
    source = models.CharField(max_length=200, help_text="Where the lines came from, in words.")
    # One value and no rows: 5,000 lines are read and written in one statement.
    lines = models.JSONField(help_text="Each line: its number, what was typed, what was agreed to.")
    seen = models.JSONField(default=dict, help_text="Service → its terms when the list was checked.")
    unread = models.TextField(blank=True, help_text="Heads of columns that were not read.")
    changed_at = models.DateTimeField()

    class Meta:
        ordering = ("-changed_at", "-id")
        indexes = [
            # A person's drafts, the last changed first.
            Index(fields=["owner", "-changed_at"], name="mass_draft_of_person"),
        ]

    def __str__(self) -> str:
        return f"Draft of {len(self.lines):,} lines"

    def get_absolute_url(self) -> str:
        """Where its lines are checked."""
        return reverse("orders:mass_draft", args=[self.pk])


class MassJob(models.Model):
    """A list that was placed: who placed it and when, and how many of its lines became orders."""

    token = models.UUIDField(unique=True, editable=False, help_text="The draft that it was.")
    placed_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False)
    placed_at = models.DateTimeField()
    source = models.CharField(max_length=200, help_text="Where the lines came from, in words.")
    listed = models.PositiveIntegerField(help_text="Lines of the list.")
    ordered = models.PositiveIntegerField(help_text="Lines that became orders.")
    expected_charge = models.DecimalField(max_digits=18, decimal_places=6, help_text="Our estimate of all, USD.")

    class Meta:
        ordering = ("-id",)

    def __str__(self) -> str:
        return f"{self.ordered:,} {'order' if self.ordered == 1 else 'orders'}"

    def get_absolute_url(self) -> str:
        """The list's receipt."""
        return reverse("orders:mass_job", args=[self.pk])

    @property
    def left(self) -> int:
        """How many lines did not become orders."""
        return self.listed - self.ordered


class MassLine(models.Model):
    """One line of a list that was placed: the order that it became, or why it became none."""

    # No index of its own: the constraint below begins with it.
    job = models.ForeignKey(MassJob, on_delete=models.PROTECT, related_name="lines", db_index=False)
    number = models.PositiveIntegerField(help_text="Where it stood in the list.")
    order = models.OneToOneField("orders.Order", null=True, on_delete=models.PROTECT, related_name="mass_line")
    typed = models.JSONField(help_text="Field → what was typed.")
    why = models.TextField(blank=True, help_text="Why it became no order.")

    class Meta:
        ordering = ("job_id", "number")
        constraints = [
            # A line becomes one order at most. A list's lines, in its order.
            UniqueConstraint(fields=["job", "number"], name="one_line_of_a_number"),
        ]

    def __str__(self) -> str:
        return f"Line {self.number} of list {self.job_id}"


IS_LEFT = Q(literally("left", "> 0"))  # lines of a part wait for a person, or became a list since


# ── Plans ────────────────────────────────────────────────────────────────────────────────────────
class Plan(models.Model):
    """A list that is placed in parts, each at its time. Nothing of a part is ordered or reserved before."""

    token = models.UUIDField(unique=True, editable=False, help_text="The draft that it was.")
    # Its index: how many plans of a person still have parts to come.
    owner = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", help_text="In whose name it is placed.")
    made_at = models.DateTimeField()
    source = models.CharField(max_length=200, help_text="Where the lines came from, in words.")
    seen = models.JSONField(help_text="Service → its terms when the plan was made.")
    zone = models.CharField(max_length=60, help_text="The time zone of its times.")
    listed = models.PositiveIntegerField(help_text="Lines of all parts.")
    part_lines = models.PositiveIntegerField(help_text="Lines of one part.")
    every = models.PositiveSmallIntegerField(help_text="Hours or days between two parts.")
    unit = models.CharField(max_length=5, choices=[("hours", "hours"), ("days", "days")])

    class Meta:
        ordering = ("-id",)

    def __str__(self) -> str:
        return f"Plan {self.pk}"

    def get_absolute_url(self) -> str:
        """The plan's page."""
        return reverse("orders:plan", args=[self.pk])


class PlanPart(models.Model):
    """One part of a plan: its lines, its time, and what came of it."""

    class Outcome(models.TextChoices):
        """What came of a part. Empty: its time is still to come, or the plan is stopped."""

        PLACED = "placed", "placed"
        PARTLY = "partly", "placed in part"
        REFUSED = "refused", "not placed"
        LATE = "late", "too late"
        DROPPED = "dropped", "dropped"

    # No index of its own: the constraint below begins with it.
    plan = models.ForeignKey(Plan, on_delete=models.PROTECT, related_name="parts", db_index=False)
    number = models.PositiveSmallIntegerField(help_text="Its place in the plan; the first is 1.")
    due_at = models.DateTimeField()
    next_at = models.DateTimeField(null=True, help_text="When it is placed by itself; empty: it is not.")
    # What it is placed as, so that no part becomes two lists; and what its rest becomes.
    token = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    rest = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    listed = models.PositiveIntegerField(help_text="Lines that it had.")
    left = models.PositiveIntegerField(default=0, help_text="Lines that wait for a person.")
    lines = models.JSONField(help_text="The lines as a draft keeps them; once it is placed, those that were left.")
    outcome = models.CharField(max_length=10, blank=True, choices=Outcome.choices)
    settled_at = models.DateTimeField(null=True)
    job = models.ForeignKey(MassJob, null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    why = models.TextField(blank=True, help_text="Why lines wait for a person.")

    class Meta:
        ordering = ("plan_id", "number")
        indexes = [
            # The worker: what is due. It holds only what still goes by itself.
            Index(fields=["next_at", "id"], condition=Q(next_at__isnull=False), name="plan_part_due"),
            # The alarm: the newest parts that left lines for a person.
            Index(fields=["-id"], condition=IS_LEFT, name="plan_part_left"),
        ]
        constraints = [
            # The parts of a plan, in its order.
            UniqueConstraint(fields=["plan", "number"], name="one_part_of_a_number"),
            # What has an outcome never goes once more.
            CheckConstraint(condition=Q(outcome="") | Q(next_at=None), name="settled_part_is_not_due"),
        ]

    def __str__(self) -> str:
        return f"Part {self.number} of plan {self.plan_id}"

    @property
    def is_held(self) -> bool:
        """Whether it waits for somebody who lets the plan go on."""
        return not self.outcome and self.next_at is None


# ── Templates ────────────────────────────────────────────────────────────────────────────────────
class ListTemplate(models.Model):
    """A set of lines that a person keeps to order again, some of it blank until it is used."""

    # No index of its own: the constraint below begins with it.
    owner = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False)
    name = models.CharField(max_length=TEMPLATE_NAME_CHARACTERS)
    key = models.CharField(max_length=TEMPLATE_NAME_CHARACTERS * 2, help_text="The name, folded.")
    shared = models.BooleanField(default=False, help_text="Whether the team may use it.")
    listed = models.PositiveIntegerField(help_text="Lines of it.")
    lines = models.JSONField(help_text="Each line: its number, what is always the same, which fields are blank.")
    saved_at = models.DateTimeField()

    class Meta:
        ordering = ("key", "id")
        indexes = [
            # Those of the team.
            Index(fields=["key", "id"], condition=Q(shared=True), name="list_template_shared"),
        ]
        constraints = [
            # A person's templates by the alphabet; no two have the same name.
            UniqueConstraint(fields=["owner", "key"], name="one_list_template_of_a_name"),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        """Where its blanks are filled in."""
        return reverse("orders:template", args=[self.pk])

"""Bulk jobs: one press that asks for a refill or a cancel of many orders. What became of each, its tasks say."""

from django.db import models
from django.urls import reverse

from accounts.models import User
from orders.models.team import Worklist
from orders.rules.statuses import AFTERSALE


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

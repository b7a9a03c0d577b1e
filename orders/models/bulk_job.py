"""Jobs: one press that asks for a refill or a cancel of many orders. What became of each is told by its tasks."""

from django.conf import settings
from django.db import models
from django.urls import reverse


class Bulk(models.Model):
    """One press for many orders: who, when, of what, and which orders the rule left out then."""

    class Kind(models.TextChoices):
        """As of tasks."""

        REFILL = "refill", "Refill"
        CANCEL = "cancel", "Cancel"

    kind = models.CharField(max_length=10, choices=Kind)
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    # Of the dry run that was pressed: a double click, F5 or a second tab of it meet here.
    token = models.UUIDField(unique=True, editable=False)
    picked_from = models.CharField(max_length=200, help_text="How its orders were found, in words.")
    picked = models.PositiveIntegerField(help_text="Orders that were picked.")
    asked = models.PositiveIntegerField(default=0, help_text="Orders of them that something was asked of.")
    left_out = models.JSONField(default=dict, help_text="Order → why nothing was asked of it, when it was pressed.")

    class Meta:
        ordering = ("-id",)

    def __str__(self) -> str:
        return f"{self.get_kind_display()} of {self.picked:,} {'order' if self.picked == 1 else 'orders'}"

    def get_absolute_url(self) -> str:
        return reverse("orders:bulk", args=[self.pk])

    @property
    def left(self) -> int:
        """How many were left out, without reading which."""
        return self.picked - self.asked

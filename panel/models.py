"""What the roof keeps: how upstream is, which workers beat, and chores with their due time."""

from datetime import datetime, timedelta
from typing import ClassVar

from django.db import models

from panel.alarms import models as alarms  # noqa: F401  # Django finds its models through this file

ONLY = 1  # the primary key of a table with one row


class Upstream(models.Model):
    """How the supplier is, as the worker last found it. One row; every process reads it."""

    spoke_at = models.DateTimeField(null=True, help_text="Last time it answered a call well.")
    trouble = models.TextField(blank=True, help_text="What is wrong, in a sentence; empty when all is well.")
    trouble_since = models.DateTimeField(null=True)
    paused_until = models.DateTimeField(null=True, help_text="Nobody calls before this: a limit or a suspension.")

    class Meta:
        verbose_name_plural = "upstream"

    def __str__(self) -> str:
        return self.trouble or "Upstream is well."


class Beat(models.Model):
    """A worker that runs, or ran."""

    name = models.CharField(max_length=120, unique=True, help_text="host:process")
    started_at = models.DateTimeField()
    beat_at = models.DateTimeField(db_index=True)  # the readiness question: the latest beat
    stopped_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("-beat_at",)
        verbose_name = "worker"

    def __str__(self) -> str:
        return self.name


class ChoreQuerySet(models.QuerySet["Chore"]):
    def claim(self, now: datetime, lease: timedelta) -> "Chore | None":
        """Hands one due chore to this worker and to no other, until the lease ends."""
        while chore := self.filter(due_at__lte=now).order_by("due_at").first():
            if self.filter(pk=chore.pk, due_at=chore.due_at).update(due_at=now + lease):
                chore.due_at = now + lease
                return chore
        return None


class Chore(models.Model):
    """Something to be done again and again: the catalog, the balance."""

    name = models.CharField(max_length=20, primary_key=True)
    due_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True, help_text="Last time it went well.")
    trouble = models.TextField(blank=True, help_text="What went wrong last time; empty when nothing did.")

    objects: ClassVar[ChoreQuerySet] = ChoreQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name

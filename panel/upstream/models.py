"""Tables about the supplier and the workers: upstream's health, calls by the minute, workers, recurring work."""

from datetime import datetime, timedelta
from typing import Any, ClassVar, Self

from django.conf import settings
from django.db import models

from panel.notpanel.budget import Purpose

DESK = "desk"  # a worker's role beside the purposes of calls: work that needs no call to upstream
ROLES = (*Purpose, DESK)
EVERY_ROLE = " ".join(ROLES)
SILENT_AFTER = timedelta(seconds=90)  # a worker may be in a call that takes its whole deadline, a few times over


class Upstream(models.Model):
    """How upstream is, as its latest answers show. One row, which every process reads."""

    spoke_at = models.DateTimeField(null=True, help_text="Last time it answered a call well.")
    trouble = models.TextField(blank=True, help_text="What is wrong, in a sentence; empty when all is well.")
    trouble_since = models.DateTimeField(null=True)
    paused_until = models.DateTimeField(null=True, help_text="Nobody calls before this: a limit or a suspension.")
    # The desk's own clock: panel/upstream/clock.py.
    skew_seconds = models.FloatField(null=True, help_text="By how much our clock is ahead of upstream’s.")
    skew_at = models.DateTimeField(null=True, help_text="When the two were compared last.")
    set_back_at = models.DateTimeField(null=True, help_text="When the desk last found that its clock was set back.")
    set_back_seconds = models.FloatField(null=True, help_text="By how much it was set back then.")
    # The key to it, which pages do not have.
    key_end = models.CharField(max_length=4, blank=True, default="", help_text="Its last characters.")
    key_mark = models.CharField(
        max_length=60, blank=True, default="", help_text="By it a pasted key is noticed: panel/upstream/key.py."
    )
    key_since = models.DateTimeField(null=True, help_text="When a worker first used this key.")

    class Meta:
        verbose_name_plural = "upstream"

    def __str__(self) -> str:
        return self.trouble or "The supplier answers."


class Window(models.Model):
    """One minute of calls: what each layer of upstream's limits still allows, and what the calls were for.

    panel/notpanel/budget.py says what the columns mean and how they change; panel/upstream/call_budget.py keeps them.
    """

    number = models.PositiveBigIntegerField(unique=True)  # of two processes that open the next window, the first wins
    ends_at = models.DateTimeField()
    key_limit = models.IntegerField()
    key_left = models.IntegerField()
    key_learned = models.BooleanField(default=False, help_text="Upstream named the key’s limit.")
    tier_limit = models.IntegerField(null=True)
    tier_left = models.IntegerField(null=True)
    tier_seen = models.IntegerField(null=True, help_text="The most that answers told of.")
    ip_limit = models.IntegerField()
    ip_left = models.IntegerField()
    flying = models.IntegerField(default=0, help_text="Calls under way.")
    carried = models.IntegerField(default=0, help_text="Calls of the window before that were under way.")
    lag = models.FloatField(default=0, help_text="Seconds that upstream’s clock is behind ours.")
    place = models.IntegerField(default=0)
    ask = models.IntegerField(default=0)
    look = models.IntegerField(default=0)
    upkeep = models.IntegerField(default=0)
    denied = models.IntegerField(default=0, help_text="Calls that upstream denied.")
    version = models.PositiveIntegerField(default=0, help_text="Who changes it names the one that was read.")

    class Meta:
        ordering = ("-number",)

    def __str__(self) -> str:
        return f"until {self.ends_at:%H:%M:%S}: {self.key_left} of {self.key_limit} left"


class Beat(models.Model):
    """A worker that runs or ran, with its last heartbeat."""

    name = models.CharField(max_length=120, unique=True, help_text="host:process")
    started_at = models.DateTimeField()
    beat_at = models.DateTimeField(db_index=True)  # for the readiness check: the latest heartbeat
    stopped_at = models.DateTimeField(null=True)
    roles = models.CharField(max_length=60, default=EVERY_ROLE, help_text="What it does.")
    calls = models.PositiveBigIntegerField(default=0, help_text="To upstream, since it began.")
    pause = models.DurationField(
        null=True, help_text="How long there was none before it began; only of one that cron starts."
    )

    class Meta:
        ordering = ("-beat_at",)
        verbose_name = "worker"

    def __str__(self) -> str:
        return self.name


class ChoreQuerySet(models.QuerySet["Chore"]):
    """Queries for recurring work that is due."""

    def due(self, now: datetime) -> Self:
        """Recurring work whose time has come, longest due first."""
        return self.filter(due_at__lte=now).order_by("due_at")

    def claim(self, now: datetime, lease: timedelta) -> "Chore | None":
        """Hands the longest due row to this worker and to no other until the lease ends; None when none is due."""
        while chore := self.due(now).first():
            if self.filter(pk=chore.pk, due_at=chore.due_at).update(due_at=now + lease):
                chore.due_at = now + lease
                return chore
        return None

    def ask(self, name: str, *, by: Any, at: datetime) -> bool:
        """Has this work done in the next round, because a person wants it. False if it is asked for already.

        One that is under way is done once more: it may have begun before what the person waits for.
        """
        return bool(self.filter(name=name, asked_at=None).update(asked_at=at, asked_by=by, due_at=at))


class Chore(models.Model):
    """One kind of recurring work, such as reading the balance. panel/worker/recurring.py says what is done."""

    name = models.CharField(max_length=20, primary_key=True)
    due_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True, help_text="Last time it went well.")
    trouble = models.TextField(blank=True, help_text="What went wrong last time; empty when nothing did.")
    asked_at = models.DateTimeField(
        null=True, blank=True, help_text="When a person asked for it; empty once it is done."
    )
    # No index: nothing is queried by person.
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )

    objects: ClassVar[ChoreQuerySet] = ChoreQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name

"""When upstream is polled for an order: a narrow row that is due at some time, so that no poll rewrites the order's."""

from collections.abc import Mapping
from datetime import datetime
from typing import ClassVar, Self, TypeVar

from django.db import models
from django.db.models import Index
from django.db.models.functions import Greatest, Least

from orders.rules.poll_schedule import POLLED_ALONE_FROM, WEBHOOKS_TOGETHER, next_tick

M = TypeVar("M", bound=models.Model)


class Urgency(models.IntegerChoices):
    """Why an order is polled before its time. The greater goes first."""

    NONE = 0, "nobody waits for it"
    WEBHOOK = 1, "a webhook named it"
    PERSON = 2, "a person wants to know"
    SUSPECT = 3, "a call that named it failed"


class Queue(models.IntegerChoices):
    """Whether an order shares a call with others."""

    TOGETHER = 0, "with others"
    ALONE = 1, "by itself, since upstream keeps leaving it out"


def queue_of(left_out: int) -> Queue:
    """The queue of an order that so many answers in a row have left out."""
    return Queue.ALONE if left_out >= POLLED_ALONE_FROM else Queue.TOGETHER


class PollQuerySet(models.QuerySet["Poll"]):
    """Polls by whether they are due. One index serves all: `poll_next`."""

    def by_index(self) -> Self:
        """All polls, in words by which a database finds the due ones in the index."""
        return self.filter(queue__in=Queue.values, urgency__in=Urgency.values)

    def together(self) -> Self:
        """Polls that share calls."""
        return self.filter(queue=Queue.TOGETHER)

    def due(self, now: datetime) -> Self:
        """Polls whose time has come, in no order."""
        return self.by_index().filter(next_poll_at__lte=now)

    def due_alone(self, now: datetime) -> Self:
        """Due polls of orders that upstream keeps leaving out, those that somebody asked for first."""
        return self.filter(queue=Queue.ALONE).due(now).order_by("-urgency", "next_poll_at")

    def lock(self) -> "dict[int, Poll]":
        """Locks these polls, by order like everybody, so that no two wait for each other: order → poll.

        Whoever also locks their orders locks those first.
        """
        return {poll.order_id: poll for poll in self.order_by("pk").select_for_update()}

    def put_off(self, until: datetime) -> None:
        """Polls these at that time, but not those that are due later, or that somebody has asked for meanwhile."""
        self.filter(urgency__in=(Urgency.NONE, Urgency.SUSPECT), next_poll_at__lt=until).update(next_poll_at=until)

    def ask_first(self, urgency: Urgency, at: datetime) -> int:
        """Polls these first, at that time or when they are due if that is earlier; returns how many it moved."""
        later = self.exclude(urgency__gte=urgency, next_poll_at__lte=at)
        return later.update(urgency=Greatest("urgency", urgency), next_poll_at=Least("next_poll_at", at))


class Poll(models.Model):
    """When upstream is polled for one order next. An order without such a row is not polled: it ended, or was given up.

    Narrow, for it changes with every poll, and with one index: an order's own row changes only when the order does.
    """

    order = models.OneToOneField("orders.Order", primary_key=True, on_delete=models.CASCADE, related_name="poll")
    next_poll_at = models.DateTimeField(help_text="When upstream is asked next.")
    reported_at = models.DateTimeField(
        null=True, help_text="When we asked for the last answer; empty: not since this row was made."
    )
    queue = models.PositiveSmallIntegerField(choices=Queue, default=Queue.TOGETHER)
    urgency = models.PositiveSmallIntegerField(
        choices=Urgency, default=Urgency.NONE, help_text="Who wants it to be asked after before its time."
    )
    # Calls about many orders that fail: orders/following/split.py.
    share = models.PositiveSmallIntegerField(
        null=True, help_text="How many orders its next call may name, after calls that failed; empty: as many as fit."
    )

    objects: ClassVar[PollQuerySet] = PollQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        indexes = [
            # The next call: urgent ones first, then those longest due; and what is polled alone.
            Index(fields=["queue", "-urgency", "next_poll_at"], name="poll_next"),
        ]

    def __str__(self) -> str:
        return f"Poll of order {self.order_id}"


class PollCall(models.Model):
    """A call about many orders that is under way, or whose worker died: until it ends, no other call names them."""

    ends_at = models.DateTimeField(help_text="When others may poll its orders, if no answer was saved by then.")
    order_ids = models.JSONField()
    # Only of a call that this process makes: upstream's id of each order → when the order was due.
    due: Mapping[str, datetime] = {}

    class Meta:
        ordering = ("id",)

    def __str__(self) -> str:
        return f"Call about {len(self.order_ids)} orders"

    @classmethod
    def begin(cls, ends_at: datetime, claimed: Mapping[int, tuple[str, datetime]]) -> "PollCall | None":
        """Claims these orders (order → upstream's id, when it was due) until then. None if there is none."""
        if not claimed:
            return None
        call = cls.objects.create(ends_at=ends_at, order_ids=list(claimed))
        call.due = dict(claimed.values())
        return call

    @classmethod
    def order_ids_at(cls, now: datetime) -> set[int]:
        """The orders that calls name now. Forgets calls whose time is over."""
        calls = list(cls.objects.all())
        if over := [call.pk for call in calls if call.ends_at <= now]:
            cls.objects.filter(pk__in=over).delete()
        return {pk for call in calls if call.ends_at > now for pk in call.order_ids}


class PolledQuerySet(models.QuerySet[M]):
    """Orders, by when upstream is polled for them."""

    def poll_now(self, now: datetime) -> int:
        """Puts these orders first in upstream's next call, since a person wants to know; returns how many it moved."""
        return self._poll_first(Urgency.PERSON, now)

    def poll_soon(self, now: datetime) -> int:
        """Puts these orders before what is due, since webhooks named them; those of one moment share a call."""
        return self._poll_first(Urgency.WEBHOOK, next_tick(WEBHOOKS_TOGETHER, now))

    def _poll_first(self, urgency: Urgency, at: datetime) -> int:
        known = list(self.filter(upstream_id__isnull=False).order_by().values_list("pk", "left_out", "poll"))
        polls = Poll.objects.filter(order__in=[pk for pk, _, poll in known if poll])
        polls.lock()
        moved = polls.ask_first(urgency, at)
        new = [
            Poll(order_id=pk, next_poll_at=at, urgency=urgency, queue=queue_of(left_out))
            for pk, left_out, poll in known
            if not poll
        ]
        Poll.objects.bulk_create(new, ignore_conflicts=True)
        return moved + len(new)

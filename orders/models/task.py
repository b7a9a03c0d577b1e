"""What is asked of upstream about an order: tasks, and the attempts of each."""

from collections import defaultdict
from datetime import datetime, timedelta
from typing import Any, ClassVar, Self

from django.conf import settings
from django.db import models, transaction
from django.db.models import CheckConstraint, F, Index, Q, UniqueConstraint
from django.db.models.functions import Coalesce
from django.utils import timezone

from accounts.models import User
from orders.models.bulk_job import Bulk
from orders.models.send_state import Sending
from orders.rules.retry import HELD_UNTIL, HURRIED_TOGETHER, HURRIED_TRIES
from orders.rules.statuses import AFTERSALE, TaskKind, TaskOutcome, TaskSettled
from panel.notpanel.errors import ANSWER_LOST, in_short
from panel.ops.database import literally, unindexed
from panel.ops.failpoints import fp

IS_PENDING = Q(kind__in=AFTERSALE, over_at=None)
MANY_TRIES = 10**9
IS_AFTERSALE = literally("kind", "IN ('refill', 'cancel')")
IS_REFILL = literally("kind", "= 'refill'")
# What reports count: refills that were asked for, and orders that upstream refused.
IS_ASKED_REFILL = Q(IS_REFILL, literally("over_how", "<> 'withdrawn'"))
IS_REFUSED = Q(literally("kind", "= 'place'"), literally("outcome", "= 'refused'"))
IS_PLACED = Q(literally("kind", "= 'place'"), literally("outcome", "= 'done'"))  # upstream took the order
# When upstream last let us know that it has a refill; where it never did, when the asking ended.
HEARD_AT = Coalesce("known_at", "settled_at")
# `upstream_id IS NOT NULL` has an index, from which SQLite may begin, and it names every order.
UNINDEXED_UPSTREAM_ID = unindexed("order__upstream_id")

# What the worker reads of a placement that it claims. The order's other columns would be most of the work of a claim.
CLAIMED_COLUMNS = (
    "order_id", "kind", "asked_at", "due_at", "attempts", "unclear_since", "settled_at", "outcome", "answer", "needs",
    "order__request_id", "order__body", "order__expected_charge",
)  # fmt: skip


class TaskQuerySet(models.QuerySet["Task"]):
    """Tasks by what may be sent now, and the claims that hand each to one worker."""

    def due(self, now: datetime) -> Self:
        """Open tasks whose time has come, longest due first."""
        return self.filter(settled_at=None, due_at__lte=now).order_by("due_at", "id")

    def sendable(self) -> Self:
        """Tasks that do not wait for money; none at all while sending is stopped.

        Without a join: a claim is an UPDATE with this condition, and with a join Django moves all conditions into a
        subquery, which PostgreSQL does not evaluate again after it has waited for another worker's claim.
        """
        stopped = Sending.objects.filter(stopped_at__isnull=False)
        return self.filter(~models.Exists(stopped), needs=None)

    def to_send(self, kind: str, now: datetime) -> Self:
        """Due tasks of a kind that may go now. A refill or cancel waits for its order to be known upstream."""
        due = self.filter(kind=kind).due(now).sendable()
        return due if kind == Task.Kind.PLACE else due.alias(known=UNINDEXED_UPSTREAM_ID).filter(known__isnull=False)

    def waiting_again(self, now: datetime, most_tries: int = MANY_TRIES) -> Self:
        """Tasks that wait for another try, because the last one got no clear answer or did not leave.

        None that a worker has in hand: its try has no end yet. None that wait for money, for a limit to end, or for the
        person who holds them back.
        """
        tries = Attempt.objects.filter(task=models.OuterRef("pk")).order_by("-id")
        last_ending = models.Subquery(tries.values("ending")[:1])
        waiting = self.filter(
            settled_at=None, due_at__gt=now, due_at__lt=HELD_UNTIL, needs=None, attempts__range=(1, most_tries)
        )
        return waiting.alias(last=last_ending).filter(last__in=(Attempt.Ending.UNCLEAR, Attempt.Ending.UNSENT))

    def hurry(self, now: datetime) -> int:
        """Makes these tasks due now, but none that a worker has claimed meanwhile; returns how many."""
        by_due = defaultdict[datetime | None, list[int]](list)
        for pk, due_at in self.values_list("pk", "due_at"):
            by_due[due_at].append(pk)
        # Only where it is due as it was read: a claim moves that, and then its try is under way.
        open_tasks = Task.objects.filter(settled_at=None)
        return sum(open_tasks.filter(pk__in=pks, due_at=at).update(due_at=now) for at, pks in by_due.items())

    def placings_to_hurry(self, now: datetime) -> Self:
        """Placements that wait for another try and that another order's answer lets go."""
        return self.filter(kind=TaskKind.PLACE).waiting_again(now, HURRIED_TRIES)

    def hurry_placing(self, now: datetime) -> None:
        """Lets the order go now that waits for another try and would go next, if there is one."""
        task = self.placings_to_hurry(now).select_related("order").order_by("due_at", "id").first()
        if task and self.filter(pk=task.pk).hurry(now):
            task.order.change()

    def hurry_aftersale(self, now: datetime) -> None:
        """Lets the refills and cancels go now that wait for another try: of each kind as many as go in one call."""
        for kind in AFTERSALE:
            waiting = self.filter(kind=kind).waiting_again(now, HURRIED_TRIES)
            waiting.order_by("due_at", "id")[:HURRIED_TOGETHER].hurry(now)

    def seen_by(self, user: Any) -> Self:
        """The tasks this person may see: the whole team's, none for a stranger."""
        return self if user.is_authenticated and user.is_active else self.none()

    def silent_refills(self, since: datetime) -> Self:
        """Pending refills that were sent and of which upstream has said nothing since then, longest silent first."""
        sent = self.filter(IS_REFILL, over_at=None, settled_at__isnull=False)
        return sent.alias(heard_at=HEARD_AT).filter(heard_at__lte=since).order_by(HEARD_AT)

    def pending(self) -> Self:
        """Refills and cancels whose end nobody knows yet: asked for, sent, or accepted."""
        return self.filter(IS_PENDING)

    def with_people(self) -> Self:
        """With the person who asked, whom rules and pages name."""
        return self.select_related("asked_by")

    def claim(self, now: datetime, lease: timedelta) -> "Task | None":
        """Hands one due placement to this worker and to no other, or returns None; the claim expires by the clock.

        From here on upstream may have heard of it, so `unclear_since` is set and the attempt is counted before a byte
        is sent: a worker that dies in mid-call leaves a task that is known to be in doubt.
        """
        cancels = Task.objects.pending().filter(order=models.OuterRef("order"), kind=Task.Kind.CANCEL)
        due = self.to_send(Task.Kind.PLACE, now).select_related("order").only(*CLAIMED_COLUMNS)
        due = due.annotate(cancel_waits=models.Exists(cancels))  # type: ignore[no-redef]
        while task := due.first():
            # `sendable` once more in the same statement: an undo or a stop that came in between wins. No join here:
            # with one, PostgreSQL would look at a copy of the row from before it waited for the undo.
            mine = self.filter(pk=task.pk, due_at=task.due_at, settled_at=None).sendable()
            claimed = {
                "due_at": now + lease,
                "attempts": task.attempts + 1,
                "unclear_since": task.unclear_since or now,
                # Where nothing is in doubt, what went wrong before says nothing about this attempt.
                "answer": task.answer if task.unclear_since else "",
            }
            with transaction.atomic():
                if taken := mine.update(**claimed):
                    task.order.change()
                    task.current_attempt = task.tries.create(began_at=now)
                fp("claim.commit")
            fp("claim.committed")
            if taken:
                task.was_unclear, task.claimed_until = task.unclear_since is not None, now + lease
                for name, value in claimed.items():
                    setattr(task, name, value)
                return task
        return None

    def claim_together(self, kind: str, now: datetime, lease: timedelta, limit: int) -> "list[Task]":
        """Hands up to `limit` due refills or cancels to this worker for one call; otherwise like `claim`."""
        due = self.to_send(kind, now)
        if not due.exists():  # as in most rounds: no transaction is opened for nothing
            return []
        with transaction.atomic():
            # SKIP LOCKED where there are row locks, so that two workers share the work and cannot deadlock over two
            # batches; on SQLite the write transaction itself is the lock.
            mine = due.select_for_update(of=("self",), skip_locked=True).select_related("order")
            tasks = list(mine[:limit])
            if tasks:
                share = tasks[0].share
                tasks = [task for task in tasks if task.share == share][:share]
                unclear_since = Coalesce("unclear_since", models.Value(now, models.DateTimeField()))
                self.filter(pk__in=[task.pk for task in tasks]).update(
                    due_at=now + lease, attempts=F("attempts") + 1, unclear_since=unclear_since
                )
                for attempt in Attempt.objects.bulk_create([Attempt(task=task, began_at=now) for task in tasks]):
                    task = attempt.task
                    task.current_attempt, task.was_unclear = attempt, task.unclear_since is not None
                    task.was_due_at = task.due_at
                    task.due_at = task.claimed_until = now + lease
                    task.attempts, task.unclear_since = task.attempts + 1, task.unclear_since or now
            fp("together.commit")
        fp("together.committed")
        return tasks


class Task(models.Model):
    """One thing asked of upstream about an order. The rows are the queue: an open task has a `due_at`."""

    Kind, Outcome, Settled = TaskKind, TaskOutcome, TaskSettled
    AFTERSALE = AFTERSALE

    order = models.ForeignKey("orders.Order", on_delete=models.PROTECT, related_name="tasks")
    kind = models.CharField(max_length=10, choices=TaskKind)
    asked_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField(default=timezone.now)
    due_at = models.DateTimeField(
        null=True, help_text="When a worker takes it up; while one has it, when its claim ends."
    )
    attempts = models.PositiveIntegerField(default=0, help_text="Tries that upstream may have heard.")
    unclear_since = models.DateTimeField(null=True, help_text="Since when upstream may have it, unknown to us.")
    settled_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=10, choices=TaskOutcome, blank=True)
    answer = models.TextField(blank=True, help_text="Upstream's id or sentence, or what went wrong last.")
    needs = models.DecimalField(
        max_digits=18, decimal_places=6, null=True, help_text="USD it waits for; empty: it does not wait for money."
    )
    # Calls about many orders that fail: orders/aftersale/split.py.
    failing_since = models.DateTimeField(null=True, help_text="Since when calls that name it fail; empty: they do not.")
    share = models.PositiveSmallIntegerField(
        null=True, help_text="How many its next call may name, after calls that failed; empty: as many as fit."
    )
    # Only for refills and cancels, which go on being pending after upstream's yes.
    known_at = models.DateTimeField(null=True, help_text="When upstream last let us know that it has it.")
    over_at = models.DateTimeField(null=True, help_text="Since when it is no longer pending.")
    over_how = models.CharField(max_length=10, choices=TaskSettled, blank=True)
    slot = models.PositiveSmallIntegerField(null=True, help_text="Which of its order's refills it is; empty: of none.")
    slots = models.PositiveSmallIntegerField(null=True, help_text="How many refills the order might have then.")
    # No index of its own: those below serve it, and leave out tasks that belong to no bulk job.
    bulk = models.ForeignKey(Bulk, null=True, on_delete=models.PROTECT, related_name="tasks", db_index=False)

    objects: ClassVar[TaskQuerySet] = TaskQuerySet.as_manager()  # type: ignore[assignment]
    # Set by a claim: whether an earlier attempt was already in doubt, since when it was due (only of a refill or
    # cancel), when the claim ends, and the attempt it is for; of a placement also whether a cancel of its order waits.
    was_unclear = False
    cancel_waits = False
    was_due_at: datetime | None = None
    claimed_until: datetime | None = None
    current_attempt: "Attempt | None" = None

    class Meta:
        ordering = ("-id",)
        constraints = [
            # Two entry points that ask for the same thing at once: one open task of a kind per order.
            UniqueConstraint(fields=["order", "kind"], condition=Q(settled_at=None), name="one_open_task_of_a_kind"),
            # An open task has a time, and a settled task is never due.
            CheckConstraint(
                condition=Q(settled_at=None, due_at__isnull=False) | Q(settled_at__isnull=False, due_at=None),
                name="open_means_due",
            ),
            # Two people, or two processes, at one button: one pending refill and one pending cancel per order.
            UniqueConstraint(fields=["order", "kind"], condition=IS_PENDING, name="one_pending_wish_of_a_kind"),
            # The cap of refills: each has a slot of its own, and there is none beyond the last.
            UniqueConstraint(fields=["order", "slot"], condition=Q(slot__isnull=False), name="one_refill_a_slot"),
            CheckConstraint(
                condition=Q(slot=None) | Q(slot__gte=1, slot__lte=F("slots")), name="no_slot_beyond_the_last"
            ),
        ]
        indexes = [
            # `to_send` and `waiting_again`, which the worker asks all the time. What waits for money is not in it.
            Index(fields=["kind", "due_at", "id"], condition=Q(settled_at=None, needs=None), name="task_to_send"),
            # `due`: what is open, of any kind.
            Index(fields=["due_at", "id"], condition=Q(settled_at=None), name="task_due"),
            # The status bar: how much money is waited for.
            Index(fields=["needs"], condition=Q(needs__isnull=False, settled_at=None), name="task_needs_money"),
            # The tabs of orders that wait for money, and of those whose sending has no clear answer; newest first.
            Index(fields=["-order"], condition=Q(needs__isnull=False, settled_at=None), name="task_waits_for_money"),
            Index(
                fields=["kind", "-order"],
                condition=Q(unclear_since__isnull=False, settled_at=None),
                name="task_confirming",
            ),
            # What upstream took between two readings of the balance.
            Index(fields=["settled_at"], condition=IS_PLACED, name="task_placed"),
            # `silent_refills`: those that are presumed settled.
            Index(HEARD_AT, condition=Q(IS_REFILL, over_at=None, settled_at__isnull=False), name="task_refill_silent"),
            # The list's filter by what is pending, newest order first.
            Index(fields=["kind", "-order"], condition=IS_PENDING, name="task_wish_pending"),
            # The filter by what needs a look: pending, and no clear answer.
            Index(
                fields=["kind", "-order"],
                condition=Q(kind__in=AFTERSALE, over_at=None, outcome="unclear"),
                name="task_wish_unclear",
            ),
            # The pages Refills and Cancels, newest first, by keyset: all, what is pending, and what is over.
            Index(fields=["kind", "-id"], condition=Q(IS_AFTERSALE), name="task_aftersale"),
            Index(
                fields=["kind", "outcome", "-id"],
                condition=Q(IS_AFTERSALE, over_at=None),
                name="task_aftersale_pending",
            ),
            Index(fields=["kind", "over_how", "-id"], condition=Q(over_at__isnull=False), name="task_aftersale_over"),
            # The list's filter by what became of orders, newest order first.
            Index(fields=["-order"], condition=IS_ASKED_REFILL, name="task_refill_asked"),
            Index(fields=["-order"], condition=IS_REFUSED, name="task_refused"),
            # A bulk job's receipt, by keyset; and how many of its tasks are open, for the list of jobs.
            Index(fields=["bulk", "id"], condition=Q(bulk__isnull=False), name="task_of_bulk"),
            Index(fields=["bulk"], condition=Q(bulk__isnull=False, settled_at=None), name="task_of_bulk_open"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.order_id}"

    @property
    def unsent(self) -> bool:
        """Whether it may still be withdrawn: upstream cannot have it, and no worker is about to send it."""
        return self.settled_at is None and self.unclear_since is None

    @property
    def held(self) -> bool:
        """Whether a person holds it back: it is sent when a person lets it go."""
        return self.due_at == HELD_UNTIL

    @property
    def came_back(self) -> str:
        """What came back from the last try of a task in doubt, in few words, such as `Answer lost`."""
        return in_short(self.answer)

    @property
    def maybe_sent(self) -> bool:
        """Whether it was due in books that may be old: this desk never tried it, and may have before they were."""
        return self.unclear_since is not None and self.attempts == 0

    def silent_since(self, since: datetime) -> bool:
        """Whether it is one of `silent_refills`."""
        sent = self.kind == TaskKind.REFILL and self.over_at is None and self.settled_at
        return bool(sent) and (self.known_at or self.settled_at or since) <= since

    def trusted(self, now: datetime) -> bool:
        """Whether its request_id may still be sent again. How long upstream remembers one is not documented."""
        window = timedelta(hours=settings.TRUST_WINDOW_HOURS)
        return self.unclear_since is None or now < self.unclear_since + window

    def postpone(
        self, until: datetime, *, unclear_since: datetime | None, attempts: int, answer: str, **more: Any
    ) -> bool:
        """Gives the claim back until then. Returns False if the claim had run out and another worker has the task."""
        return self._update_claimed(due_at=until, unclear_since=unclear_since, attempts=attempts, answer=answer, **more)

    def settle(self, outcome: str, answer: str, *, at: datetime, **more: Any) -> bool:
        """Ends the asking. Returns False if the claim had run out and another worker has the task."""
        return self._update_claimed(due_at=None, settled_at=at, outcome=outcome, answer=answer, **more)

    def end_attempt(self, ending: str, answer: str, at: datetime) -> None:
        """Writes down how the claim's attempt ended, even if the claim has run out meanwhile."""
        if self.current_attempt:
            Attempt.objects.filter(pk=self.current_attempt.pk).update(ending=ending, said=answer, ended_at=at)

    def _update_claimed(self, **fields: Any) -> bool:
        # The attempt's number and the claim's end tell whether the claim still holds: a late writer loses.
        mine = Task.objects.filter(pk=self.pk, attempts=self.attempts, due_at=self.claimed_until, settled_at=None)
        if not mine.update(**fields):
            return False
        for name, value in fields.items():
            setattr(self, name, value)
        return True


class Attempt(models.Model):
    """One try of a task, written down before it begins. While it has no end, its call runs or its worker died."""

    class Ending(models.TextChoices):
        """What an attempt led to."""

        PLACED = "placed", "Accepted by the supplier"
        PENDING = "pending", "The supplier already has one"
        UNSENT = "unsent", "Nothing was sent"
        UNCLEAR = "unclear", "No clear answer"
        LIMITED = "limited", "Asked to slow down; not processed"
        HELD = "held", "The account is stopped; not processed"
        SHORT = "short", "The balance was too low"
        REFUSED = "refused", "Refused by the supplier"
        BROKEN = "broken", "A mistake of the desk’s own"

    # No index of its own: the index `attempt_of_task` serves it.
    task = models.ForeignKey(Task, on_delete=models.PROTECT, related_name="tries", db_index=False)
    began_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    ending = models.CharField(max_length=10, choices=Ending, blank=True)
    said = models.TextField(blank=True, help_text="Upstream's words, or what went wrong.")

    class Meta:
        ordering = ("id",)
        indexes = [
            # A task's tries, and its last one: by `task` alone, PostgreSQL may walk back through everybody's instead.
            Index(fields=["task", "-id"], name="attempt_of_task"),
        ]

    def __str__(self) -> str:
        return f"{self.how_it_ended or 'No end'}: {self.task}"

    @property
    def how_it_ended(self) -> str:
        """The label of its ending; for a try without a clear answer also what came instead of an answer."""
        label = self.get_ending_display()
        if self.ending != self.Ending.UNCLEAR or (came_back := in_short(self.said)) in (label, ANSWER_LOST):
            return label
        return f"{label}: {came_back[:1].lower()}{came_back[1:]}"

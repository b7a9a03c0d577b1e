"""Whether orders are sent at all, how upstream has answered calls lately, and who approved an order."""

from datetime import datetime

from django.db import connection, models
from django.db.models import CheckConstraint, F, Index, Q

from accounts.models import User
from panel.ops.database import ONLY_ROW, only_row


class Sending(models.Model):
    """Whether orders are sent. One row, which every process reads; orders/placing/send_switch.py changes it."""

    stopped_at = models.DateTimeField(null=True, help_text="Empty: orders go out.")
    stopped_by = models.ForeignKey(
        User, null=True, on_delete=models.PROTECT, related_name="+",
        help_text="Empty while stopped: the desk itself; only then does it go on by itself.",
    )  # fmt: skip
    reason = models.TextField(blank=True)
    failures = models.PositiveIntegerField(default=0, help_text="Tries in a row that upstream did not answer.")
    probe_at = models.DateTimeField(null=True, help_text="When the balance is asked for, to learn whether to go on.")
    trial_at = models.DateTimeField(
        null=True, help_text="When the desk last went on by itself, and no order was answered since; empty: it was."
    )
    # Of books that may be older than what upstream knows: orders/placing/old_books.py.
    old_since = models.DateTimeField(
        null=True,
        help_text="When they end. Nothing is sent until a person has released what was due until then.",
    )
    doubt_since = models.DateTimeField(
        null=True, help_text="Since when upstream may have what was due in them: the last word of a worker."
    )
    old_why = models.TextField(blank=True, help_text="What was seen of the gap.")
    store = models.CharField(
        max_length=100, blank=True, help_text="The mark of the database that a worker last began on; empty: not known."
    )
    # Whether a call that fails is to blame on its orders: orders/following/split.py and orders/aftersale/split.py.
    status_at = models.DateTimeField(null=True, help_text="Last time upstream answered a poll well.")
    refill_at = models.DateTimeField(null=True, help_text="Last time upstream answered a call for refills well.")
    cancel_at = models.DateTimeField(null=True, help_text="Last time upstream answered a call for cancels well.")

    class Meta:
        verbose_name_plural = "sending"

    def __str__(self) -> str:
        return f"Stopped: {self.reason}" if self.stopped_at else "Orders go out."

    @classmethod
    def lock(cls) -> None:
        """Locks the row, so that what the caller does until its transaction ends is done by one process at a time."""
        if not connection.features.has_select_for_update:  # there the write transaction itself is the lock
            return
        row = cls.objects.filter(pk=ONLY_ROW).select_for_update().values_list("pk")
        if not list(row):
            only_row(cls)
            list(row.all())

    @classmethod
    def record_answer(cls, action: str, at: datetime) -> None:
        """Records that upstream has answered a call of this action well: status, refill or cancel."""
        answered = {f"{action}_at": at}
        if not cls.objects.filter(pk=ONLY_ROW).update(**answered):
            only_row(cls).update(**answered)

    @classmethod
    def answered_since(cls, action: str, at: datetime) -> bool:
        """Whether upstream has answered a call of this action well since then."""
        return cls.objects.filter(**{f"{action}_at__gt": at}).exists()


class Approval(models.Model):
    """What a person asked a second person to approve, and what became of it. orders/approvals/decide.py writes it."""

    class Outcome(models.TextChoices):
        """How the asking ended."""

        APPROVED = "approved", "Approved"
        DECLINED = "declined", "Declined"
        EXPIRED = "expired", "Expired"
        WITHDRAWN = "withdrawn", "Withdrawn"

    order = models.OneToOneField("orders.Order", primary_key=True, on_delete=models.PROTECT, related_name="approval")
    # No indexes of their own for people: those below serve the pages, and nobody is deleted.
    asked_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False)
    asked_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    why = models.CharField(max_length=10, help_text="Which limit it is above: order, day, or sum for four eyes.")
    limit = models.DecimalField(max_digits=18, decimal_places=6, help_text="That limit in USD, as it was then.")
    reason = models.TextField(blank=True, help_text="Why it is needed, as the person who asked wrote it.")
    rate = models.DecimalField(max_digits=18, decimal_places=6, help_text="When it was asked, USD.")
    charge = models.DecimalField(max_digits=18, decimal_places=6, help_text="Our estimate when it was asked, USD.")
    outcome = models.CharField(max_length=10, choices=Outcome, blank=True)
    decided_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    decided_at = models.DateTimeField(null=True, help_text="Empty: it waits.")
    words = models.TextField(blank=True, help_text="Why it was declined, as the person who asked reads it.")
    approved_charge = models.DecimalField(
        max_digits=18, decimal_places=6, null=True, help_text="Our estimate at which it was approved, USD."
    )

    class Meta:
        ordering = ("-pk",)
        constraints = [
            # Four eyes: whoever asked never decides, whatever the code says.
            CheckConstraint(
                condition=~Q(outcome__in=("approved", "declined")) | ~Q(decided_by=F("asked_by")),
                name="decided_by_a_second_person",
            ),
        ]
        indexes = [
            # What waits, and what has waited long enough.
            Index(fields=["expires_at"], condition=Q(decided_at=None), name="approval_waits"),
            # The tabs of what was decided, newest first, by keyset.
            Index(fields=["outcome", "-order"], name="approval_by_outcome"),
            # A person's own, newest first.
            Index(fields=["asked_by", "-order"], name="approval_by_person"),
        ]

    def __str__(self) -> str:
        return f"{self.get_outcome_display() or 'Waits'}: order {self.order_id}"

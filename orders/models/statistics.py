"""Figures that triggers and the worker keep up to date: delivery times, charge totals, status counts, spending."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import ClassVar

from django.db import models
from django.db.models.functions import Coalesce, NullIf

from catalog.models import Service
from orders.rules.lateness import UsualTimes

# Whether the order had ended at a reading. Written out, or no database would know the index's condition again.
IS_AN_END = models.Func(
    models.F("status"),
    template="%(expressions)s IN ('cancelled', 'completed', 'partial', 'refunded')",
    output_field=models.BooleanField(),
)

# How long the newest orders took, in hundredths of what is usual; 0 where that is unknown.
ZERO, HUNDRED = (models.Func(template=digits, output_field=models.BigIntegerField()) for digits in ("0", "100"))
IS_MEASURED = models.Q(start_p95__isnull=False) | models.Q(finish_p95__isnull=False)
SLOWNESS = Coalesce(models.F("lately") * HUNDRED / NullIf("finish_median", ZERO), ZERO)

MICROSECOND = timedelta(microseconds=1)


class Pace(models.Model):
    """One service's delivery times in seconds, percentiles by nearest rank. statistics/delivery_times.py writes it."""

    service = models.OneToOneField(Service, primary_key=True, on_delete=models.CASCADE, related_name="pace")
    starts = models.PositiveIntegerField(help_text="Of its last ended orders those whose start we know.")
    finishes = models.PositiveIntegerField(help_text="Of its last ended orders those that were completed.")
    start_median = models.PositiveBigIntegerField(null=True, help_text="Seconds from when upstream took it.")
    start_p95 = models.PositiveBigIntegerField(null=True)
    finish_median = models.PositiveBigIntegerField(null=True)
    finish_p95 = models.PositiveBigIntegerField(null=True)
    quantity = models.PositiveBigIntegerField(help_text="95 of 100 completed ones were of so many units or fewer.")
    lately = models.PositiveBigIntegerField(null=True, help_text="The median finish of the newest alone.")
    computed_at = models.DateTimeField()
    ends_to = models.DateTimeField(help_text="Ends up to this moment have been looked through, of all services.")

    class Meta:
        ordering = ("service",)
        indexes = [
            # The newest `ends_to` of all services.
            models.Index(fields=["ends_to"], name="pace_ends_to"),
            # The page of late orders: services whose times are known, slowest compared with usual first.
            models.Index(SLOWNESS.desc(), "service", condition=IS_MEASURED, name="pace_slowest"),
        ]

    def __str__(self) -> str:
        return f"Pace of service {self.service_id}"

    @property
    def usual(self) -> UsualTimes:
        """The usual times that these figures tell."""
        return UsualTimes(
            start_median=_timedelta(self.start_median), start_p95=_timedelta(self.start_p95),
            finish_median=_timedelta(self.finish_median), finish_p95=_timedelta(self.finish_p95),
            count=self.finishes, starts=self.starts, quantity=self.quantity, lately=_timedelta(self.lately),
        )  # fmt: skip


class Reading(models.Model):
    """What a report told of an order's delivery, where that differs from the report before.

    Also what the reports after it told, where they are folded into it: orders/following/fold.py.
    """

    # No index of its own: the index `reading_of_order` serves it.
    order = models.ForeignKey("orders.Order", on_delete=models.PROTECT, related_name="readings", db_index=False)
    at = models.DateTimeField(help_text="When we asked.")
    status = models.CharField(max_length=40)
    remains = models.BigIntegerField(null=True)
    steps = models.JSONField(
        null=True, help_text="Later reports: microseconds after this one, and units that remained then; empty: none."
    )

    class Meta:
        ordering = ("-id",)
        indexes = [
            # An order's chart; and which orders have many.
            models.Index(fields=["order", "-id"], name="reading_of_order"),
            # The orders that ended lately.
            models.Index(fields=["-at"], condition=models.Q(IS_AN_END), name="reading_ends"),
        ]

    def __str__(self) -> str:
        return f"{self.status}, {'?' if self.remains is None else f'{self.remains:,}'} remain"

    @property
    def points(self) -> list[tuple[datetime, int | None]]:
        """When it and the later reports in it were asked for, and how many units remained then."""
        return [(self.at, self.remains), *((self.at + after * MICROSECOND, left) for after, left in self.steps or ())]

    def steps_to(self, later: "Reading") -> list[list[int | None]]:
        """The points of a later reading as steps of this one."""
        return [[(at - self.at) // MICROSECOND, remains] for at, remains in later.points]


class Folding(models.Model):
    """How far the readings of old orders were folded: orders/following/fold.py. One row."""

    down_to = models.BigIntegerField(help_text="The orders from this id on were looked at, the newest first.")

    class Meta:
        verbose_name_plural = "folding"

    def __str__(self) -> str:
        return f"Down to order {self.down_to}"


class Spending(models.Model):
    """What orders cost lately, in US dollars. One row, which every process reads."""

    at = models.DateTimeField(help_text="When it was measured.")
    since = models.DateTimeField(help_text="The beginning of what was measured: 24 hours, or less on a young desk.")
    spent = models.DecimalField(max_digits=18, decimal_places=6, help_text="By orders that upstream took since then.")
    queued = models.DecimalField(max_digits=18, decimal_places=6, help_text="By what waits to be sent.")

    class Meta:
        verbose_name_plural = "spending"

    def __str__(self) -> str:
        return f"{self.spent.normalize():f} USD, and {self.queued.normalize():f} queued"


class Charged(models.Model):
    """One change of a quarter hour's charge totals; their sum is the total. All money is in millionths of a dollar."""

    slot = models.IntegerField(help_text="When the orders were placed, in quarters of an hour since 1970.")
    orders = models.BigIntegerField(help_text="With a charge in US dollars.")
    expected = models.BigIntegerField()
    charged = models.BigIntegerField()
    given_back = models.BigIntegerField(help_text="Of what was expected, for orders that ended short.")
    elsewhere = models.BigIntegerField(help_text="Orders charged in another currency, which nothing is added up of.")

    class Meta:
        verbose_name_plural = "charged"
        indexes = [
            # The days of the charges page; and the newest quarter hour before them.
            models.Index(fields=["slot"], name="charged_slot"),
        ]

    def __str__(self) -> str:
        return f"{self.orders:+} in quarter {self.slot}"


class Tally(models.Model):
    """One change of a status count. The sum over a status is exactly how many orders have it now."""

    status = models.CharField(max_length=40)
    by = models.BigIntegerField(help_text="+1 for an order that came to this status, -1 for one that left.")

    class Meta:
        verbose_name_plural = "tally"

    def __str__(self) -> str:
        return f"{self.status} {self.by:+}"


class Spent(models.Model):
    """What a person's orders of one day of the desk cost, or the whole team's, in millionths of a dollar.

    Triggers keep it: orders/limits/spent.py. Our estimates count, as they were when the orders were placed.
    """

    day = models.DateField(help_text="On the desk's calendar.")
    who = models.BigIntegerField(help_text="The id of a person; 0: the whole team.")
    spent = models.BigIntegerField(default=0)
    waiting = models.BigIntegerField(default=0, help_text="By orders that wait for approval.")

    class Meta:
        ordering = ("-day", "who")
        verbose_name_plural = "spent"
        constraints = [
            # One row for each, which everybody who orders changes. It also finds a person's last days.
            models.UniqueConstraint(fields=["who", "day"], name="one_sum_a_day_and_person"),
        ]

    def __str__(self) -> str:
        return f"{self.who or 'Team'} on {self.day}"


class Words(models.Model):
    """One order in SQLite's trigram table, which answers MATCH. Only SQLite has it, and no migration manages it."""

    order_id = models.BigIntegerField(primary_key=True, db_column="rowid")

    objects: ClassVar[models.Manager["Words"]] = models.Manager()

    class Meta:
        managed = False
        db_table = "orders_words"

    def __str__(self) -> str:
        return f"Words of order {self.order_id}"


def _timedelta(seconds: int | None) -> timedelta | None:
    return None if seconds is None else timedelta(seconds=seconds)


def usual_times(service_ids: Collection[int]) -> dict[int, UsualTimes]:
    """Service id → its usual times, in one query, without services whose times are not known."""
    paces = Pace.objects.filter(pk__in=service_ids).order_by()
    return {pace.pk: pace.usual for pace in paces if pace.usual.known}

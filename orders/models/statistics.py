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
LOW_SCORE = 60  # below it people should look for another service


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


class SalesFigures(models.Model):
    """What orders of one time, service, person and customer add up to. All money is in millionths of a dollar."""

    slot = models.IntegerField(help_text="When the orders were placed, in quarters of an hour since 1970.")
    service = models.BigIntegerField()
    person = models.BigIntegerField(help_text="Who placed them.")
    customer = models.BigIntegerField(help_text="0: none was named.")
    orders = models.BigIntegerField()
    units = models.BigIntegerField()
    refused = models.BigIntegerField(help_text="Orders that upstream refused.")
    ended = models.BigIntegerField(help_text="Orders that upstream took and that have ended.")
    ended_units = models.BigIntegerField(help_text="Units of those that have ended.")
    delivered = models.BigIntegerField(help_text="Units of those that have ended which upstream delivered.")
    cancelled = models.BigIntegerField(help_text="Orders that ended as cancelled or refunded.")
    late = models.BigIntegerField(help_text="Orders that were late when they ended.")
    refills = models.BigIntegerField(help_text="Refills that were asked for.")
    refilled = models.BigIntegerField(help_text="Refills that were done, or are presumed to be.")
    elsewhere = models.BigIntegerField(help_text="Orders charged in another currency, which no money is added up of.")
    expected = models.BigIntegerField(help_text="Our estimates, of orders that are neither rejected nor in approval.")
    charged = models.BigIntegerField()
    ended_charged = models.BigIntegerField(help_text="Charged for those that have ended.")
    given_back = models.BigIntegerField(help_text="Of what was expected, for orders that ended short.")
    sold = models.BigIntegerField(help_text="What customers pay in the end.")
    margin = models.BigIntegerField(help_text="That, less what those orders cost, where both are known.")

    class Meta:
        abstract = True


class SaleLine(SalesFigures):
    """One change of the sums of sales, not folded into them yet: orders/statistics/sales.py."""

    class Meta:
        verbose_name_plural = "sale lines"
        indexes = [
            # The lines of a report's period, which are added to the sums.
            models.Index(fields=["slot"], name="sale_line_slot"),
        ]

    def __str__(self) -> str:
        return f"{self.orders:+} in quarter {self.slot}"


class SaleSum(SalesFigures):
    """A sum of sales. Which of time, service, person and customer it is of stands in LEVELS of statistics/sales.py."""

    level = models.SmallIntegerField(help_text="What it is a sum of; what it is not of is 0.")

    class Meta:
        verbose_name_plural = "sale sums"
        constraints = [
            # Folding finds a sum by it, and reports the sums of one level within a range of slots.
            models.UniqueConstraint(fields=["level", "slot", "service", "person", "customer"], name="one_sale_sum"),
        ]

    def __str__(self) -> str:
        return f"{self.orders} of level {self.level} in quarter {self.slot}"


class ServiceScore(models.Model):
    """How good a service was over the last four weeks, as statistics/scores.py writes it. Without a row: no score."""

    service = models.OneToOneField(Service, primary_key=True, on_delete=models.CASCADE, related_name="score")
    value = models.PositiveSmallIntegerField(help_text="From 0 to 100.")
    rank = models.PositiveSmallIntegerField(help_text="100 less the score, so that the best comes first.")
    before = models.PositiveSmallIntegerField(null=True, help_text="The score of the four weeks before.")
    ended = models.PositiveBigIntegerField(help_text="Orders that it is made from.")
    delivered = models.DecimalField(max_digits=4, decimal_places=1, help_text="Percent of the units of ended orders.")
    late = models.DecimalField(max_digits=4, decimal_places=1, help_text="Percent of ended orders.")
    refills = models.DecimalField(max_digits=4, decimal_places=1, help_text="Asked for, in percent of ended orders.")
    refused = models.DecimalField(max_digits=4, decimal_places=1, help_text="Percent of orders that were asked for.")
    per_thousand = models.DecimalField(
        max_digits=24, decimal_places=6, null=True, help_text="USD charged for a thousand delivered units."
    )
    weeks = models.JSONField(help_text="The score of each of the last twelve weeks, oldest first; null: too few ended.")
    measured_at = models.DateTimeField()

    class Meta:
        ordering = ("rank", "service")
        # The list of services by their score.
        indexes = [models.Index(fields=["rank", "service"], name="score_best")]

    def __str__(self) -> str:
        return f"{self.value} of 100"

    @property
    def words(self) -> str:
        """`delivers 97 %, late 2 %`."""
        return f"delivers {self.delivered:.0f} %, late {self.late:.0f} %"

    @property
    def trend(self) -> str:
        """How it moved against the four weeks before."""
        return trend_words(self.value, self.before)

    @property
    def is_low(self) -> bool:
        """Whether people should look for another service."""
        return self.value < LOW_SCORE


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


def trend_words(score: int, before: int | None) -> str:
    """How a score moved against the four weeks before: `+4`, `−9`, `no change`, or "" where there was none."""
    if before is None:
        return ""
    return f"{'+' if score > before else '−'}{abs(score - before)}" if score != before else "no change"

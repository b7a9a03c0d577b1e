"""What webhooks leave in the database: deliveries, where they are sent to, and how many were turned away."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, ClassVar, NamedTuple, Self

from django.db import connection, models


class Arrival(NamedTuple):
    """A delivery that is not kept yet. A thousand come in a second, so each is no more than its values."""

    key: str
    digest: str
    body: str
    received_at: datetime
    mark: str = ""
    event: str = ""
    upstream_id: str = ""
    status: str = ""


class DeliveryQuerySet(models.QuerySet["Delivery"]):
    def due(self, now: datetime) -> Self:
        """Deliveries that something is to be done about, longest due first."""
        return self.filter(due_at__lte=now).order_by("due_at")

    def insert(self, arrivals: Iterable[Arrival]) -> None:
        """One INSERT, due at once. What is there already stays as it is.

        Written out: `bulk_create` wants an object for each row, and prepares each of its fields anew.
        """
        ops, rows = connection.ops, list[str | datetime]()
        # By their key, so that two processes with the same ones wait for each other and cannot deadlock.
        for arrival in sorted(arrivals):
            at: Any = ops.adapt_datetimefield_value(arrival.received_at)
            rows += (*arrival._replace(received_at=at), at, Delivery.How.CAME.value)
        names = (*Arrival._fields, "due_at", "how")
        into = f"{ops.quote_name(Delivery._meta.db_table)} ({', '.join(map(ops.quote_name, names))})"
        places = ", ".join([f"({', '.join(['%s'] * len(names))})"] * (len(rows) // len(names)))
        with connection.cursor() as cursor:
            cursor.execute(f"INSERT INTO {into} VALUES {places} ON CONFLICT DO NOTHING", rows)  # noqa: S608  our names


class Delivery(models.Model):
    """One delivery that upstream signed. It rings a bell; what it says of an order is never taken for true."""

    class How(models.TextChoices):
        """What has come of it."""

        CAME = "came", "Came in"
        RUNG = "rung", "Rung, not looked at yet"
        PARKED = "parked", "No such order here yet"
        LOOKED = "looked", "Looked at since"
        UNANSWERED = "unanswered", "Rung, and never looked at"
        UNKNOWN = "unknown", "No such order here"
        BALANCE = "balance", "Balance asked for"
        KEPT = "kept", "Names no order"

    # Upstream's id of it, or where it has none a hash of its body: a repeat meets the first here.
    key = models.CharField(max_length=100, unique=True)
    # Of what was signed. The id above is in a header that nobody signed; a recording played again meets itself here.
    digest = models.CharField(max_length=64, unique=True)
    event = models.CharField(max_length=40, blank=True)
    upstream_id = models.CharField(max_length=64, blank=True, help_text="The order that it names.")
    status = models.CharField(max_length=40, blank=True, help_text="What it says of that order. A report decides.")
    body = models.TextField()
    mark = models.CharField(max_length=8, help_text="Of the secret that it was signed with.")
    received_at = models.DateTimeField()
    due_at = models.DateTimeField(null=True, help_text="When something is to be done about it; empty: not any more.")
    handled_at = models.DateTimeField(null=True)
    how = models.CharField(max_length=10, choices=How, default=How.CAME)

    objects: ClassVar[DeliveryQuerySet] = DeliveryQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        ordering = ("-id",)
        verbose_name_plural = "deliveries"
        indexes = [
            # What the worker takes up next; those that are done with are not in it.
            models.Index(fields=["due_at"], condition=models.Q(due_at__isnull=False), name="delivery_due"),
            # Whether an order was rung for when it ended.
            models.Index(fields=["upstream_id", "received_at"], name="delivery_of_order"),
        ]

    def __str__(self) -> str:
        return f"{self.event or 'a delivery'} {self.upstream_id}".strip()

    def polled_since(self, reported_at: datetime | None) -> bool:
        """Whether its order, which upstream last told of at this time, was looked at since it came."""
        return reported_at is not None and reported_at >= self.received_at


class Endpoint(models.Model):
    """An address that upstream was told to deliver to. Its secret is in the environment alone."""

    url = models.CharField(max_length=500)
    upstream_id = models.CharField(max_length=64, blank=True)
    events = models.CharField(max_length=500, blank=True, help_text="Empty: all.")
    mark = models.CharField(max_length=8, blank=True, help_text="Of its secret: the beginning of its SHA-256.")
    registered_at = models.DateTimeField()
    last_delivery_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("-id",)

    def __str__(self) -> str:
        return self.url


class TurnedAway(models.Model):
    """How many requests at the webhooks' door were not taken on one day, for one reason."""

    day = models.DateField()
    reason = models.CharField(max_length=20)
    count = models.PositiveBigIntegerField(default=0)

    class Meta:
        ordering = ("-day", "reason")
        verbose_name_plural = "turned away"
        constraints = [
            # Two processes add to one row, which either may be the first to write.
            models.UniqueConstraint(fields=["day", "reason"], name="one_count_a_day_and_reason"),
        ]

    def __str__(self) -> str:
        return f"{self.day}: {self.count} {self.reason}"

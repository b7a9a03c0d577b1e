"""What webhooks leave in the database: deliveries, endpoints, and how many deliveries were rejected."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, ClassVar, NamedTuple, Self

from django.db import connection, models
from django.db.models import Value
from django.db.models.functions import Cast, Concat

from panel.notpanel.signing import WINDOW_SECONDS

BODY_KEY = "body:"  # begins the key of a delivery without an id: a hash of its body follows


class Arrival(NamedTuple):
    """A delivery that is not in the database yet. A thousand come in a second, so it is a plain tuple of its values."""

    key: str
    digest: str
    body: str
    received_at: datetime
    mark: str = ""
    event: str = ""
    upstream_id: str = ""
    status: str = ""


class DeliveryQuerySet(models.QuerySet["Delivery"]):
    """Deliveries by when something is to be done about them, and how they are inserted."""

    def due(self, now: datetime) -> Self:
        """Deliveries that something is to be done about, longest due first."""
        return self.filter(due_at__lte=now).order_by("due_at")

    def insert(self, arrivals: Iterable[Arrival]) -> None:
        """Inserts deliveries in one statement, due at once. Those that are there already stay as they are.

        The SQL is written out, since `bulk_create` makes an object of each row and prepares each field anew.
        """
        arrivals = list(arrivals)
        self._free_old_bodies(arrivals)
        ops, values = connection.ops, list[str | datetime]()
        # Sorted by key, so that two processes with the same deliveries wait for each other and cannot deadlock.
        for arrival in sorted(arrivals):
            at: Any = ops.adapt_datetimefield_value(arrival.received_at)
            values += (*arrival._replace(received_at=at), at, Delivery.How.CAME.value)
        names = (*Arrival._fields, "due_at", "how")
        into = f"{ops.quote_name(Delivery._meta.db_table)} ({', '.join(map(ops.quote_name, names))})"
        places = ", ".join([f"({', '.join(['%s'] * len(names))})"] * (len(values) // len(names)))
        with connection.cursor() as cursor:
            cursor.execute(f"INSERT INTO {into} VALUES {places} ON CONFLICT DO NOTHING", values)  # noqa: S608  our names

    def _free_old_bodies(self, arrivals: list[Arrival]) -> None:
        """Lets a body come in anew whose first delivery can no longer be a repeat: upstream says the same once more."""
        keys = {arrival.key for arrival in arrivals if arrival.key.startswith(BODY_KEY)}
        if not keys:
            return
        over = min(arrival.received_at for arrival in arrivals) - timedelta(seconds=WINDOW_SECONDS)
        # Locked in one order by everybody, so that two processes with the same bodies cannot deadlock.
        old = self.filter(key__in=keys, received_at__lt=over).order_by("pk").select_for_update()
        if pks := list(old.values_list("pk", flat=True)):
            numbered = Concat("key", Value("#"), Cast("pk", models.CharField()))
            self.filter(pk__in=pks).update(key=numbered)


class Delivery(models.Model):
    """One delivery that upstream signed. It makes the desk poll its order; only the report is believed."""

    class How(models.TextChoices):
        """What was done about a delivery."""

        CAME = "came", "Received"
        RUNG = "rung", "Order not checked yet"
        PARKED = "parked", "No such order here yet"
        LOOKED = "looked", "Order checked"
        UNANSWERED = "unanswered", "Order never checked"
        UNKNOWN = "unknown", "No such order here"
        BALANCE = "balance", "Balance checked"
        KEPT = "kept", "Names no order"

    # Upstream's id of the delivery, or where it has none BODY_KEY and a hash of its body, so that a repeat is not kept
    # twice. Once the replay window is over, such a key gets a number behind it, and the body may come in anew.
    key = models.CharField(max_length=100, unique=True)
    # A hash of what was signed, so that a replay under another id is not kept: the id's header is not signed.
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
            # `due`: what the worker takes up next; deliveries that are done with are not in it.
            models.Index(fields=["due_at"], condition=models.Q(due_at__isnull=False), name="delivery_due"),
            # Whether a delivery named an order when it ended.
            models.Index(fields=["upstream_id", "received_at"], name="delivery_of_order"),
            # Whether upstream has named orders before that the desk does not have.
            models.Index(fields=["id"], condition=models.Q(how="unknown"), name="delivery_unknown"),
        ]

    def __str__(self) -> str:
        return f"{self.event or 'a delivery'} {self.upstream_id}".strip()

    def polled_since(self, reported_at: datetime | None) -> bool:
        """Whether its order, whose last report was asked for at this time, was polled since the delivery came."""
        return reported_at is not None and reported_at >= self.received_at


class Endpoint(models.Model):
    """An address that upstream was told to deliver to. Its secret is only in the environment."""

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
    """How many requests the webhook endpoint rejected on one day for one reason."""

    day = models.DateField()
    reason = models.CharField(max_length=20)
    count = models.PositiveBigIntegerField(default=0)

    class Meta:
        ordering = ("-day", "reason")
        verbose_name_plural = "turned away"
        constraints = [
            # Two processes add to one row, and either may be the first to write it.
            models.UniqueConstraint(fields=["day", "reason"], name="one_count_a_day_and_reason"),
        ]

    def __str__(self) -> str:
        return f"{self.day}: {self.count} {self.reason}"

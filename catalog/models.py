"""The supplier's catalog as last heard, how it moved, and what people made of it: holds and favourites."""

import json
from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar, NamedTuple, Self

from django.conf import settings
from django.db import models

from panel.format.money import UNITS_PER_RATE
from panel.format.numbers import digits_of, number

PER_PACKAGE = "package"  # this type's rate is for the whole package, not for 1000 units
BILLED_AT_MINIMUM = frozenset({PER_PACKAGE, "subscriptions"})  # upstream ignores a quantity there, and bills `min`
MOST_DIGITS = 15  # of a quantity; far beyond any maximum


class ServiceQuerySet(models.QuerySet["Service"]):
    def active(self) -> Self:
        """What upstream sells now."""
        return self.filter(active=True)

    def matching(self, words: str) -> Self:
        """Services in which every word occurs: in the id, name, category or type; capitals do not matter."""
        found = self
        for word in words.replace("\0", " ").casefold().split()[:8]:
            found = found.filter(haystack__contains=word)
        return found

    def for_list(self, user: Any) -> Self:
        """With what a row shows besides: whether this person starred it (`starred`), and who holds it."""
        starred = models.Exists(Favourite.objects.filter(user=user, service=models.OuterRef("pk")))
        return self.annotate(starred=starred).select_related("held_over__decided_by")


class Service(models.Model):
    """One line of upstream's catalog. Never deleted: orders point here."""

    upstream_id = models.PositiveBigIntegerField(unique=True)
    name = models.CharField(max_length=500)
    type = models.CharField(max_length=60)
    category = models.CharField(max_length=300)
    rate = models.DecimalField(
        max_digits=18, decimal_places=6, help_text="USD per 1000 units; for Package, per package."
    )
    minimum = models.PositiveBigIntegerField()
    maximum = models.PositiveBigIntegerField()
    refill = models.BooleanField(default=False)
    cancel = models.BooleanField(default=False)
    dripfeed = models.BooleanField(default=False)
    active = models.BooleanField(default=True, help_text="Off when upstream no longer lists it.")
    first_seen_at = models.DateTimeField()
    changed_at = models.DateTimeField(help_text="When anything upstream says of it last moved.")
    haystack = models.TextField(editable=False, help_text="Id, name, category and type, casefolded, for search.")
    # DO_NOTHING: the database refuses by itself, and a sync that takes undecided changes out need not look here first.
    held_over = models.ForeignKey(
        "Change", null=True, blank=True, on_delete=models.DO_NOTHING, related_name="holds",
        help_text="The change that somebody holds it over: ordering it takes a deliberate yes.",
    )  # fmt: skip

    objects: ClassVar[ServiceQuerySet] = ServiceQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        ordering = ("category", "upstream_id")
        indexes = [
            # The services page and the picker: a category's or all, in upstream's order; and the tree's numbers.
            # `active` stands last: SQLite does not look for a bare truth, but reads it here without the row.
            models.Index(fields=["category", "upstream_id", "active"], name="service_by_category"),
            # The services page, cheapest first.
            models.Index(fields=["rate", "upstream_id", "active"], name="service_cheapest"),
        ]

    def __str__(self) -> str:
        return f"{self.upstream_id} {self.name}"

    @property
    def is_package(self) -> bool:
        return self.type.casefold() == PER_PACKAGE

    def why_no_order(self) -> str:
        """Empty when this can be ordered here; otherwise the reason, fit to show."""
        if not self.active:
            return f"Upstream no longer sells service {self.upstream_id}. Choose another."
        return ""

    def why_held(self) -> str:
        """Empty when nobody holds this; otherwise the sentence that asks for a deliberate yes."""
        if self.held_over is None:
            return ""
        return (
            f"{self.held_over.decided_by} put service {self.upstream_id} on hold. Say that you order it all the same."
        )

    @property
    def bought_whole(self) -> bool:
        """Billed at its minimum, whatever quantity is named."""
        return self.type.casefold() in BILLED_AT_MINIMUM

    @property
    def terms(self) -> dict[str, str]:
        """What a buyer agrees to, in words that compare: the price lock holds these against what was seen."""
        return {
            "rate": f"{self.rate.normalize():f}", "minimum": str(self.minimum), "maximum": str(self.maximum),
            "type": self.type, "refill": "yes" if self.refill else "no", "cancel": "yes" if self.cancel else "no",
            "drip-feed": "yes" if self.dripfeed else "no",
        }  # fmt: skip

    @property
    def as_seen(self) -> str:
        """These terms as a form carries them: what stood on the page beside the button."""
        return json.dumps({"service": self.upstream_id, **self.terms}, ensure_ascii=False)

    def read_quantity(self, typed: str) -> tuple[int | None, str]:
        """The quantity as a number, and what is wrong with it ("" when nothing is)."""
        if self.bought_whole:
            return self.minimum, ""
        digits = digits_of(typed)
        if not digits:
            return None, "How many?"
        if not (digits.isascii() and digits.isdecimal()) or len(digits) > MOST_DIGITS:
            return None, "Write the quantity as a whole number, such as 1000."
        return int(digits), self.outside(int(digits))

    def outside(self, quantity: int) -> str:
        """What is wrong with a quantity by the service's own limits; "" within them."""
        if quantity < self.minimum:
            return f"At least {number(self.minimum)} for this service; {number(quantity)} is too few."
        if quantity > self.maximum:
            return f"At most {number(self.maximum)} for this service; {number(quantity)} is too many."
        return ""

    def expected_charge(self, quantity: int, runs: int = 1) -> Decimal:
        """Our estimate in USD: rate × quantity ÷ 1000 × runs; a package's rate is for one, and its minimum is bought.

        The real charge comes with a status.
        """
        if self.is_package:
            return self.rate * self.minimum * runs
        return self.rate * (self.minimum if self.bought_whole else quantity) * runs / UNITS_PER_RATE


class RateChange(models.Model):
    """A price that moved. The first rate of a service is its own first row, with no `was`."""

    service = models.ForeignKey(Service, on_delete=models.PROTECT, related_name="rate_changes")
    was = models.DecimalField(max_digits=18, decimal_places=6, null=True)
    now = models.DecimalField(max_digits=18, decimal_places=6)
    at = models.DateTimeField()

    class Meta:
        ordering = ("-id",)

    def __str__(self) -> str:
        return f"{self.was} → {self.now}"


# What the inbox tells of a service.
FOLLOWED = ("active", "rate", "minimum", "maximum", "refill", "cancel", "dripfeed", "type", "name", "category")


class Move(NamedTuple):
    """One thing that moved; a rate as Decimal in USD, everything else as upstream says it."""

    what: str  # a field of Service
    was: Any
    now: Any

    @property
    def share(self) -> Decimal | None:
        """By how much a rate moved, as a share of what it was: 0.12 is dearer by 12 %; None where there is none."""
        return Decimal(self.now - self.was) / self.was if self.what == "rate" and self.was else None


class ChangeQuerySet(models.QuerySet["Change"]):
    def undecided(self) -> Self:
        return self.filter(decided_at=None)

    def holding(self) -> Self:
        """Over which a service is on hold; as few as those, whatever was held before."""
        return self.filter(pk__in=Service.objects.filter(held_over__isnull=False).values("held_over"))

    def since(self, at: datetime) -> Self:
        return self.filter(at__gte=at)

    def for_inbox(self) -> Self:
        """Everything that a row of the inbox shows, in one query."""
        return self.select_related("service", "decided_by", "released_by")


class Change(models.Model):
    """What moved of one service since somebody last decided about it: an entry of the inbox, to accept or to hold.

    While it is undecided and the service moves again, a new entry takes its place (catalog/changes.py), so a yes to
    what stood on an older page finds nothing.
    """

    class Decision(models.TextChoices):
        ACCEPTED = "accepted"
        HELD = "held"

    # No index of its own: what is asked of one service is undecided (below) or its hold (which the service names).
    service = models.ForeignKey(Service, on_delete=models.PROTECT, related_name="changes", db_index=False)
    moved = models.JSONField(help_text="Field → what it was and what it is; a rate as text.")
    at = models.DateTimeField(help_text="When the newest of it was seen.")
    decision = models.CharField(max_length=8, choices=Decision, blank=True)
    # Nobody asks for all that one person decided, and a sync writes every index while others wait.
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    decided_at = models.DateTimeField(null=True)
    released_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    released_at = models.DateTimeField(null=True, help_text="When a hold was lifted.")

    objects: ClassVar[ChangeQuerySet] = ChangeQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        ordering = ("-id",)
        indexes = [
            # The inbox, newest first, behind years of decided ones.
            models.Index(fields=["-id"], condition=models.Q(decided_at=None), name="change_undecided"),
            # “Changed lately” on the services page.
            models.Index(fields=["at"], name="change_at"),
        ]
        constraints = [
            # A service stands in the inbox once, also when two syncs see it move; and a sync finds it there.
            models.UniqueConstraint(
                fields=["service"], condition=models.Q(decided_at=None), name="one_undecided_change"
            )
        ]

    def __str__(self) -> str:
        return f"{self.service_id}: {', '.join(self.moved)}"

    @property
    def moves(self) -> list[Move]:
        """What moved, in the order in which a service is described."""
        moves = (Move(what, *self.moved[what]) for what in FOLLOWED if what in self.moved)
        return [m._replace(was=Decimal(m.was), now=Decimal(m.now)) if m.what == "rate" else m for m in moves]

    @property
    def holds_now(self) -> bool:
        """Whether its service is on hold over this."""
        return self.decision == self.Decision.HELD and self.released_at is None


class Favourite(models.Model):
    """A service that a person starred."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    service = models.ForeignKey(Service, on_delete=models.PROTECT, related_name="favourites")

    class Meta:
        constraints = [
            # Two presses make one star; and it finds a person's own, for the list and the order form.
            models.UniqueConstraint(fields=["user", "service"], name="one_star_a_person")
        ]

    def __str__(self) -> str:
        return f"{self.user} ★ {self.service_id}"


class SetAside(models.Model):
    """A row of the catalog that we could not take in, with the reason; gone when upstream mends it."""

    digest = models.CharField(max_length=64, unique=True)  # of raw and why: the same bad row is not written twice
    raw = models.TextField()
    why = models.TextField()
    first_seen_at = models.DateTimeField()

    class Meta:
        ordering = ("-id",)
        verbose_name = "row set aside"
        verbose_name_plural = "rows set aside"

    def __str__(self) -> str:
        return self.why


class ShrinkAlarm(models.Model):
    """Upstream's list came back empty or much shorter. Nothing is switched off until a manager says it is true."""

    raised_at = models.DateTimeField()
    listed = models.PositiveIntegerField(help_text="Services in upstream's list.")
    missing = models.PositiveIntegerField(help_text="Active services of ours that it left out.")
    accepted_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    accepted_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True, help_text="When it was acted on, or the list was whole again.")

    class Meta:
        ordering = ("-id",)
        constraints = [
            # Two workers that see the same short list raise one alarm.
            models.UniqueConstraint(models.Value(1), condition=models.Q(closed_at=None), name="one_open_shrink_alarm")
        ]

    def __str__(self) -> str:
        return (
            f"Upstream’s list names {number(self.listed)} services and leaves out {number(self.missing)} that we sell. "
            "Nothing was switched off."
        )

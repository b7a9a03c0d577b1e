"""The supplier's catalog as last heard, and how its prices moved."""

import json
from decimal import Decimal
from typing import ClassVar, Self

from django.conf import settings
from django.db import models

from panel.money import UNITS_PER_RATE
from panel.numbers import digits_of, number

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


class Service(models.Model):
    """One line of upstream's catalog. Never deleted: orders point here."""

    upstream_id = models.PositiveBigIntegerField(unique=True)
    name = models.CharField(max_length=500)
    type = models.CharField(max_length=60)
    category = models.CharField(max_length=300, db_index=True)  # the category filter
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

    objects: ClassVar[ServiceQuerySet] = ServiceQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        ordering = ("category", "upstream_id")
        indexes = [
            # The services page and the picker: active ones, by category, in upstream's order.
            models.Index(fields=["active", "category", "upstream_id"], name="service_browse"),
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

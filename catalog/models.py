"""The services as upstream last described them, how they changed, and people's decisions and favourites."""

import json
import unicodedata
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, ClassVar, NamedTuple, Self

from django.conf import settings
from django.db import models
from django.utils.crypto import salted_hmac

from panel.format.letters import folded
from panel.format.money import UNITS_PER_RATE, money, sees_money
from panel.format.numbers import digits_of, number

SEALED = "~"  # before a rate that a form carries for who may not see it
SEAL_CHARACTERS = 20
PER_PACKAGE = "package"  # the type whose rate is for the whole package, not for 1000 units
BILLED_AT_MINIMUM = frozenset({PER_PACKAGE, "subscriptions"})  # types whose quantity upstream ignores: it bills `min`
QUANTITY_DIGITS = 15  # far beyond any maximum
SEARCH_WORDS = 8  # the rest of a longer search is ignored
# The fields of a service whose changes go to the inbox, in the order in which it shows them.
FOLLOWED = ("active", "rate", "minimum", "maximum", "refill", "cancel", "dripfeed", "type", "name", "category")


@lru_cache(maxsize=1000)  # more types than there are
def type_key(name: str) -> str:
    """The letters and digits of a type's name, which is all that spellings of the same type share."""
    return "".join(sign for sign in unicodedata.normalize("NFKC", name).casefold() if sign.isalnum())


class ServiceQuerySet(models.QuerySet["Service"]):
    """Services by what pages and the orders ask for."""

    def active(self) -> Self:
        """The services that upstream sells now."""
        return self.filter(active=True)

    def matching(self, words: str) -> Self:
        """The services in which each of the words occurs in the id, name, category or type, in any letters."""
        searched = folded(words).split()[:SEARCH_WORDS]
        return self.filter(*(models.Q(haystack__contains=word) for word in searched))

    def for_list(self, user: Any) -> Self:
        """Adds what a row shows: whether this person starred the service (`starred`), who holds it, and its score."""
        starred = models.Exists(Favourite.objects.filter(user=user, service=models.OuterRef("pk")))
        return self.annotate(starred=starred).select_related("held_over__decided_by", "score")

    def with_undecided(self) -> Self:
        """Adds what moved of each service and waits for a decision, which `price_move` reads."""
        undecided = Change.objects.undecided().filter(service=models.OuterRef("pk")).order_by()
        return self.annotate(
            undecided_id=models.Subquery(undecided.values("pk")[:1]),
            undecided_moved=models.Subquery(undecided.values("moved")[:1]),
        )

    def equal_to(self, service: "Service") -> Self:
        """The other services on sale that promise the same: category, type and flags are alike."""
        alike = {name: getattr(service, name) for name in ("category", "type", "refill", "cancel", "dripfeed")}
        return self.active().filter(**alike).exclude(pk=service.pk)


class Service(models.Model):
    """One service of upstream's catalog. It is never deleted, for orders point to it."""

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
    haystack = models.TextField(editable=False, help_text="Id, name, category and type, folded, for search.")
    unread_since = models.DateTimeField(
        null=True,
        blank=True,
        help_text="Upstream's newest row for it cannot be read: ordering it takes a deliberate yes.",
    )
    unread_why = models.CharField(max_length=200, blank=True, help_text="Why that row cannot be read.")
    # DO_NOTHING: the database itself refuses, so a sync that deletes undecided changes need not query this first.
    held_over = models.ForeignKey(
        "Change", null=True, blank=True, on_delete=models.DO_NOTHING, related_name="holds",
        help_text="The change that somebody holds it over: ordering it takes a deliberate yes.",
    )  # fmt: skip

    # What `with_undecided` reads; nothing of a service that was read without it.
    undecided_id: int | None = None
    undecided_moved: dict[str, list[Any]] | None = None

    objects: ClassVar[ServiceQuerySet] = ServiceQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        ordering = ("category", "upstream_id")
        indexes = [
            # The services page and the picker: a category's or all, in upstream's order; and the tree's numbers.
            # `active` stands last: SQLite does not search an index for a boolean, but reads it here without the row.
            models.Index(fields=["category", "upstream_id", "active"], name="service_by_category"),
            # The services page, cheapest first.
            models.Index(fields=["rate", "upstream_id", "active"], name="service_cheapest"),
        ]

    def __str__(self) -> str:
        return f"{self.upstream_id} {self.name}"

    @property
    def is_package(self) -> bool:
        """Whether the rate is for a whole package rather than for 1000 units."""
        return type_key(self.type) == PER_PACKAGE

    def why_no_order(self) -> str:
        """Why this service cannot be ordered, as a sentence to show; "" when it can."""
        if not self.active:
            return f"The supplier no longer sells service {self.upstream_id}. Choose another."
        return ""

    def why_held(self) -> str:
        """The sentence that asks for a deliberate yes, because somebody holds this service; "" when nobody does."""
        if self.held_over is None:
            return ""
        by = self.held_over.decided_by
        return f"{by} put service {self.upstream_id} on hold. To order it anyway, tick “Order although it is on hold”."

    def why_unread(self) -> str:
        """The sentence that asks for a deliberate yes, because the terms may have changed; "" when they are read."""
        if self.unread_since is None:
            return ""
        return (
            f"The supplier’s newest row for service {self.upstream_id} cannot be read. "
            "To order it anyway, tick “Order although the price may be another”."
        )

    @property
    def price_move(self) -> "Move | None":
        """From which rate to which it moved since somebody last decided about it; None when it did not."""
        was = (self.undecided_moved or {}).get("rate")
        return Move("rate", Decimal(was[0]), self.rate) if was else None

    @property
    def price_mark(self) -> str:
        """A text that names this move of its rate, so that a yes to it is no yes to a later one; "" for none."""
        return f"{self.undecided_id}:{self.rate_text}" if self.price_move else ""

    @property
    def rate_text(self) -> str:
        """The rate as a form carries it: sealed for who may not see it, so that it can be compared and not read."""
        plain = f"{self.rate.normalize():f}"
        return plain if sees_money() else f"{SEALED}{salted_hmac('catalog.rate', plain).hexdigest()[:SEAL_CHARACTERS]}"

    def why_dearer(self, percent: Decimal) -> str:
        """The sentence that asks for a deliberate yes, because its rate rose by more than this; "" when it did not."""
        move = self.price_move
        if move is None or move.now <= move.was * (1 + percent / 100):
            return ""
        if not sees_money():
            return f"The price of service {self.upstream_id} rose, and nobody has decided about it yet. Tick to order."
        rose = f"The price of service {self.upstream_id} rose from {money(move.was)} to {money(move.now)}"
        return f"{rose}, and nobody has decided about it yet. Tick that you order at {money(move.now)}."

    @property
    def unread_mark(self) -> str:
        """A text that names this row that cannot be read, so that a yes to it is no yes to a later one; "" for none."""
        return f"{self.unread_since.timestamp():.0f}" if self.unread_since else ""

    @property
    def bought_whole(self) -> bool:
        """Whether it is billed at its minimum, whatever quantity is ordered."""
        return type_key(self.type) in BILLED_AT_MINIMUM

    @property
    def least(self) -> int:
        """The smallest quantity that can be ordered. Upstreams list a minimum of 0, and nobody orders nothing."""
        return max(1, self.minimum)

    @property
    def terms(self) -> dict[str, str]:
        """What a buyer agrees to, as text. The price lock compares these with the terms that the page showed."""
        return {
            "rate": self.rate_text, "minimum": str(self.minimum), "maximum": str(self.maximum),
            "type": self.type, "refill": "yes" if self.refill else "no", "cancel": "yes" if self.cancel else "no",
            "drip-feed": "yes" if self.dripfeed else "no",
        }  # fmt: skip

    @property
    def as_seen(self) -> str:
        """The terms as JSON, which the order form carries: what stood on the page beside the button."""
        return json.dumps({"service": self.upstream_id, **self.terms}, ensure_ascii=False)

    def read_quantity(self, typed: str) -> tuple[int | None, str]:
        """The quantity that a person typed as a number, and a sentence that says what is wrong with it, or ""."""
        if self.bought_whole:
            return self.least, ""
        digits = digits_of(typed)
        if not digits:
            return None, "How many?"
        if not (digits.isascii() and digits.isdecimal()) or len(digits) > QUANTITY_DIGITS:
            return None, "Write the quantity as a whole number, such as 1000."
        return int(digits), self.outside(int(digits))

    def outside(self, quantity: int) -> str:
        """Why a quantity is too small or too large for this service, as a sentence; "" when it is within the limits."""
        if quantity < self.least:
            return f"At least {number(self.least)} for this service; {number(quantity)} is too few."
        if quantity > self.maximum:
            return f"At most {number(self.maximum)} for this service; {number(quantity)} is too many."
        return ""

    def expected_charge(self, quantity: int, runs: int = 1) -> Decimal:
        """Our estimate in USD: rate × quantity ÷ 1000 × runs, or for a package rate × minimum × runs.

        Upstream names the real charge with a status.
        """
        if self.is_package:
            return self.rate * self.least * runs
        return self.rate * (self.least if self.bought_whole else quantity) * runs / UNITS_PER_RATE


class RateChange(models.Model):
    """A change of a service's rate. The first row of a service is its first rate, and has no `was`."""

    # No index of its own: the index `rate_changes_of_service` serves it.
    service = models.ForeignKey(Service, on_delete=models.PROTECT, related_name="rate_changes", db_index=False)
    was = models.DecimalField(max_digits=18, decimal_places=6, null=True)
    now = models.DecimalField(max_digits=18, decimal_places=6)
    at = models.DateTimeField()

    class Meta:
        ordering = ("-id",)
        indexes = [
            # A service's changes, newest first: by `service` alone, PostgreSQL may walk back through everybody's.
            models.Index(fields=["service", "-id"], name="rate_changes_of_service"),
        ]

    def __str__(self) -> str:
        return f"{self.was} → {self.now}"


class Move(NamedTuple):
    """One field of a service that changed. A rate is a Decimal in USD, everything else is as upstream says it."""

    what: str  # a field of Service
    was: Any
    now: Any

    @property
    def share(self) -> Decimal | None:
        """By what share of the old rate a rate changed: 0.12 is 12 % dearer. None for other fields, and from 0."""
        return Decimal(self.now - self.was) / self.was if self.what == "rate" and self.was else None


class ChangeQuerySet(models.QuerySet["Change"]):
    """Changes by what the inbox and the services page ask for."""

    def undecided(self) -> Self:
        """The changes that wait for a decision."""
        return self.filter(decided_at=None)

    def holding(self) -> Self:
        """The changes over which a service is on hold now."""
        return self.filter(pk__in=Service.objects.filter(held_over__isnull=False).values("held_over"))

    def since(self, at: datetime) -> Self:
        """The changes whose newest move was seen at this moment or later."""
        return self.filter(at__gte=at)

    def for_inbox(self) -> Self:
        """Adds everything that a row of the inbox shows, in the same query."""
        return self.select_related("service", "decided_by", "released_by")


class Change(models.Model):
    """An entry of the inbox: what moved of one service since somebody last decided about it.

    When the service moves again before a decision, a new entry replaces this one (catalog/changes.py), so a decision
    from an older page finds nothing.
    """

    class Decision(models.TextChoices):
        """What a person made of a change."""

        ACCEPTED = "accepted"
        HELD = "held"

    # No index of its own: queries by service ask for its undecided change (indexed below) or its hold (held_over).
    service = models.ForeignKey(Service, on_delete=models.PROTECT, related_name="changes", db_index=False)
    moved = models.JSONField(help_text="Field → what it was and what it is; a rate as text.")
    at = models.DateTimeField(help_text="When the newest of it was seen.")
    decision = models.CharField(max_length=8, choices=Decision, blank=True)
    # No indexes: nothing is queried by person, and while a sync writes to an index all other writers wait.
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
            # One undecided entry for a service, also when two syncs see it move; a sync finds the entry by this.
            models.UniqueConstraint(
                fields=["service"], condition=models.Q(decided_at=None), name="one_undecided_change"
            )
        ]

    def __str__(self) -> str:
        return f"{self.service_id}: {', '.join(self.moved)}"

    @property
    def moves(self) -> list[Move]:
        """What moved, in the order of FOLLOWED."""
        moves = (Move(what, *self.moved[what]) for what in FOLLOWED if what in self.moved)
        return [m._replace(was=Decimal(m.was), now=Decimal(m.now)) if m.what == "rate" else m for m in moves]

    @property
    def holds_now(self) -> bool:
        """Whether the service is on hold over this change."""
        return self.decision == self.Decision.HELD and self.released_at is None


class Favourite(models.Model):
    """A service that a person starred."""

    # No index of its own for the person: the constraint below begins with it.
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False)
    service = models.ForeignKey(Service, on_delete=models.PROTECT, related_name="favourites")

    class Meta:
        constraints = [
            # Two presses make one star. The list and the order form find a person's favourites by it.
            models.UniqueConstraint(fields=["user", "service"], name="one_star_a_person")
        ]

    def __str__(self) -> str:
        return f"{self.user} ★ {self.service_id}"


class SetAside(models.Model):
    """A row of upstream's catalog that could not be read, and why. It is deleted when upstream corrects it."""

    digest = models.CharField(max_length=64, unique=True)  # of `raw` and `why`, so that a bad row is written once
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
    """Upstream's list was empty or much shorter: nothing is switched off until a manager accepts it as true."""

    raised_at = models.DateTimeField()
    listed = models.PositiveIntegerField(help_text="Services in upstream's list.")
    missing = models.PositiveIntegerField(help_text="Active services of ours that it left out.")
    accepted_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    accepted_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True, help_text="When it was acted on, or the list was whole again.")

    class Meta:
        ordering = ("-id",)
        constraints = [
            # One open alarm, also when two workers see the same short list.
            models.UniqueConstraint(models.Value(1), condition=models.Q(closed_at=None), name="one_open_shrink_alarm")
        ]

    def __str__(self) -> str:
        return (
            f"The supplier’s list names {number(self.listed)} services and leaves out {number(self.missing)} that "
            "we sell. Nothing was switched off."
        )

"""The tables of the trail: its lines, the chain that shows tampering, and what the watch over it knows."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, ClassVar

from django.conf import settings
from django.db import models

from accounts.models.door import ADDRESS_CHARACTERS, DEVICE_CHARACTERS, REFUSED
from accounts.trail.complete import LABEL_CHARACTERS, complete
from accounts.trail.kinds import DOOR_GROUPS, SECURITY_GROUPS
from accounts.trail.seal import FINGERPRINT_CHARACTERS, SEAL_BYTES
from accounts.trail.words import Words, words_of
from panel.ops.database import all_true, literally

DIGEST_BYTES = 32
# What happened at the door, and what owners did with people. No planner can take the index of groups for it, and then
# sort all that ever happened there: it does not look into this condition.
DOOR = models.Q(all_true(literally("group", f"IN ({', '.join(map(repr, sorted(SECURITY_GROUPS)))})")))


class TrailQuerySet(models.QuerySet["TrailLine"]):
    """Lines, which are completed and sealed before they are written."""

    def bulk_create(self, objs: Iterable["TrailLine"], *args: Any, **kwargs: Any) -> list["TrailLine"]:
        """Writes these lines in a few statements."""
        lines = list(objs)
        for line in lines:
            complete(line)
        return super().bulk_create(lines, *args, **kwargs)

    def newest_first(self) -> "TrailQuerySet":
        """By when it happened; what happened at the same moment, by when it was written."""
        return self.order_by("-at", "-id")


def before_line(lines: Any, at: datetime, pk: int) -> Any:
    """Those of these lines that come after this moment and id where the newest come first."""
    return lines.filter(at__lte=at).exclude(at=at, pk__gte=pk)


class TrailLine(models.Model):
    """One thing that a person or the machine did. It is written once, in the transaction of what it tells of.

    It is about an order, about a person's account, or about another thing, which is named by its kind, id and label.
    """

    # No index of its own: the index `event_timeline` serves it.
    order = models.ForeignKey(
        "orders.Order", null=True, on_delete=models.PROTECT, related_name="events", db_index=False
    )
    kind = models.CharField(max_length=30)
    group = models.CharField(max_length=20, help_text="What the pages filter by: follows from the kind.")
    # No index of its own: the index `trail_of_person` serves it, and leaves out what nobody did.
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+", db_index=False,
        help_text="Who did it; empty: the machine, or a stranger.",
    )  # fmt: skip
    at = models.DateTimeField()
    facts = models.JSONField(default=dict)
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+", db_index=False,
        help_text="Whose account it is about; empty: nobody's.",
    )  # fmt: skip
    thing = models.CharField(max_length=20, blank=True, help_text="The kind of another thing that it is about.")
    thing_id = models.BigIntegerField(null=True)
    label = models.CharField(max_length=LABEL_CHARACTERS, blank=True, help_text="What that was called then.")
    before = models.JSONField(null=True, help_text="Only what changed: its name → the value before.")
    after = models.JSONField(null=True, help_text="The same names → the values since.")
    address = models.CharField(max_length=ADDRESS_CHARACTERS, blank=True)
    device = models.CharField(max_length=DEVICE_CHARACTERS, blank=True)
    seal = models.BinaryField(max_length=SEAL_BYTES, null=True, help_text="Empty: from before the trail.")

    objects: ClassVar[TrailQuerySet] = TrailQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        ordering = ("-id",)
        indexes = [
            # An order's timeline.
            models.Index(fields=["order", "-id"], name="event_timeline"),
            # Since you left: the newest of a kind, down to the first line since a moment.
            models.Index(fields=["kind", "-id"], name="event_of_kind"),
            # Activity, by who: what one person did, and what people did. Also whether a person may be deleted.
            models.Index(fields=["by", "-at", "-id"], condition=models.Q(by__isnull=False), name="trail_of_person"),
            models.Index(fields=["-at", "-id"], condition=models.Q(by__isnull=False), name="trail_of_people"),
            # Activity of everybody and the machine, of days, and for the machine alone. The first line since a moment.
            models.Index(fields=["-at", "-id"], name="trail_by_time"),
            # Activity of one group of kinds, the page of security, and the alarm about failures.
            models.Index(fields=["group", "-at", "-id"], name="trail_by_group"),
            # Activity about a person's account, and about another thing.
            models.Index(
                fields=["person", "-at", "-id"], condition=models.Q(person__isnull=False), name="trail_about_person"
            ),
            models.Index(
                fields=["thing", "thing_id", "-at", "-id"],
                condition=models.Q(thing_id__isnull=False), name="trail_about_thing",
            ),
            # The page of security and the admin: everything at the door.
            models.Index(fields=["-id"], condition=DOOR, name="trail_at_the_door_by_id"),
        ]  # fmt: skip

    def __str__(self) -> str:
        return self.sentence.plain

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Completes and inserts a new line, and refuses to update an old one."""
        if not self._state.adding:
            raise TypeError("A line of the trail is written once.")
        complete(self)
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        """Refuses: the trail is kept."""
        raise TypeError("A line of the trail is kept.")

    @property
    def sentence(self) -> Words:
        """The line in words, its tone, and apart from them upstream's own words."""
        return words_of(self)


class DoorManager(models.Manager["DoorEvent"]):
    """Finds the lines of the door alone."""

    def get_queryset(self) -> Any:
        """Lines of the groups of the door."""
        return TrailQuerySet(self.model, using=self._db).filter(DOOR)


class DoorEvent(TrailLine):
    """A line of the trail about what happened at the door: accounts/sign_in/record.py writes it."""

    objects: ClassVar[DoorManager] = DoorManager()  # type: ignore[assignment]

    class Meta:
        proxy = True
        ordering = ("-id",)

    def __str__(self) -> str:
        return f"{self.kind} {self.person_id or ''}".rstrip()


assert REFUSED in DOOR_GROUPS  # noqa: S101  the alarm counts the lines of this group


class WrittenOnce(models.Model):
    """A row that no code of ours changes or deletes."""

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Inserts a new row, and refuses to update an old one."""
        if not self._state.adding:
            raise TypeError("A link of the chain is written once.")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        """Refuses: the chain is kept."""
        raise TypeError("A link of the chain is kept.")


class ChainLink(WrittenOnce):
    """A link of the chain: it holds the ids and seals of some lines, and the digest of the link before it."""

    number = models.BigIntegerField(primary_key=True, help_text="1, 2, 3, …")
    first_id = models.BigIntegerField(help_text="Of the lines: one more than the last id of the link before.")
    last_id = models.BigIntegerField()
    lines = models.PositiveIntegerField(help_text="How many lines.")
    gaps = models.JSONField(default=list, help_text="Ids between them that no line has, as [first, last].")
    sealed_at = models.DateTimeField()
    key = models.CharField(max_length=FINGERPRINT_CHARACTERS, help_text="A fingerprint of the key that sealed it.")
    digest = models.BinaryField(max_length=DIGEST_BYTES)

    class Meta:
        ordering = ("-number",)

    def __str__(self) -> str:
        return f"{self.number}: lines {self.first_id} to {self.last_id}"


class ChainHead(models.Model):
    """How far the chain goes: without it nobody could tell that its end was cut off. One row."""

    number = models.BigIntegerField(default=0, help_text="Of the last link.")
    last_id = models.BigIntegerField(default=0, help_text="Of the last line in the chain.")
    lines = models.BigIntegerField(default=0, help_text="In the chain.")
    unsealed_until = models.BigIntegerField(default=0, help_text="The last id from before the trail.")
    digest = models.BinaryField(max_length=DIGEST_BYTES, default=b"")
    sealed_at = models.DateTimeField()
    # PostgreSQL: once all transactions before `settled_by` have ended, all lines up to `settles` can be seen.
    settles = models.BigIntegerField(default=0)
    settled_by = models.BigIntegerField(default=0)
    key = models.CharField(max_length=FINGERPRINT_CHARACTERS)
    mac = models.BinaryField(max_length=DIGEST_BYTES, help_text="Over all the above.")

    class Meta:
        verbose_name = "end of the chain"
        verbose_name_plural = "end of the chain"

    def __str__(self) -> str:
        return f"{self.lines} lines in {self.number} links"


class ChainWatch(models.Model):
    """What the chore that verifies the trail has found, and how far it is. One row."""

    place = models.BigIntegerField(default=0, help_text="The link up to which this walk has come.")
    looked_at = models.DateTimeField(null=True, help_text="When the newest lines were verified last.")
    walked_at = models.DateTimeField(null=True, help_text="When a walk over all lines last came to its end.")
    walked_lines = models.BigIntegerField(default=0, help_text="Over how many.")
    told_at = models.DateTimeField(null=True, help_text="When the log was last told the newest digest.")
    breaks = models.JSONField(default=list, help_text="The first that were found, as they stand now.")
    broken_since = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "watch over the trail"
        verbose_name_plural = "watch over the trail"

    def __str__(self) -> str:
        return f"Looked at {self.looked_at}"

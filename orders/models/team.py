"""What teammates keep about an order: notes, whom they call, and who is looking."""

from typing import Any, ClassVar, Self

from django.conf import settings
from django.db import models

NOTE_CHARACTERS = 5_000
LONG_CHARACTERS, LONG_LINES = 600, 10  # from here on a note is folded


class NoteQuerySet(models.QuerySet["Note"]):
    def shown(self) -> Self:
        """With the names that a page shows, in two queries however many notes, newest first."""
        return self.select_related("by").prefetch_related("mentions").order_by("-id")


class MentionQuerySet(models.QuerySet["Mention"]):
    def to(self, user: Any) -> Self:
        """The notes to this person, newest first, with all that their page shows."""
        with_notes = self.select_related("note__by", "note__order__service").prefetch_related("note__mentions")
        return with_notes.filter(user=user).order_by("-note_id")


class Note(models.Model):
    """One note: written once, and kept as it was typed."""

    # No index of its own: the page's serves it.
    order = models.ForeignKey("orders.Order", on_delete=models.PROTECT, related_name="notes", db_index=False)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()
    text = models.TextField(max_length=NOTE_CHARACTERS)
    # The form's own: a double click, F5 or a second tab of one form meet here.
    form_token = models.UUIDField(unique=True, editable=False)
    mentions: "models.ManyToManyField[Any, Mention]" = models.ManyToManyField(
        settings.AUTH_USER_MODEL, through="Mention", related_name="+"
    )

    objects: ClassVar[NoteQuerySet] = NoteQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        ordering = ("-id",)
        indexes = [
            # An order's notes, newest first.
            models.Index(fields=["order", "-id"], name="note_of_order"),
        ]

    def __str__(self) -> str:
        return f"{self.by}: {self.text[:80]}"

    @property
    def long(self) -> bool:
        return len(self.text) > LONG_CHARACTERS or self.text.count("\n") >= LONG_LINES


class Mention(models.Model):
    """One person that a note calls."""

    note = models.ForeignKey(Note, on_delete=models.PROTECT, related_name="+", db_index=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False)
    read_at = models.DateTimeField(null=True, help_text="When they first saw it under Notes to me.")

    objects: ClassVar[MentionQuerySet] = MentionQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        ordering = ("-id",)
        constraints = [
            # A name that stands twice in a note calls once; also finds whom a note calls.
            models.UniqueConstraint(fields=["note", "user"], name="one_mention_a_note_and_person"),
        ]
        indexes = [
            # The notes to one person, newest first.
            models.Index(fields=["user", "-note"], name="mentions_of_person"),
            # How many a person has not seen: a number on every page.
            models.Index(fields=["user"], condition=models.Q(read_at=None), name="mentions_unread"),
        ]

    def __str__(self) -> str:
        return f"@{self.user}"


class Presence(models.Model):
    """One person at one order's page, and when last. Nothing stands on it, so losing one is no loss."""

    order = models.ForeignKey("orders.Order", on_delete=models.CASCADE, related_name="+", db_index=False)
    # No index of its own: the second one below serves it.
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False)
    seen_at = models.DateTimeField()

    class Meta:
        constraints = [
            # Two tabs of one person write the same row; also finds who is at an order.
            models.UniqueConstraint(fields=["order", "user"], name="one_presence_a_person_and_order"),
        ]
        indexes = [
            # A person's rows that are to be forgotten.
            models.Index(fields=["user", "seen_at"], name="presence_to_forget"),
        ]

    def __str__(self) -> str:
        return f"{self.user} at order {self.order_id}"

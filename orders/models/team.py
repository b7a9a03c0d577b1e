"""What teammates do around orders: notes, mentions in them, who is on a page, and the answers to customers."""

from datetime import timedelta
from typing import Any, ClassVar, NamedTuple, Self

from django.db import models
from django.urls import reverse

from accounts.models import User
from panel.format.times import clock

NOTE_CHARACTERS = 5_000
# Since when a page that polls every 15 s, or a question that tells as often, was last heard of.
STILL_THERE = timedelta(seconds=30)
# What a person may be about to do with an order, by the last part of the address that does it.
ABOUT = {
    "refills": "ask for a refill of it",
    "cancellation": "cancel it",
    "withdrawal": "withdraw it",
    "decision": "decide about it",
}
FOLDED_FROM_CHARACTERS, FOLDED_FROM_LINES = 600, 10


class NoteQuerySet(models.QuerySet["Note"]):
    """Notes as a page reads them."""

    def for_page(self) -> Self:
        """Newest first, with the names that a page shows, in two queries however many notes there are."""
        return self.select_related("by").prefetch_related("mentions").order_by("-id")


class MentionQuerySet(models.QuerySet["Mention"]):
    """Mentions as a person's page reads them."""

    def to(self, user: Any) -> Self:
        """Mentions of this person, newest first, with the notes and orders that their page shows."""
        with_notes = self.select_related("note__by", "note__order__service").prefetch_related("note__mentions")
        return with_notes.filter(user=user).order_by("-note_id")


class Note(models.Model):
    """One note about an order: written once, and kept as it was typed."""

    # No index of its own: the index `note_of_order` serves it.
    order = models.ForeignKey("orders.Order", on_delete=models.PROTECT, related_name="notes", db_index=False)
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()
    text = models.TextField(max_length=NOTE_CHARACTERS)
    # The form's own token, so that a double click, F5 or a second tab of one form write one note.
    form_token = models.UUIDField(unique=True, editable=False)
    mentions: "models.ManyToManyField[User, Mention]" = models.ManyToManyField(
        User, through="Mention", related_name="+"
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
        """Whether a page shows it folded."""
        return len(self.text) > FOLDED_FROM_CHARACTERS or self.text.count("\n") >= FOLDED_FROM_LINES


class Mention(models.Model):
    """One person whose name a note mentions, and when they first saw it."""

    note = models.ForeignKey(Note, on_delete=models.PROTECT, related_name="+", db_index=False)
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False)
    read_at = models.DateTimeField(null=True, help_text="When they first saw it under Notes to me.")

    objects: ClassVar[MentionQuerySet] = MentionQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        ordering = ("-id",)
        constraints = [
            # A name that stands twice in a note is one mention; also finds whom a note mentions.
            models.UniqueConstraint(fields=["note", "user"], name="one_mention_a_note_and_person"),
        ]
        indexes = [
            # The notes to one person, newest first.
            models.Index(fields=["user", "-note"], name="mentions_of_person"),
            # How many mentions a person has not seen: a number on every page.
            models.Index(fields=["user"], condition=models.Q(read_at=None), name="mentions_unread"),
        ]

    def __str__(self) -> str:
        return f"@{self.user}"


class Handed(models.Model):
    """An order that somebody assigned to a person, and when that person first saw it. Gone when another has it."""

    order = models.ForeignKey("orders.Order", on_delete=models.CASCADE, related_name="+", db_index=False)
    # No indexes of their own: those below serve the person's, and nothing is asked by who assigned it.
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False)
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False)
    at = models.DateTimeField()
    read_at = models.DateTimeField(null=True, help_text="When the person first saw that it is theirs.")

    class Meta:
        ordering = ("-at",)
        constraints = [
            # Who gets an order twice is told once, anew. Also finds whom an order was assigned to.
            models.UniqueConstraint(fields=["order", "user"], name="one_word_an_order_and_person"),
        ]
        indexes = [
            # What was assigned to one person, newest first.
            models.Index(fields=["user", "-at"], name="handed_to_person"),
            # How many a person has not seen: a number on every page.
            models.Index(fields=["user"], condition=models.Q(read_at=None), name="handed_unread"),
        ]

    def __str__(self) -> str:
        return f"order {self.order_id} to {self.user}"


class ShiftNote(models.Model):
    """A note to the next shift: written once, for everybody of the team but who wrote it."""

    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False)
    at = models.DateTimeField()
    text = models.TextField(max_length=NOTE_CHARACTERS, blank=True)
    taken_along = models.JSONField(default=list, help_text="What was open and goes with it: section and id.")
    # The form's own token, so that a double click, F5 or a second tab of one form write one note.
    form_token = models.UUIDField(unique=True, editable=False)

    class Meta:
        ordering = ("-id",)

    def __str__(self) -> str:
        return f"{self.by}: {self.text[:80]}"


class ShiftReader(models.Model):
    """One person to whom a note to the next shift is written, and when they marked it as read."""

    note = models.ForeignKey(ShiftNote, on_delete=models.CASCADE, related_name="readers", db_index=False)
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False)
    read_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("id",)
        constraints = [
            # A person reads a note once. Also finds a note's readers.
            models.UniqueConstraint(fields=["note", "user"], name="one_reading_a_note_and_person"),
        ]
        indexes = [
            # What a person has not read: the top of their page, and a number on every page.
            models.Index(fields=["user", "note"], condition=models.Q(read_at=None), name="shift_notes_unread"),
        ]

    def __str__(self) -> str:
        return f"{self.user}: {self.note_id}"


class Colleague(NamedTuple):
    """Another person who is at an order now."""

    pk: int
    name: str
    about: str = ""  # a key of ABOUT; "" while they only look

    @property
    def sentence(self) -> str:
        """What is said of them before somebody else acts on the order."""
        then = f", and is about to {ABOUT[self.about]}" if self.about in ABOUT else ""
        return f"{self.name} has this order open{then}."


class Presence(models.Model):
    """One person on one order's page, and when they were last seen there. Losing a row does no harm."""

    order = models.ForeignKey("orders.Order", on_delete=models.CASCADE, related_name="+", db_index=False)
    # No index of its own: the index `presence_to_forget` serves it.
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+", db_index=False)
    seen_at = models.DateTimeField()
    about = models.CharField(max_length=20, blank=True, help_text="What the person is about to do; empty: nothing.")
    about_at = models.DateTimeField(null=True, help_text="When that was last said.")

    class Meta:
        constraints = [
            # Two tabs of one person write the same row; also finds who is on an order's page.
            models.UniqueConstraint(fields=["order", "user"], name="one_presence_a_person_and_order"),
        ]
        indexes = [
            # A person's rows that are to be deleted.
            models.Index(fields=["user", "seen_at"], name="presence_to_forget"),
            # Who is on which order now, for the marks in the list.
            models.Index(fields=["seen_at"], name="presence_now"),
        ]

    def __str__(self) -> str:
        return f"{self.user} at order {self.order_id}"


class AnswerText(models.Model):
    """A text for customers that the team wrote, in place of the one that comes with the desk."""

    language = models.CharField(max_length=10, help_text="Its code, such as es.")
    situation = models.CharField(max_length=30)
    text = models.TextField(max_length=1_000, help_text="With placeholders, such as {order}.")
    changed_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False)
    changed_at = models.DateTimeField()

    class Meta:
        ordering = ("language", "situation")
        constraints = [
            # Also finds the texts of a language.
            models.UniqueConstraint(fields=["language", "situation"], name="one_text_a_language_and_situation"),
        ]

    def __str__(self) -> str:
        return f"{self.situation}, {self.language}"


class Worklist(models.Model):
    """What a customer named in a message, in its order, and how it is answered."""

    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False)
    at = models.DateTimeField()
    asked = models.CharField(
        max_length=10, blank=True, help_text="What was asked of the orders: refill, cancel, or empty."
    )
    entries = models.JSONField(help_text="Each word as it was written, with its order; 0: of no order.")
    language = models.CharField(max_length=10)
    chosen_at = models.DateTimeField(help_text="When its language was chosen.")
    changed = models.JSONField(
        default=dict, blank=True, help_text="Answers that a person has changed, by their places."
    )

    class Meta:
        ordering = ("-id",)
        indexes = [
            # The language that a person chose last.
            models.Index(fields=["by", "-chosen_at"], name="worklist_language"),
        ]

    def __str__(self) -> str:
        return f"Answers {self.pk}"

    def get_absolute_url(self) -> str:
        """The page of its answers."""
        return reverse("orders:answers", args=[self.pk])


def last_decision(order: Any, *kinds: str) -> str:
    """Who did one of these things to the order last, and when, as a sentence that goes on after another; or "".

    For a press that comes too late. `kinds` are kinds of events that people cause.
    """
    event = order.events.filter(kind__in=kinds, by__isnull=False).select_related("by").order_by("-id").first()
    return f" {event.sentence.plain.rstrip('.')}, at {clock(event.at)}." if event else ""

"""What teammates write to one another about an order, and whom they call in it."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any, ClassVar, Self

from django.conf import settings
from django.db import models
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

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

    @property
    def html(self) -> SafeString:
        """The text as it is, with the names of those it calls in bold."""
        return format_html_join("", "{}", ((part,) for part in parts(self.text, self.mentions.all())))


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


# ── Who is called ────────────────────────────────────────────────────────────────────────────────
def called(text: str, people: Iterable[Any]) -> set[Any]:
    """Those of these people whom a text calls, by `@username` or `@Shown name`. A name of two people calls both."""
    return {person for _, _, some in found(text, people) for person in some}


def parts(text: str, people: Iterable[Any]) -> Iterator[str]:
    """A text cut at the names: those as safe markup, all else as plain strings that are still to be escaped."""
    end = 0
    for begin, until, _ in found(text, people):
        yield text[end:begin]
        yield format_html('<b class="at">{}</b>', text[begin:until])
        end = until
    yield text[end:]


def found(text: str, people: Iterable[Any]) -> Iterator[tuple[int, int, list[Any]]]:
    """Begin, end and people of each name after an @: the longest that fits, and no part of a longer word."""
    bearers = defaultdict[str, list[Any]](list)
    for person in people if "@" in text else ():
        for name in {person.username.casefold(), person.name.strip().casefold()} - {""}:
            bearers[name].append(person)
    if not bearers:
        return
    names = "|".join(re.escape(name) for name in sorted(bearers, key=len, reverse=True))
    for match in re.finditer(rf"(?<!\w)@({names})(?!\w)", text, re.IGNORECASE):
        if some := bearers.get(match[1].casefold()):
            yield *match.span(), some

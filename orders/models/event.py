"""What happened on the desk, to one order or to many."""

from typing import Any

from django.db import models

from accounts.models import User
from orders.rules.event_text import Sentence


class Event(models.Model):
    """One thing that happened, as a sentence with a person's name on it. It is written once, and never changed."""

    # No index of its own: the index `event_timeline` serves it.
    order = models.ForeignKey(
        "orders.Order", null=True, on_delete=models.PROTECT, related_name="events", db_index=False
    )
    kind = models.CharField(max_length=30)
    # No index of its own: the index `event_of_person` serves it, and leaves out what nobody did.
    by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    at = models.DateTimeField()
    facts = models.JSONField(default=dict)

    class Meta:
        ordering = ("-id",)
        indexes = [
            # An order's timeline.
            models.Index(fields=["order", "-id"], name="event_timeline"),
            # Since you left: the newest of a kind, down to the first event since a moment.
            models.Index(fields=["kind", "-id"], name="event_of_kind"),
            models.Index(fields=["at", "id"], name="event_by_time"),
            # What a person did: the admin's filter, and whether a person may be deleted.
            models.Index(fields=["by"], condition=models.Q(by__isnull=False), name="event_of_person"),
        ]

    def __str__(self) -> str:
        return self.sentence.plain

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Inserts a new event, and refuses to update an old one."""
        if not self._state.adding:
            raise TypeError("An event is written once.")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        """Refuses: events are kept."""
        raise TypeError("An event is kept.")

    @property
    def sentence(self) -> Sentence:
        """The event in words, its tone, and apart from them upstream's own words."""
        return Sentence.of(self.kind, self.by, self.facts)

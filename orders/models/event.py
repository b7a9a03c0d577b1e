"""What happened: sentences with a name on them."""

from typing import Any

from django.conf import settings
from django.db import models

from orders.rules.event_text import Sentence


class Event(models.Model):
    """One thing that happened, as a sentence with a name on it. Written once: no verb here changes or removes one."""

    # No index of its own: the timeline's serves it.
    order = models.ForeignKey(
        "orders.Order", null=True, on_delete=models.PROTECT, related_name="events", db_index=False
    )
    kind = models.CharField(max_length=30)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()
    facts = models.JSONField(default=dict)

    class Meta:
        ordering = ("-id",)
        indexes = [
            # An order's timeline.
            models.Index(fields=["order", "-id"], name="event_timeline"),
        ]

    def __str__(self) -> str:
        return self.sentence.plain

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise TypeError("An event is written once.")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        raise TypeError("An event is kept.")

    @property
    def sentence(self) -> Sentence:
        """What happened: tone, words, and upstream's own words apart."""
        return Sentence.of(self.kind, self.by, self.facts)

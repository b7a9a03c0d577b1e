"""Saved views: a narrowed, sorted list with its columns and a name, kept on the account, for oneself or the team."""

from typing import Any, ClassVar, Self

from django.conf import settings
from django.db import models
from django.http import QueryDict
from django.urls import reverse
from django.utils import timezone

from accounts.access import may

NAME_CHARACTERS = 60  # characters
QUERY_CHARACTERS = 2_000  # characters
VIEWS_A_PERSON = 100  # views of one person


class SavedViewQuerySet(models.QuerySet["SavedView"]):
    def seen_by(self, user: Any) -> Self:
        """One's own and those that are shared."""
        mine = models.Q(owner=user.pk) | models.Q(shared=True)
        return self.filter(mine) if user.is_authenticated and user.is_active else self.none()

    def pinned_by(self, user: Any) -> "list[SavedView]":
        """As tabs of this person, in the order in which they were pinned; one that is no longer shared goes."""
        views = self.seen_by(user).in_bulk(user.pinned) if user.pinned else {}
        return [views[pk] for pk in user.pinned if pk in views]


class SavedView(models.Model):
    """A list with a name."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="views")
    name = models.CharField(max_length=NAME_CHARACTERS)
    query = models.CharField(max_length=QUERY_CHARACTERS, blank=True, help_text="The list's address, columns included.")
    shared = models.BooleanField("shared with the team", default=False)
    saved_at = models.DateTimeField(default=timezone.now)

    objects: ClassVar[SavedViewQuerySet] = SavedViewQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        ordering = ("name", "id")
        constraints = [
            # A double click on “Save”.
            models.UniqueConstraint(
                fields=["owner", "name"],
                name="one_view_of_a_name",
                violation_error_message="You have a view of this name already.",
            )
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        query = QueryDict(self.query, mutable=True)
        query["view"] = str(self.pk)
        return f"{reverse('orders:index')}?{query.urlencode()}"

    def why_no_change(self, user: Any) -> str:
        """Empty when this person may rename, change or remove it."""
        if self.owner_id == user.pk or (self.shared and may(user, "decide")):
            return ""
        return f"This view is {self.owner}’s. Save it as your own to change it."


# What everybody finds there, and nobody changes; the query as a list says it, but for whom `me` is.
PRESETS = (
    ("All orders", ""),
    ("Mine, under way", "open=live&by={me}"),
    ("Assigned to me", "assigned={me}"),
    ("Pending refills", "open=refill"),
    ("Needs a look", "open=look"),
    ("Surprising facts", "open=doubt"),
)

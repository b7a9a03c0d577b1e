"""Saved views: a filtered, sorted list with its columns and a name, kept for its owner or for the whole team."""

from collections.abc import Callable
from functools import cache
from typing import Any, ClassVar, Self

from django.db import models
from django.http import QueryDict
from django.urls import reverse
from django.utils import timezone

from accounts.access import may
from accounts.models import User
from panel.ops.database import prepared

NAME_CHARACTERS = 60
QUERY_CHARACTERS = 2_000
VIEWS_A_PERSON = 100
TABS = 12  # of the team's shared views that stand as tabs; the others are on the page of all views
# Views that everybody has and nobody changes: name, and query with the person's id for `me`.
PRESETS = (
    ("All orders", ""),
    ("Mine, under way", "open=live&by={me}"),
    ("Assigned to me", "assigned={me}"),
    ("Pending refills", "open=refill"),
    ("Needs a look", "open=look"),
    ("Unusual values", "open=doubt"),
)


class SavedViewQuerySet(models.QuerySet["SavedView"]):
    """Saved views by who may see them."""

    def seen_by(self, user: Any) -> Self:
        """This person's own views and those that are shared; none for a stranger."""
        mine = models.Q(owner=user.pk) | models.Q(shared=True)
        return self.filter(mine) if user.is_authenticated and user.is_active else self.none()

    def pinned_by(self, user: User) -> "list[SavedView]":
        """The views that this person has as tabs: those that they pinned, and those that the team shares.

        First in the order in which they were pinned, then by name; at most TABS of the team's. A shared view that
        this person unpinned is left out, and one that is shared no longer.
        """
        mine = self.seen_by(user).in_bulk(user.pinned) if user.pinned else {}
        apart = {*user.pinned, *user.unpinned}
        team = [view for view in shared_views(TABS + len(apart))() if view.pk not in apart]
        return [*(mine[pk] for pk in user.pinned if pk in mine), *team[:TABS]]


@cache
def shared_views(most: int) -> "Callable[[], list[SavedView]]":
    """Reads the first views that the team shares, by name. Each orders page asks this."""
    return prepared(SavedView.objects.filter(shared=True)[:most])


class SavedView(models.Model):
    """One saved view: a list's address under a name. Owned by a person, and shared with the team or not."""

    # No index of its own: the constraint below begins with it.
    owner = models.ForeignKey(User, on_delete=models.PROTECT, related_name="views", db_index=False)
    name = models.CharField(max_length=NAME_CHARACTERS)
    query = models.CharField(max_length=QUERY_CHARACTERS, blank=True, help_text="The list's address, columns included.")
    shared = models.BooleanField("shared with the team", default=False)
    saved_at = models.DateTimeField(default=timezone.now)

    objects: ClassVar[SavedViewQuerySet] = SavedViewQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        ordering = ("name", "id")
        # `pinned_by`: the views that the team shares, by name.
        indexes = [models.Index(fields=["name", "id"], condition=models.Q(shared=True), name="view_shared")]
        constraints = [
            # A double click on “Save” saves one view.
            models.UniqueConstraint(
                fields=["owner", "name"],
                name="one_view_of_a_name",
                violation_error_message="You have a view of this name already.",
            )
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        """The list that the view shows, with the view's id so that the page knows which it is."""
        query = QueryDict(self.query, mutable=True)
        query["view"] = str(self.pk)
        return f"{reverse('orders:index')}?{query.urlencode()}"

    def why_no_change(self, user: Any) -> str:
        """Why this person may not rename, change or remove it, or "": its owner may, and managers if it is shared."""
        if self.owner_id == user.pk or (self.shared and may(user, "settings")):
            return ""
        return f"This view is {self.owner}’s. Save it as your own to change it."

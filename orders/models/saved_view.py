"""Saved views: a list of orders or a report under a name, kept for its owner or for the team; and who is mailed it."""

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
TROUBLE_CHARACTERS = 200
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

    def of_orders(self) -> Self:
        """The views that are lists of orders."""
        return self.filter(is_report=False)

    def of_reports(self) -> Self:
        """The views that are reports."""
        return self.filter(is_report=True)

    def pinned_by(self, user: User) -> "list[SavedView]":
        """The views that this person has as tabs: those that they pinned, and those that the team shares.

        First in the order in which they were pinned, then by name; at most TABS of the team's. A shared view that
        this person unpinned is left out, and one that is shared no longer.
        """
        mine = self.seen_by(user).of_orders().in_bulk(user.pinned) if user.pinned else {}
        apart = {*user.pinned, *user.unpinned}
        team = [view for view in shared_views(TABS + len(apart))() if view.pk not in apart]
        return [*(mine[pk] for pk in user.pinned if pk in mine), *team[:TABS]]


@cache
def shared_views(most: int) -> "Callable[[], list[SavedView]]":
    """Reads the first views that the team shares, by name. Each orders page asks this."""
    return prepared(SavedView.objects.filter(shared=True, is_report=False)[:most])


class SavedView(models.Model):
    """One saved view: the address of a list or report under a name. Owned by a person, and shared or not."""

    # No index of its own: the constraint below begins with it.
    owner = models.ForeignKey(User, on_delete=models.PROTECT, related_name="views", db_index=False)
    name = models.CharField(max_length=NAME_CHARACTERS)
    query = models.CharField(max_length=QUERY_CHARACTERS, blank=True, help_text="The list's address, columns included.")
    shared = models.BooleanField("shared with the team", default=False)
    is_report = models.BooleanField("a report", default=False, help_text="Else it is a list of orders.")
    saved_at = models.DateTimeField(default=timezone.now)

    objects: ClassVar[SavedViewQuerySet] = SavedViewQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        ordering = ("name", "id")
        # `pinned_by`: the views that the team shares, by name.
        indexes = [
            models.Index(fields=["name", "id"], condition=models.Q(shared=True, is_report=False), name="view_shared")
        ]
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
        """The list or report that the view shows, with the view's id so that the page knows which it is."""
        query = QueryDict(self.query, mutable=True)
        query["view"] = str(self.pk)
        return f"{reverse('reports' if self.is_report else 'orders:index')}?{query.urlencode()}"

    def why_no_change(self, user: Any) -> str:
        """Why this person may not rename, change or remove it, or "": its owner may, and managers if it is shared."""
        if self.owner_id == user.pk or (self.shared and may(user, "settings")):
            return ""
        return f"This view is {self.owner}’s. Save it as your own to change it."


class ReportMail(models.Model):
    """That a person wants a saved report by e-mail every Monday, and what became of the last one."""

    # No index of its own: the constraint below begins with it.
    view = models.ForeignKey(SavedView, on_delete=models.CASCADE, related_name="mails", db_index=False)
    person = models.ForeignKey(User, on_delete=models.PROTECT, related_name="report_mails")
    due_at = models.DateTimeField(help_text="When the next is sent, or tried again.")
    # Written before anything is sent: if a worker dies in between, nobody is mailed twice.
    begun_at = models.DateTimeField(null=True, help_text="When the last one was begun.")
    sent_at = models.DateTimeField(null=True, help_text="When the mail server took the last one.")
    failing_since = models.DateTimeField(null=True, help_text="Since when sending the last one fails.")
    trouble = models.CharField(max_length=TROUBLE_CHARACTERS, blank=True, help_text="Why the last one was not sent.")

    class Meta:
        # The worker: which are due.
        indexes = [models.Index(fields=["due_at", "id"], name="report_mail_due")]
        constraints = [
            # Two ticks at once.
            models.UniqueConstraint(fields=["view", "person"], name="one_mail_of_a_report"),
        ]

    def __str__(self) -> str:
        return f"{self.view} to {self.person}"

    @property
    def is_unclear(self) -> bool:
        """Whether a worker died while it sent the last one, so that nobody knows whether it arrived."""
        return self.begun_at is not None and not self.trouble and (self.sent_at is None or self.sent_at < self.begun_at)

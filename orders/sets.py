"""Orders as sets: how they are found, hurried and changed together."""

from collections.abc import Collection
from datetime import datetime
from typing import TYPE_CHECKING, Any, Self

from django.db import models
from django.db.models import F
from django.db.models.functions import Coalesce, Least

from orders.rules.poll_schedule import ALONE_FROM, RINGS_TOGETHER, beat
from orders.tasks import Task

if TYPE_CHECKING:
    pass


MISSING = models.Q(missing_since__isnull=False)  # upstream says that it knows no such order


INDEXED_OF_A_LINK = 200  # characters


def beginning(field: str) -> models.Func:
    """Written out rather than bound, or SQLite would not know the index's expression again."""
    template = f"SUBSTR(%(expressions)s, 1, {INDEXED_OF_A_LINK})"
    return models.Func(F(field), template=template, output_field=models.CharField())


class Hurry(models.IntegerChoices):
    """Why an order is asked after before its time. The greater goes first."""

    RUNG = 1, "a webhook named it"
    WANTED = 2, "a person wants to know"


class OrderQuerySet(models.QuerySet["Order"]):
    def seen_by(self, user: Any) -> Self:
        """The orders this person may see: the whole team's, none for a stranger."""
        return self if user.is_authenticated and user.is_active else self.none()

    def for_table(self) -> Self:
        """Everything that one row shows, in two queries however long the page."""
        tasks = models.Prefetch("tasks", Task.objects.with_people())
        return self.select_related("service", "placed_by").prefetch_related(tasks)

    def for_page(self) -> Self:
        """What its own page tells beside that."""
        return self.for_table().select_related("assigned_to", "service__pace")

    def linked(self, links: Collection[str]) -> Self:
        """Orders for exactly these links; with all spellings of one, an index finds them, newest first."""
        starts = {link[:INDEXED_OF_A_LINK] for link in links}
        found = self.alias(start=beginning("link")).filter(start__in=starts)
        if all(len(link) < INDEXED_OF_A_LINK for link in links):
            return found  # no link but themselves begins so and ends there
        # Joined with nothing: from `link = …` SQLite would conclude what the beginning is, and no longer use its index.
        return found.alias(whole=models.Func(F("link"), template="%(expressions)s || ''")).filter(whole__in=links)

    def change(self, **facts: Any) -> int:
        """Updates what a page shows of these orders, so that open pages notice; says how many there were."""
        return self.update(version=F("version") + 1, **facts)

    def hurry(self, now: datetime) -> int:
        """Somebody wants to know now: these go first in upstream's next batch. No call of their own is made."""
        return self._first(Hurry.WANTED, now)

    def ring(self, now: datetime) -> int:
        """A webhook names them: they go first of what is due, with all that are rung for within a moment."""
        return self._first(Hurry.RUNG, beat(RINGS_TOGETHER, now))

    def _first(self, hurry: int, at: datetime) -> int:
        known = self.filter(upstream_id__isnull=False).exclude(hurry__gte=hurry, next_look_at__lte=at)
        return known.update(hurry=hurry, next_look_at=Least(Coalesce("next_look_at", at), at))

    def due(self, now: datetime) -> Self:
        """Orders to ask upstream about, longest due first."""
        return self.filter(next_look_at__lte=now).order_by("next_look_at")

    def in_a_hurry(self, now: datetime) -> Self:
        """Those due orders that go first; the index `order_hurry` knows them."""
        return self.filter(hurry__isnull=False, next_look_at__lte=now).order_by("-hurry", "next_look_at")

    def alone(self, now: datetime) -> Self:
        """Due orders that upstream keeps leaving out; those that somebody wants to know of first."""
        due = self.due(now).filter(left_out__gte=ALONE_FROM)
        return due.order_by(F("hurry").desc(nulls_last=True), "next_look_at")

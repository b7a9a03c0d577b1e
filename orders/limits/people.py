"""What people spent today, and of which limit: for the list of the team and the page about a person."""

from collections.abc import Collection
from decimal import Decimal
from typing import Any, NamedTuple

from django.utils import timezone

from orders.limits.check import limits_of
from orders.limits.spent import days_of

LITTLE_LEFT_SHARE = Decimal("0.9")  # of a person's limit: from there on the list marks what they spent


class SpentToday(NamedTuple):
    """What counts against a person's limit today, in US dollars."""

    used: Decimal
    limit: Decimal | None  # None: no limit

    @property
    def is_near(self) -> bool:
        """Whether hardly anything is left."""
        return self.limit is not None and self.used >= self.limit * LITTLE_LEFT_SHARE


def spent_today(people: Collection[Any]) -> dict[int, SpentToday]:
    """Person → what they spent today, in one statement for all."""
    days = days_of([person.pk for person in people], timezone.now())
    return {person.pk: SpentToday(days[person.pk].used, limits_of(person).day) for person in people}

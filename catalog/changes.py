"""What upstream changed, as an inbox: noted by the sync, accepted or held by a person.

Whoever locks both locks changes before services, so that a sync and a person never wait for each other.
"""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from django.db import transaction

from catalog.models import FOLLOWED, Change, Service

NEWS_SPAN = timedelta(days=1)  # what the services page has a banner for
COUNTED_NEWS = 1_000  # counted; beyond that the page says 1,000+

Moved = dict[str, list[Any]]  # field → what it was and what it is


def difference(was: Mapping[str, Any], now: Mapping[str, Any]) -> Moved:
    """What moved between two descriptions of a service, as JSON keeps it."""
    return {what: [as_json(was[what]), as_json(now[what])] for what in FOLLOWED if was[what] != now[what]}


def as_json(value: Any) -> Any:
    return f"{value.normalize():f}" if isinstance(value, Decimal) else value


def add_changes(moved: Mapping[int, Moved], at: datetime) -> None:
    """Puts what moved of these services (by our id) into the inbox; within the transaction that writes it.

    A service that waits there already gets one new entry for both, from what it was when a person last decided;
    one that is as it was then leaves.
    """
    undecided = Change.objects.undecided().filter(service__in=moved).select_for_update().order_by("pk")
    waiting = list(undecided.values_list("pk", "service_id", "moved"))
    whole = dict(moved)
    for _, service, earlier in waiting:
        whole[service] = merged(earlier, moved[service])
    if waiting:
        Change.objects.filter(pk__in=[pk for pk, *_ in waiting]).delete()
    Change.objects.bulk_create(
        [Change(service_id=pk, moved=what, at=at) for pk, what in whole.items() if what], ignore_conflicts=True
    )


def merged(first: Moved, then: Moved) -> Moved:
    """Two moves as one; what has come back to where it began did not move."""
    starts, ends = then | first, first | then
    both = {what: [starts[what][0], ends[what][1]] for what in ends}
    return {what: was_and_is for what, was_and_is in both.items() if was_and_is[0] != was_and_is[1]}


class News(NamedTuple):
    """What moved lately and waits for a decision, in services."""

    up: int
    down: int
    gone: int
    other: int
    more: bool  # than were counted

    @property
    def prices(self) -> int:
        return self.up + self.down


def news(now: datetime) -> News | None:
    """For the banner; None when nobody need look."""
    waiting = Change.objects.undecided().since(now - NEWS_SPAN).order_by("-pk").values_list("moved", flat=True)
    found = list(waiting[: COUNTED_NEWS + 1])
    rates = [Decimal(what["rate"][1]) > Decimal(what["rate"][0]) for what in found if "rate" in what]
    gone = sum(what.get("active") == [True, False] for what in found)
    other = sum("rate" not in what and what.get("active") != [True, False] for what in found)
    return News(sum(rates), len(rates) - sum(rates), gone, other, len(found) > COUNTED_NEWS) if found else None


# ── Decisions. Each says whether it was still to be made: two people may press at once ───────────
def accept(changes: Collection[int], *, by: Any, at: datetime) -> int:
    """Takes these changes (ids) as they are, and lifts what holds their services; says how many were undecided."""
    with transaction.atomic():
        undecided = Change.objects.undecided().filter(pk__in=changes).select_for_update().order_by("pk")
        services = dict(undecided.values_list("pk", "service_id"))
        accepted = Change.objects.filter(pk__in=services)
        accepted.update(decision=Change.Decision.ACCEPTED, decided_by=by, decided_at=at)
        held = Service.objects.filter(pk__in=services.values(), held_over__isnull=False)
        Change.objects.filter(pk__in=held.values("held_over")).update(released_by=by, released_at=at)
        held.update(held_over=None)
        return len(services)


def hold(change: int, *, by: Any, at: datetime) -> bool:
    """From now on ordering its service takes a deliberate yes. It takes the place of an older hold."""
    with transaction.atomic():
        mine = Change.objects.undecided().filter(pk=change)
        if not mine.update(decision=Change.Decision.HELD, decided_by=by, decided_at=at):
            return False
        service = Service.objects.filter(changes=change)
        Change.objects.filter(pk__in=service.values("held_over")).update(released_by=by, released_at=at)
        service.update(held_over=change)
        return True


def release(change: int, *, by: Any, at: datetime) -> bool:
    """Lifts the hold over this change, and no other."""
    with transaction.atomic():
        held = Change.objects.filter(pk=change, decision=Change.Decision.HELD, released_at=None)
        released = held.update(released_by=by, released_at=at)
        Service.objects.filter(held_over=change).update(held_over=None)
        return released > 0

"""What upstream changed, as an inbox: the sync adds entries, and a person accepts or holds each of them.

Every transaction locks changes before services, so that a sync and a person never wait for each other.
"""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from django.db import transaction

from accounts.trail.record import change_line, record_change, write_lines
from catalog.models import FOLLOWED, Change, Service

BANNER_SPAN = timedelta(days=1)  # what the banner on the services page counts
COUNTED_CHANGES = 1_000  # beyond that the banner says 1,000+
ON_SALE, HELD = "on sale", "held"  # how a hold is told in the trail
NUMBER = ("pk", "upstream_id")
WENT_OFF_SALE = [True, False]  # of the field `active`

Moved = dict[str, list[Any]]  # field → what it was and what it is


def difference(was: Mapping[str, Any], now: Mapping[str, Any]) -> Moved:
    """What moved between two descriptions of a service, in values that JSON can keep."""
    return {field: [as_json(was[field]), as_json(now[field])] for field in FOLLOWED if was[field] != now[field]}


def as_json(value: Any) -> Any:
    """The value as JSON keeps it: a Decimal becomes text without needless zeros."""
    return f"{value.normalize():f}" if isinstance(value, Decimal) else value


def add_changes(moved: Mapping[int, Moved], at: datetime) -> None:
    """Puts what moved of these services (our id → what moved) into the inbox, in the caller's transaction.

    The entry of a service that waits there already is replaced by one for both moves, counted from what the service
    was when a person last decided. A service that is again as it was then leaves the inbox.
    """
    undecided = Change.objects.undecided().filter(service__in=moved).select_for_update().order_by("pk")
    waiting = list(undecided.values_list("pk", "service_id", "moved"))
    whole = {**moved, **{service: merged(earlier, moved[service]) for _, service, earlier in waiting}}
    if waiting:
        Change.objects.filter(pk__in=[pk for pk, *_ in waiting]).delete()
    Change.objects.bulk_create(
        [Change(service_id=pk, moved=moves, at=at) for pk, moves in whole.items() if moves], ignore_conflicts=True
    )
    write_lines(lines_of("service_moved", moved, by=None, at=at))


def merged(first: Moved, then: Moved) -> Moved:
    """Two moves, one after the other, as one. A field that has come back to where it began is left out."""
    begins, ends = then | first, first | then
    return {field: [begins[field][0], ends[field][1]] for field in ends if begins[field][0] != ends[field][1]}


class RecentChanges(NamedTuple):
    """How many services moved in the last day and wait for a decision, by what moved."""

    up: int  # rates
    down: int
    gone: int  # off sale
    other: int
    more: bool  # there are more than were counted

    @property
    def prices(self) -> int:
        """How many rates moved."""
        return self.up + self.down


def recent_changes(now: datetime) -> RecentChanges | None:
    """The figures of the banner on the services page, or None when nothing moved that waits for a decision."""
    waiting = Change.objects.undecided().since(now - BANNER_SPAN).order_by("-pk").values_list("moved", flat=True)
    newest = list(waiting[: COUNTED_CHANGES + 1])
    rises = [Decimal(moved["rate"][1]) > Decimal(moved["rate"][0]) for moved in newest if "rate" in moved]
    gone = sum(moved.get("active") == WENT_OFF_SALE for moved in newest)
    other = sum("rate" not in moved and moved.get("active") != WENT_OFF_SALE for moved in newest)
    more = len(newest) > COUNTED_CHANGES
    return RecentChanges(sum(rises), len(rises) - sum(rises), gone, other, more) if newest else None


# ── Decisions: each returns whether it was still to be made, for two people may press at once ────
def accept(changes: Collection[int], *, by: Any, at: datetime) -> int:
    """Accepts these changes (by id) and lifts the holds of their services. Returns how many were undecided."""
    with transaction.atomic():
        undecided = Change.objects.undecided().filter(pk__in=changes).select_for_update().order_by("pk")
        services, moved = {}, {}
        for pk, service, moves in undecided.values_list("pk", "service_id", "moved"):
            services[pk], moved[service] = service, moves
        Change.objects.filter(pk__in=services).update(decision=Change.Decision.ACCEPTED, decided_by=by, decided_at=at)
        held = Service.objects.filter(pk__in=services.values(), held_over__isnull=False)
        Change.objects.filter(pk__in=held.values("held_over")).update(released_by=by, released_at=at)
        held.update(held_over=None)
        write_lines(lines_of("change_accepted", moved, by=by, at=at))
        return len(services)


def hold(change: int, *, by: Any, at: datetime) -> bool:
    """Holds the service of this change: ordering it takes a deliberate yes from now on. Replaces an older hold."""
    with transaction.atomic():
        undecided = Change.objects.undecided().filter(pk=change)
        if not undecided.update(decision=Change.Decision.HELD, decided_by=by, decided_at=at):
            return False
        service = Service.objects.filter(changes=change)
        Change.objects.filter(pk__in=service.values("held_over")).update(released_by=by, released_at=at)
        service.update(held_over=change)
        record_hold("service_held", change, ON_SALE, HELD, by=by, at=at)
        return True


def release(change: int, *, by: Any, at: datetime) -> bool:
    """Lifts the hold over this change; a newer hold of the same service stays."""
    with transaction.atomic():
        held = Change.objects.filter(pk=change, decision=Change.Decision.HELD, released_at=None)
        released = held.update(released_by=by, released_at=at)
        Service.objects.filter(held_over=change).update(held_over=None)
        if released:
            record_hold("service_released", change, HELD, ON_SALE, by=by, at=at)
        return released > 0


# ── The trail ────────────────────────────────────────────────────────────────────────────────────
def lines_of(kind: str, moved: Mapping[int, Moved], *, by: Any, at: datetime) -> list[Any]:
    """A line about each of these services (our id → what moved)."""
    numbers = dict(Service.objects.filter(pk__in=[pk for pk, moves in moved.items() if moves]).values_list(*NUMBER))
    return [
        change_line(
            kind, by=by, at=at, thing="service", thing_id=pk, label=str(number),
            before={field: moves[0] for field, moves in moved[pk].items()},
            after={field: moves[1] for field, moves in moved[pk].items()}, what=", ".join(map(field_words, moved[pk])),
        )
        for pk, number in numbers.items()
    ]  # fmt: skip


def field_words(field: str) -> str:
    """A field of a service in a sentence."""
    return {"rate": "the price", "active": "whether it is on sale", "minimum": "the least amount",
            "maximum": "the largest amount"}.get(field, f"the {field.replace('_', ' ')}")  # fmt: skip


def record_hold(kind: str, change: int, was: str, now: str, *, by: Any, at: datetime) -> None:
    """Records that the service of this change was held, or its hold lifted."""
    pk, number = Service.objects.filter(changes=change).values_list(*NUMBER).get()
    sale = {"before": {"sale": was}, "after": {"sale": now}}
    record_change(kind, by=by, at=at, thing="service", thing_id=pk, label=str(number), **sale)

"""What was recorded since a moment, read by index in a bounded number of rows. Nothing else here reads events."""

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from orders.models import Event
from panel.ops.database import unindexed

ROWS = 100  # of each kind, and of every other source of the page; beyond that it says “more than”
ACTS = 2_000  # of people, about the orders of the page
# Events are written about in the order of their times; a report tells the time at which it was asked for.
DISORDER = timedelta(minutes=10)

# What a person does about an order when they deal with it. Giving it up again is none.
DEALS = (
    "adopted", "asked_again", "asked_now", "cancel_again", "cancel_asked", "cancel_left", "cancel_waits", "closed",
    "dealt_with", "given", "given_up", "noted", "noted_to", "refill_again", "refill_anew", "refill_asked",
    "refill_left", "refill_marked", "seen", "sent_now", "taken_on", "taken_over", "withdrawn",
)  # fmt: skip


def first_event(since: datetime) -> int:
    """The id from which on all events since then are found, and hardly any before: two steps in the index of times.

    An event that was written later than it happened may be the first one since, or the last one before, but not both.
    """
    moment = since - DISORDER
    after = Event.objects.filter(at__gte=moment).order_by("at", "id").values_list("pk", flat=True).first()
    before = Event.objects.filter(at__lt=moment).order_by("-at", "-id").values_list("pk", flat=True).first()
    return min(after or 0, before or 0)


def newest_of(kinds: Collection[str], first: int, since: datetime) -> tuple[list[Event], set[str]]:
    """The newest events of these kinds since then, oldest first, and the kinds of which there are more than ROWS.

    Each kind is read by its own index, from its newest down: one statement for all.
    """
    parts, params = list[str](), list[Any]()
    for kind in kinds:
        newest = Event.objects.filter(kind=kind, pk__gte=first).order_by("-pk").values("pk", "kind")[: ROWS + 1]
        sql, values = newest.query.sql_with_params()
        parts.append(f"SELECT * FROM ({sql}) AS of_{len(parts)}")  # noqa: S608  our own words alone
        params += values
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(parts), params)
        found = cursor.fetchall()
    by_kind = defaultdict[str, list[int]](list)
    for pk, kind in found:
        by_kind[kind].append(pk)
    pks = [pk for of_kind in by_kind.values() for pk in of_kind[:ROWS]]
    events = Event.objects.filter(pk__in=pks, at__gte=since).select_related("by").order_by("pk")
    return list(events), {kind for kind, of_kind in by_kind.items() if len(of_kind) > ROWS}


def acts_on(orders: Collection[int], first: int) -> dict[int, list[Event]]:
    """What people did about these orders since then, by order, the latest first."""
    acts = defaultdict[int, list[Event]](list)
    if not orders:
        return acts
    # By the lines of each order: of a kind, or by people, there are as many as the desk is old.
    found = Event.objects.alias(dealt=unindexed("kind")).filter(order__in=orders, pk__gte=first, dealt__in=DEALS)
    for event in found.select_related("by").order_by("-pk")[:ACTS]:
        if event.by_id is not None:
            acts[event.order_id or 0].append(event)
    return acts

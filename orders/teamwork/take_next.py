"""“Take next”: the oldest order that needs a person and that nobody has, for whoever presses first."""

from collections.abc import Iterator
from typing import Any

from django.db import transaction
from django.db.models import Q

from orders.models import Order
from orders.models.order import NEEDS_A_PERSON
from orders.rules.lateness import late_if_from
from orders.rules.refusal import require_allowed
from orders.teamwork.assignment import record_assignment

TRIES = 20  # candidates; so many people do not press at one moment
LATEST_ROWS = 200  # of the longest late orders, among which those are looked for that nobody has


def take_next(*, by: Any) -> Order | None:
    """Assigns that order to `by` and returns it, or None when there is none.

    What needs a look goes first, oldest first: orders in review, missing at the supplier, with unusual values. Then the
    longest late. Of two people who press at once, the later UPDATE finds the order taken, and tries the next.
    """
    require_allowed(by, "note")
    for pk, still in candidates():
        with transaction.atomic():
            # The condition stands in the UPDATE: who comes second, or after a decision, changes no row.
            if Order.objects.filter(still, pk=pk, assigned_to=None).change(assigned_to=by):
                order = Order.objects.get(pk=pk)
                record_assignment(order, by, None, by=by)
                return order
    return None


def candidates() -> Iterator[tuple[int, Q]]:
    """Orders to take, the most pressing first, each with what must still be true of it. Reads a part when it is due."""
    needy = Order.objects.filter(NEEDS_A_PERSON).order_by("pk").values_list("pk", flat=True)[:TRIES]
    for pk in list(needy):
        yield pk, NEEDS_A_PERSON
    is_late = Q(late_from__lte=late_if_from())
    longest = Order.objects.filter(is_late).order_by("late_from", "pk").values_list("pk", "assigned_to")[:LATEST_ROWS]
    for pk in [pk for pk, whose in longest if whose is None][:TRIES]:
        yield pk, is_late


def next_waiting() -> Order | None:
    """The order that would be taken now, as a row shows it; None when there is none. Changes nothing."""
    pk, _ = next(candidates(), (0, None))
    return Order.objects.for_table().filter(pk=pk).first() if pk else None

"""Assigning an order to a teammate: taken, given to somebody else, or let go."""

from collections.abc import Collection
from typing import Any

from django.db import transaction
from django.utils import timezone

from accounts.access import why_not
from accounts.models import User
from orders.models import Handed, Order
from orders.rules.refusal import Refusal, require_allowed


class Overtaken(Refusal):
    """Somebody else assigned the order after this person's page was made."""


def assign(order: Order, to: User | None, *, saw: int | None, by: Any) -> None:
    """Assigns the order to `to`, or to nobody. `saw` is the id of the assignee whom `by` saw when choosing.

    Raises a Refusal when `to` may not have it or has it already, and Overtaken when the assignee is not `saw`.
    """
    require_assignable(to, by=by)
    with transaction.atomic():
        # `saw` stands in the condition: when two people press at once, the later UPDATE finds no row.
        if not Order.objects.filter(pk=order.pk, assigned_to=saw).exclude(assigned_to=to).change(assigned_to=to):
            raise assignment_refusal(order, to)
        record_assignment(order, to, User.objects.get(pk=saw) if saw else None, by=by)


def require_assignable(to: User | None, *, by: Any) -> None:
    """Raises a Refusal unless `by` may assign orders and `to` may have them."""
    require_allowed(by, "note")
    if to and (why := why_not(to, "note")):
        raise Refusal(f"{to} cannot be assigned an order. {why}")


def assignment_refusal(order: Order, to: User | None) -> Refusal:
    """Why the order was not assigned: the chosen person has it already, or it changed after the page was made."""
    has = Order.objects.select_related("assigned_to").get(pk=order.pk).assigned_to
    if has == to:
        return Refusal(f"{has or 'Nobody'} has this order already.")
    return Overtaken(
        f"{has or 'Nobody'} has this order now: that changed after your page was loaded. "
        "Nothing was done; choose again."
    )


def record_assignment(order: Order, to: User | None, was: User | None, *, by: Any) -> None:
    """Records the event, and tells the person who has the order now."""
    kind, facts = assignment_event(to, was, by)
    order.record(kind, by=by, **facts)
    tell([order.pk], to, by=by)


def assignment_event(to: User | None, was: User | None, by: Any) -> tuple[str, dict[str, Any]]:
    """The event's kind, which depends on who gave the order to whom, and its facts."""
    if to:
        kind = "given" if to != by else "taken_over" if was else "taken_on"
    else:
        kind = "let_go" if was == by else "taken_from"
    return kind, {"to": str(to or ""), "was": str(was or "")}


def tell(orders: Collection[int], to: User | None, *, by: Any) -> None:
    """Leaves word for the person to whom others assign these orders. Whoever had them needs no word any more."""
    handed = Handed.objects.filter(order__in=orders)
    (handed.exclude(user=to) if to else handed).delete()
    if to is None or to == by:
        return
    words = [Handed(order_id=pk, user=to, by=by, at=timezone.now()) for pk in orders]
    Handed.objects.bulk_create(
        words, update_conflicts=True, unique_fields=["order", "user"], update_fields=["by", "at", "read_at"]
    )

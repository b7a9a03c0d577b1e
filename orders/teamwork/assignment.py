"""Whom of the team an order is assigned to: taken, given to somebody, or let go."""

from typing import Any

from django.db import transaction

from accounts.access import why_not
from accounts.models import User
from orders.models import Order
from orders.rules.refusal import Refusal, allowed


class Overtaken(Refusal):
    """Somebody assigned it after this person's page was made."""


def assign(order: Order, to: User | None, *, saw: int | None, by: Any) -> None:
    """`to` has it from now on; None: nobody. `saw` is whose it was (their id) when `by` chose."""
    allowed(by, "place")
    if to and (why := why_not(to, "place")):
        raise Refusal(f"{to} cannot be assigned an order. {why}")
    with transaction.atomic():
        # Whom one saw stands in the condition: of two people at once the later one finds no row.
        mine = Order.objects.filter(pk=order.pk, assigned_to=saw).exclude(assigned_to=to)
        if not mine.change(assigned_to=to):
            raise refusal_for(order, to)
        record_assignment(order, to, User.objects.get(pk=saw) if saw else None, by=by)


def refusal_for(order: Order, to: User | None) -> Refusal:
    has = Order.objects.select_related("assigned_to").get(pk=order.pk).assigned_to
    if has == to:
        return Refusal(f"{has} has this order already." if has else "Nobody has this order already.")
    return Overtaken(
        f"{has or 'Nobody'} has this order now: that changed after your page was loaded. "
        "Nothing was done; choose again."
    )


def record_assignment(order: Order, to: User | None, was: User | None, *, by: Any) -> None:
    """The sentence, with everybody's names."""
    if to:
        kind = "given" if to != by else "taken_over" if was else "taken_on"
    else:
        kind = "let_go" if was == by else "taken_from"
    order.record(kind, by=by, to=str(to or ""), was=str(was or ""))

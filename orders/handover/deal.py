"""Marking orders as dealt with: nothing is left to do about them, and colleagues need not look again."""

from collections.abc import Collection
from typing import Any

from django.db import transaction
from django.utils import timezone

from orders.models import Event, Order
from orders.rules.refusal import Refusal, require_allowed

MOST_DEALT = 200  # in one press: all that a section can show


@transaction.atomic
def deal_with(pks: Collection[int], *, by: Any) -> int:
    """Records that the person has dealt with these orders; returns how many. It changes nothing else of them."""
    require_allowed(by, "note")
    orders = Order.objects.filter(pk__in=pks)
    found = list(orders.order_by("pk").values_list("pk", flat=True))
    if not found:
        raise Refusal("No order is named. Nothing was marked.")
    orders.change()
    now = timezone.now()
    Event.objects.bulk_create([Event(order_id=pk, kind="dealt_with", by=by, at=now) for pk in found])
    return len(found)

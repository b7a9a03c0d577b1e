"""The terms at which an order that waits for approval would go now, beside those at which it was asked for."""

from decimal import Decimal
from typing import NamedTuple

from django.utils.crypto import salted_hmac

from orders.models import Order
from panel.format.money import stored

MARK_CHARACTERS = 16


class Terms(NamedTuple):
    """What an order costs now, and what speaks against it."""

    rate: Decimal
    charge: Decimal
    doubts: tuple[str, ...]  # that a second person must have seen: the service is on hold, or its row cannot be read
    mark: str  # names exactly these terms; a form carries it, so that a yes to them is no yes to others


def terms_of(order: Order) -> Terms:
    """The order's terms by its service as it is now. Its service is read with `held_over`."""
    service = order.service
    rate, charge = service.rate, stored(service.expected_charge(order.quantity, order.runs or 1))
    doubts = []
    if service.held_over:
        doubts.append(f"{service.held_over.decided_by} put its service on hold.")
    if service.unread_since:
        doubts.append("The supplier’s newest row for its service cannot be read, so the price may be another.")
    facts = (order.pk, f"{charge:f}", service.held_over_id, service.unread_mark, service.active)
    # Keyed, so that who does not see money cannot find it out by trying.
    mark = salted_hmac("orders.approvals", repr(facts)).hexdigest()[:MARK_CHARACTERS]
    return Terms(rate, charge, tuple(doubts), mark)

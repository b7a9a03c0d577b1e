"""What a person did lately, for the page about them."""

from typing import Any

from orders.models import Event

ACTS_SHOWN = 20


def acts_of(person: Any) -> list[Event]:
    """The latest acts of this person, newest first. The one place that knows where acts are kept."""
    return list(Event.objects.filter(by=person).select_related("by").order_by("-at", "-pk")[:ACTS_SHOWN])

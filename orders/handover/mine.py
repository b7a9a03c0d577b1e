"""What waits for one person: notes that call them, orders that others assigned to them; and the alarms of the time."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple

from orders.models import Handed, Mention, Order
from orders.rules.statuses import Status
from panel.alarms.models import Alarm

SHOWN = 20  # of each, the newest
ALARMS = 20


class MyOrder(NamedTuple):
    """An order that somebody assigned to the person."""

    handed: Handed
    order: Order

    @property
    def is_open(self) -> bool:
        """Whether there is still something to do: it is under way, or needs a look."""
        order = self.order
        return order.stage.live or order.status in (Status.QUEUED, Status.REVIEW) or bool(order.missing_since)


class AlarmLine(NamedTuple):
    """One alarm of the time: whether it still is on, and which colleagues have seen it."""

    alarm: Alarm
    stands: bool
    seen_by: list[str]


def notes_to(user: Any, since: datetime) -> list[Mention]:
    """The notes that call this person: all unread ones among the newest, and those that were written since."""
    newest = Mention.objects.to(user)[:SHOWN]
    return [mention for mention in newest if mention.read_at is None or mention.note.at >= since]


def handed_to(user: Any, since: datetime) -> list[MyOrder]:
    """The orders that others assigned to this person and that they still have: unseen ones, and those since then."""
    newest = Handed.objects.filter(user=user).select_related("by").order_by("-at")[:SHOWN]
    handed = {one.order_id: one for one in newest if one.read_at is None or one.at >= since}
    orders = Order.objects.for_table().defer("body", "said").filter(assigned_to=user).in_bulk(handed) if handed else {}
    return [MyOrder(one, orders[pk]) for pk, one in handed.items() if pk in orders]


def mark_handed_seen(orders: Iterable[int], *, by: Any, now: datetime) -> None:
    """Marks these assignments as seen by the person. Repeating it changes nothing."""
    Handed.objects.filter(user=by, order__in=list(orders), read_at=None).update(read_at=now)


def alarms_since(since: datetime) -> list[AlarmLine]:
    """The alarms that are open, and those that ended since then, the newest first."""
    open_ones = list(Alarm.objects.open().prefetch_related("sightings__user").order_by("-id")[:ALARMS])
    over = Alarm.objects.filter(ended_at__isnull=False).prefetch_related("sightings__user").order_by("-id")[:ALARMS]
    ended = [alarm for alarm in over if alarm.ended_at and alarm.ended_at >= since]
    return [
        AlarmLine(
            alarm, not alarm.ended_at and not alarm.calm_sentence, [str(one.user) for one in alarm.sightings.all()]
        )
        for alarm in [*open_ones, *ended]
    ]

"""The one place of the benchmarks that knows where it is written when an order is polled next."""

from collections.abc import Collection, Mapping
from datetime import UTC, datetime

from orders.models import Order
from panel.ops.database import batches

FAR_AHEAD = datetime(2999, 1, 1, tzinfo=UTC)
AT_ONCE = 500  # orders in one statement

# Columns of an old order, which nobody polls any more, as SQL: what a copy has in place of the template's.
COPIED = {"next_look_at": "NULL", "hurry": "NULL", "share": "NULL"}


def fields_of(next_poll_at: datetime | None) -> dict[str, datetime | None]:
    """The fields of a new order that is polled at this time."""
    return {"next_look_at": next_poll_at}


def write_polls(times: Mapping[int, datetime]) -> None:
    """Writes when these new orders are polled, besides what `fields_of` puts into their rows: nothing."""


def poll_at(pks: Collection[int], at: datetime) -> None:
    """Has these orders polled at this time, and no other order for a long time."""
    put_off()
    for some in batches(list(pks), AT_ONCE):
        Order.objects.filter(pk__in=some).update(next_look_at=at, hurry=None, share=None)


def put_off() -> None:
    """Has no order polled for a long time."""
    Order.objects.filter(next_look_at__lt=FAR_AHEAD).update(next_look_at=FAR_AHEAD, hurry=None)

"""The one place of the benchmarks that knows where it is written when an order is polled next."""

from collections.abc import Collection, Mapping
from datetime import UTC, datetime

from orders.models import Poll
from panel.ops.database import batches

FAR_AHEAD = datetime(2999, 1, 1, tzinfo=UTC)
AT_ONCE = 500  # orders in one statement


def write_polls(times: Mapping[int, datetime]) -> None:
    """Writes when these new orders are polled."""
    for some in batches(times.items(), AT_ONCE):
        Poll.objects.bulk_create([Poll(order_id=pk, next_poll_at=at) for pk, at in some])


def poll_at(pks: Collection[int], at: datetime) -> None:
    """Has these orders polled at this time, and no other order for a long time."""
    put_off()
    for some in batches(list(pks), AT_ONCE):
        Poll.objects.filter(order__in=some).update(next_poll_at=at)


def put_off() -> None:
    """Has no order polled for a long time."""
    Poll.objects.update(next_poll_at=FAR_AHEAD)

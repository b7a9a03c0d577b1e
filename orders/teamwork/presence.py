"""Who else has an order's page open: a row for each person and order, kept fresh by the page's own poll."""

import logging
from datetime import datetime, timedelta
from typing import Any

from django.db import DatabaseError, transaction

from orders.models import Presence
from panel.ops.database import brief_wait
from panel.web.polling import version_of

log = logging.getLogger(__name__)

STILL_THERE = timedelta(seconds=30)  # an idle page polls every 15 s
WRITTEN_EVERY = timedelta(seconds=10)  # a page where something moves polls every 2 s
FORGOTTEN = timedelta(hours=1)


def mark_present(order_id: int, user: Any, now: datetime) -> list[str]:
    """Notes that this person looks at the order, and names who else does, sorted."""
    there = list(Presence.objects.filter(order_id=order_id, seen_at__gt=now - STILL_THERE).select_related("user"))
    if not any(row.user_id == user.pk and now - row.seen_at < WRITTEN_EVERY for row in there):
        write_presence(order_id, user, now)
    return sorted(str(row.user) for row in there if row.user_id != user.pk)


def write_presence(order_id: int, user: Any, now: datetime) -> None:
    """Writes it down, and forgets where else they were long ago. A page is worth more than this: it never fails."""
    seen = Presence(order_id=order_id, user=user, seen_at=now)
    try:
        with brief_wait(), transaction.atomic():
            Presence.objects.filter(user=user, seen_at__lt=now - FORGOTTEN).delete()
            Presence.objects.bulk_create(
                [seen], update_conflicts=True, unique_fields=["order", "user"], update_fields=["seen_at"]
            )
    except DatabaseError as busy:
        log.debug("nobody learns that somebody looks at order %d: %s", order_id, busy)


def page_version(order_version: int, others: list[str]) -> str:
    """Changes when what an order's page shows does: with the order, and when somebody comes or goes."""
    return f"{order_version}-{version_of(others)}" if others else str(order_version)

"""Who else has an order's page open: a row for each person and order, kept fresh by the page's own poll."""

import logging
from datetime import datetime, timedelta
from typing import Any

from django.db import DatabaseError, transaction

from orders.models import Presence
from orders.models.team import ABOUT, STILL_THERE
from panel.ops.database import brief_wait
from panel.web.polling import version_of

log = logging.getLogger(__name__)

WRITTEN_EVERY = timedelta(seconds=10)  # a page where something moves polls every 2 s
FORGOTTEN_AFTER = timedelta(hours=1)


def mark_present(order_id: int, user: Any, now: datetime) -> list[str]:
    """Records that this person has the order's page open. Returns the names of the others who have, sorted."""
    present = list(Presence.objects.filter(order_id=order_id, seen_at__gt=now - STILL_THERE).select_related("user"))
    if not any(presence.user_id == user.pk and now - presence.seen_at < WRITTEN_EVERY for presence in present):
        write_presence(order_id, user, now)
    return sorted(str(presence.user) for presence in present if presence.user_id != user.pk)


def mark_about(order_id: int, user: Any, about: str, now: datetime) -> None:
    """Records what this person is about to do with the order, a key of ABOUT, or "" that they think no more of it."""
    about_at = now if about in ABOUT else None
    write_presence(order_id, user, now, about=about if about_at else "", about_at=about_at)


def write_presence(order_id: int, user: Any, now: datetime, **about: Any) -> None:
    """Writes the row, and deletes this person's rows of more than an hour ago. `about` says what they are about to do.

    A database that is busy or refuses is logged and no more: the page matters more than this.
    """
    presence = Presence(order_id=order_id, user=user, seen_at=now, **about)
    try:
        with brief_wait(), transaction.atomic():
            Presence.objects.filter(user=user, seen_at__lt=now - FORGOTTEN_AFTER).delete()
            Presence.objects.bulk_create(
                [presence], update_conflicts=True, unique_fields=["order", "user"], update_fields=["seen_at", *about]
            )
    except DatabaseError as busy:
        log.debug("nobody learns that somebody looks at order %d: %s", order_id, busy)


def page_version(order_version: int, others: list[str]) -> str:
    """A short text that changes with the order, and when somebody opens or leaves its page."""
    return f"{order_version}-{version_of(others)}" if others else str(order_version)

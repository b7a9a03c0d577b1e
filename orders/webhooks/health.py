"""Whether webhooks can be relied upon: whether the orders that ended of late were rung for."""

from datetime import datetime, timedelta
from typing import NamedTuple

from django.conf import settings
from django.db.models import Exists, OuterRef

from orders.models import Delivery, Reading
from orders.models.statistics import ENDED

LATELY = timedelta(hours=6)
NEAR = timedelta(minutes=5)  # a ring so long before or after an end was found is the ring for it
ENDS = 10  # the newest, so that webhooks which fall silent are noticed soon, however well they did before
FEWEST = 3  # ends to judge by
SILENT = 3  # ends in a row without a ring: whatever was before, nobody rings now
FRESH = timedelta(seconds=5)  # for so long a judgement is used again


class Hearing(NamedTuple):
    """Whether they work, and why one thinks so, in a sentence."""

    well: bool
    why: str


def heard(now: datetime) -> Hearing:
    """Judged anew, in one query at most."""
    if not settings.NOTPANEL_WEBHOOK_SECRETS:
        return Hearing(False, "No secret is set, so no delivery is taken.")
    rung = Delivery.objects.filter(
        upstream_id=OuterRef("order__upstream_id"), received_at__gte=OuterRef("at") - NEAR,
        received_at__lte=OuterRef("at") + NEAR,
    )  # fmt: skip
    ends = Reading.objects.filter(ENDED, at__gte=now - LATELY, at__lte=now).annotate(rung=Exists(rung))
    # An end that was found just now may be rung for yet.
    ends = ends.exclude(rung=False, at__gt=now - NEAR).order_by("-at")
    return judged(list(ends.values_list("rung", flat=True)[:ENDS]))


def judged(rings: list[bool]) -> Hearing:
    """Of orders that ended, newest first: whether each was rung for."""
    if len(rings) < FEWEST:
        few = {0: "No order", 1: "Only one order"}.get(len(rings), f"Only {len(rings)} orders")
        return Hearing(False, f"{few} ended in the last 6 hours; it takes {FEWEST} to judge by.")
    if not any(rings[:SILENT]):
        return Hearing(False, f"None of the last {SILENT} orders that ended was rung for.")
    words = f"{sum(rings)} of the last {len(rings)} orders that ended were rung for"
    return Hearing(True, f"{words}.") if sum(rings) * 2 > len(rings) else Hearing(False, f"Only {words}.")


class _Last:
    """What was judged last in this process."""

    at: datetime | None = None
    well = False


def healthy(now: datetime) -> bool:
    """Whether webhooks ring for most orders that end, so that one need not look so often. Not before they have."""
    if not settings.NOTPANEL_WEBHOOK_SECRETS:
        return False
    if _Last.at is None or not timedelta(0) <= now - _Last.at < FRESH:
        _Last.well, _Last.at = heard(now).well, now
    return _Last.well

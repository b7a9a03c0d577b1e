"""Whether webhooks can be relied upon: whether the orders that ended of late were rung for."""

from datetime import datetime, timedelta
from typing import NamedTuple

from django.conf import settings
from django.db.models import Exists, OuterRef

from orders.models import Delivery, Reading
from orders.models.statistics import IS_AN_END

JUDGED_SPAN = timedelta(hours=6)
MATCH_WITHIN = timedelta(minutes=5)  # a ring so long before or after an end was found is the ring for it
ENDS_JUDGED = 10  # the newest, so that webhooks which fall silent are noticed soon, however well they did before
FEWEST_ENDS = 3  # ends to judge by
SILENT_ENDS = 3  # ends in a row without a ring: whatever was before, nobody rings now
REUSED_FOR = timedelta(seconds=5)  # for so long a judgement is used again


class Health(NamedTuple):
    """Whether they work, and why one thinks so, in a sentence."""

    reliable: bool
    why: str


def judge_health(now: datetime) -> Health:
    """Judged anew, in one query at most."""
    if not settings.NOTPANEL_WEBHOOK_SECRETS:
        return Health(False, "No secret is set, so no delivery is taken.")
    rung = Delivery.objects.filter(
        upstream_id=OuterRef("order__upstream_id"), received_at__gte=OuterRef("at") - MATCH_WITHIN,
        received_at__lte=OuterRef("at") + MATCH_WITHIN,
    )  # fmt: skip
    ends = Reading.objects.filter(IS_AN_END, at__gte=now - JUDGED_SPAN, at__lte=now).annotate(rung=Exists(rung))
    # An end that was found just now may be rung for yet.
    ends = ends.exclude(rung=False, at__gt=now - MATCH_WITHIN).order_by("-at")
    return health_of(list(ends.values_list("rung", flat=True)[:ENDS_JUDGED]))


def health_of(rings: list[bool]) -> Health:
    """Of orders that ended, newest first: whether each was rung for."""
    if len(rings) < FEWEST_ENDS:
        few = {0: "No order", 1: "Only one order"}.get(len(rings), f"Only {len(rings)} orders")
        return Health(False, f"{few} ended in the last 6 hours; it takes {FEWEST_ENDS} to judge by.")
    if not any(rings[:SILENT_ENDS]):
        return Health(False, f"None of the last {SILENT_ENDS} orders that ended was rung for.")
    words = f"{sum(rings)} of the last {len(rings)} orders that ended were rung for"
    return Health(True, f"{words}.") if sum(rings) * 2 > len(rings) else Health(False, f"Only {words}.")


class _Last:
    """What was judged last in this process."""

    at: datetime | None = None
    well = False


def reliable(now: datetime) -> bool:
    """Whether webhooks ring for most orders that end, so that one need not look so often. Not before they have."""
    if not settings.NOTPANEL_WEBHOOK_SECRETS:
        return False
    if _Last.at is None or not timedelta(0) <= now - _Last.at < REUSED_FOR:
        _Last.well, _Last.at = judge_health(now).reliable, now
    return _Last.well

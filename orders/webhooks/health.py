"""Whether webhooks can be relied on: whether deliveries came for the orders that ended most recently."""

from datetime import datetime, timedelta
from typing import NamedTuple

from django.conf import settings
from django.db.models import Exists, OuterRef

from orders.models import Delivery, Reading
from orders.models.statistics import IS_AN_END

JUDGED_SPAN = timedelta(hours=6)
MATCH_WITHIN = timedelta(minutes=5)  # between a delivery and the poll that found the end, in either order
JUDGED_ENDS = 10  # the newest only, so that webhooks that fall silent are noticed soon, however well they did before
FEWEST_ENDS = 3  # with fewer nothing is judged
SILENT_ENDS = 3  # in a row, the newest: without a delivery for any of them, webhooks have stopped
REUSED_FOR = timedelta(seconds=5)


class Health(NamedTuple):
    """Whether webhooks are reliable, and the reason in a sentence."""

    reliable: bool
    why: str


def judge_health(now: datetime) -> Health:
    """The health of webhooks as the database tells it now, in one query at most."""
    if not settings.NOTPANEL_WEBHOOK_SECRETS:
        return Health(False, "No secret is set, so no delivery is accepted.")
    nearby = Delivery.objects.filter(
        upstream_id=OuterRef("order__upstream_id"), received_at__gte=OuterRef("at") - MATCH_WITHIN,
        received_at__lte=OuterRef("at") + MATCH_WITHIN,
    )  # fmt: skip
    ends = Reading.objects.filter(IS_AN_END, at__gte=now - JUDGED_SPAN, at__lte=now).annotate(delivered=Exists(nearby))
    # The delivery for an end that was found just now may still come.
    ends = ends.exclude(delivered=False, at__gt=now - MATCH_WITHIN).order_by("-at")
    return health_of(list(ends.values_list("delivered", flat=True)[:JUDGED_ENDS]))


def health_of(delivered: list[bool]) -> Health:
    """The health by the orders that ended, newest first: whether a delivery came for each."""
    if len(delivered) < FEWEST_ENDS:
        few = {0: "No order", 1: "Only one order"}.get(len(delivered), f"Only {len(delivered)} orders")
        return Health(False, f"{few} ended in the last 6 hours; {FEWEST_ENDS} are needed to judge.")
    if not any(delivered[:SILENT_ENDS]):
        return Health(False, f"None of the last {SILENT_ENDS} orders that ended was announced by a webhook.")
    words = f"{sum(delivered)} of the last {len(delivered)} orders that ended were announced by a webhook"
    return Health(True, f"{words}.") if sum(delivered) * 2 > len(delivered) else Health(False, f"Only {words}.")


class _LastJudgement:
    """What this process judged last, and when."""

    at: datetime | None = None
    reliable = False


def reliable(now: datetime) -> bool:
    """Whether deliveries come for most orders that end, so that polls may be rarer. Judged every few seconds."""
    if not settings.NOTPANEL_WEBHOOK_SECRETS:
        return False
    if _LastJudgement.at is None or not timedelta(0) <= now - _LastJudgement.at < REUSED_FOR:
        _LastJudgement.reliable, _LastJudgement.at = judge_health(now).reliable, now
    return _LastJudgement.reliable

"""How the desk's clock compares with upstream's, and whether it was set back."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from orders.models import Event
from panel.format.times import took
from panel.ops.database import ONLY_ROW, only_row
from panel.upstream.models import Beat, Upstream

COMPARED_EVERY = timedelta(seconds=10)
# The Date header is cut to whole seconds, and an answer takes a while: so much is no difference.
SAME_SECONDS = 3.0
WRONG_SECONDS = 60.0  # from here on a person should set the clock right
CLOCKS_APART = timedelta(seconds=15)  # a moment that the desk has seen and that lies further ahead is of another clock
TOLD_AGAIN_AFTER = timedelta(minutes=10)


def record_skew(sent_at: datetime, now: datetime) -> None:
    """Records by how much our clock is ahead of upstream's, whose answer came now and was sent then by its clock."""
    due = Q(skew_at=None) | Q(skew_at__lte=now - COMPARED_EVERY) | Q(skew_at__gt=now)
    compared = {"skew_seconds": (now - sent_at).total_seconds(), "skew_at": now}
    row = Upstream.objects.filter(pk=ONLY_ROW)
    if not (row.filter(due).update(**compared) or row.exists()):
        only_row(Upstream).update(**compared)


def skew_words(seconds: float | None) -> str:
    """How our clock compares with upstream's, in words; "" where that is not known."""
    if seconds is None:
        return ""
    if abs(seconds) <= SAME_SECONDS:
        return "agrees with the supplier’s"
    return f"{took(timedelta(seconds=abs(seconds)))} {'ahead of' if seconds > 0 else 'behind'} the supplier’s"


def set_back_by(now: datetime, seen_at: Sequence[datetime | None] = ()) -> timedelta | None:
    """By how much the clock was set back: the last moment that the desk has seen lies so far ahead. None if it was not.

    `seen_at` are moments that the caller knows of, besides the workers' heartbeats and upstream's last answer.
    Also a worker whose clock runs ahead of the others' looks like that, so it is found once in TOLD_AGAIN_AFTER.
    """
    beats = Beat.objects.order_by("-beat_at").values_list("beat_at", flat=True)[:1]
    known = Upstream.objects.values_list("spoke_at", "set_back_at").first() or (None, None)
    ahead = max((at - now for at in (*beats, *seen_at, known[0]) if at), default=timedelta())
    lately = known[1] is not None and now - TOLD_AGAIN_AFTER < known[1] <= now
    return ahead if ahead > CLOCKS_APART and not lately else None


def record_set_back(ahead: timedelta, now: datetime) -> bool:
    """Records that the clock was set back, for all to read. False when another worker has recorded it."""
    with transaction.atomic():
        lately = Q(set_back_at__gt=now - TOLD_AGAIN_AFTER, set_back_at__lte=now)
        row = only_row(Upstream).exclude(lately, set_back_at__isnull=False)
        if not row.update(set_back_at=now, set_back_seconds=ahead.total_seconds(), skew_at=None):
            return False
        Upstream.objects.filter(spoke_at__gt=now).update(spoke_at=now)
        Upstream.objects.filter(trouble_since__gt=now).update(trouble_since=now)
        Beat.objects.filter(beat_at__gt=now).update(beat_at=now)
        Beat.objects.filter(started_at__gt=now).update(started_at=now)
        Event.objects.create(kind="set_back", at=now, facts={"span": took(ahead)})
    return True

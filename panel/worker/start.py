"""What a worker does before it takes anything up: looks whether the books are the ones that upstream goes by."""

from datetime import datetime, timedelta

from orders.placing.old_books import LastWorker, notice
from panel.upstream.models import Beat
from panel.worker.heartbeat import BY_CRON


def look_at_books(now: datetime) -> bool:
    """Stops sending if these books may be old, by the last worker that they know. Returns whether it is stopped so."""
    last = Beat.objects.order_by("-beat_at").first()
    if last is None:
        return notice(now, LastWorker(None))
    pause = last.pause if BY_CRON in last.name else None
    return notice(now, LastWorker(last.beat_at, last.stopped_at, pause or timedelta(0)))

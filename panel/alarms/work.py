"""The alarms' part of a worker's round. It calls nobody upstream, so it goes on while upstream is paused."""

import logging
from datetime import datetime

from django.db import close_old_connections

from panel.alarms.evaluate import watch
from panel.alarms.notify import tell

log = logging.getLogger(__name__)


def mind_alarms(now: datetime) -> bool:
    """Looks when it is time, and sends one message; says whether there was anything to do. No mistake in here keeps
    orders from going out."""
    try:
        return watch(now) | tell(now)
    except Exception:
        log.exception("the alarms broke off")
        close_old_connections()
        return False

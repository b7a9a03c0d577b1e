"""The prices that moved since a moment: what nobody has decided about, and what colleagues did."""

from datetime import datetime
from typing import NamedTuple

from accounts.models import User
from catalog.models import Change, Move
from orders.handover.events import ROWS
from orders.handover.sections import Section


class PriceMove(NamedTuple):
    """One service whose price moved."""

    change: Change
    move: Move
    by: User | None  # who decided; None while nobody has


def prices_moved(since: datetime) -> Section:
    """The section. Of a service that moved several times, the inbox keeps one entry."""
    section = Section("prices", "Prices moved", "", "No price moved.")
    rows = list(Change.objects.since(since).for_inbox().order_by("-at")[: ROWS + 1])
    section.more = len(rows) > ROWS
    for change in rows[:ROWS]:
        move = next((move for move in change.moves if move.what == "rate"), None)
        if move:
            (section.dealt if change.decided_at else section.open).append(PriceMove(change, move, change.decided_by))
    return section

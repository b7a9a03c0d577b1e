"""Verifies a part of the trail when an owner asks: as much as the worker does in a round, however long the trail is."""

from typing import Any, NamedTuple

from django.utils import timezone

from accounts.trail.watch import chain_state, verify_piece
from orders.rules.refusal import require_allowed
from panel.format.numbers import number


class Verified(NamedTuple):
    """What a press has verified, and what came of it."""

    lines: int
    links: int  # up to which this turn has come; 0 when it was its end
    of: int  # links there are
    wrong: int

    @property
    def words(self) -> str:
        """`Verified 5,000 entries: none is changed or missing.` and how far this turn has come."""
        entries = f"{number(self.lines)} {'entry' if self.lines == 1 else 'entries'}"
        if self.wrong:
            return f"Verified {entries}: {number(self.wrong)} {'thing is' if self.wrong == 1 else 'things are'} wrong."
        done = f"Verified {entries}: none is changed or missing."
        if not self.links:
            return f"{done} With that all entries have had their turn."
        return f"{done} This turn has come to {self.links * 100 // self.of} % of the chain; press again to go on."


def verify_now(*, by: Any) -> Verified:
    """Verifies the newest lines and the next ones of the others, goes on where the last press or round ended.

    That somebody did is a line of the trail itself.
    """
    require_allowed(by, "people")
    lines = verify_piece(timezone.now(), by=by)
    state = chain_state()
    watch, head = state.watch, state.head
    return Verified(lines, watch.place if watch else 0, head.number if head else 0, len(state.breaks))

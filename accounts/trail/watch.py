"""Verifies the trail again and again, a piece at a time: the newest lines always, all others in turn.

What is wrong stays noted until the same place is verified again and found in order.
"""

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from django.db import transaction

from accounts.models import ChainHead, ChainLink, ChainWatch, TrailLine
from accounts.trail.chain import LINES_A_LINK
from accounts.trail.record import record_change
from accounts.trail.verify import END, Break, Ends, links_from, verify_end, verify_links, verify_tail
from panel.format.numbers import number
from panel.ops.database import ONLY_ROW, only_row

log = logging.getLogger(__name__)

EVERY_SECONDS = 60.0
NEWEST_LINKS = 50  # verified each time…
PIECE_LINES = 5_000  # …and so many lines of the others, or one link more
BREAKS_KEPT = 20
TOLD_EVERY = timedelta(hours=1)


def verify_piece(now: datetime, *, by: Any = None) -> int:
    """One round of the chore; returns how many sealed lines it has verified. `by` is the person who asked for it.

    It reads a bounded number of lines, however long the trail is.
    """
    watch = ChainWatch.objects.filter(pk=ONLY_ROW).first() or only_row(ChainWatch).get()
    head = ChainHead.objects.filter(pk=ONLY_ROW).first()
    lines = dict[int, int]()  # link → how many it holds
    found = [*verify_end(head), *(verify_tail(head, LINES_A_LINK) if head else ())]
    if head is not None:
        newest = whole_links(links_from(max(0, head.number - NEWEST_LINKS), head.number))
        for links in (newest, whole_links(links_from(watch.place, head.number))):
            found += verify_links(links, ends_before(links, watch.place), head.unsealed_until)
            lines |= {link.number: link.lines for link in links}
        watch.place = links[-1].number if links else head.number
        if watch.place >= head.number:
            watch.place, watch.walked_at, watch.walked_lines = 0, now, head.lines
        if watch.told_at is None or now - watch.told_at >= TOLD_EVERY:
            log.info("trail: sealed up to line %s", head.last_id, extra={"head": bytes(head.digest).hex()})
            watch.told_at = now
    keep_breaks(watch, found, {END, *lines}, now)
    watch.looked_at = now
    count = sum(lines.values())
    with transaction.atomic():
        watch.save()
        if by is not None:
            wrong = number(len(watch.breaks))
            record_change("trail_verified", by=by, at=now, lines=number(count), wrong=wrong)
    return count


def whole_links(links: Iterable[ChainLink]) -> list[ChainLink]:
    """The first of these links, up to PIECE_LINES lines."""
    taken, lines = [], 0
    for link in islice(links, PIECE_LINES):
        taken.append(link)
        lines += link.lines
        if lines >= PIECE_LINES:
            break
    return taken


def ends_before(links: list[ChainLink], place: int) -> Ends:
    """What the first of these links must follow."""
    first = links[0].number if links else place + 1
    before = ChainLink.objects.filter(number__lt=first).order_by("-number").first()
    return Ends.of(before) if before else Ends()


def keep_breaks(watch: ChainWatch, found: Iterable[Break], verified: set[int], now: datetime) -> None:
    """Notes what was found now, and keeps what was found earlier in places that were not verified again."""
    earlier = [Break(*each) for each in watch.breaks if each[-1] not in verified]
    breaks = sorted({*earlier, *found})
    if breaks and not watch.breaks:
        log.error("trail: %s", breaks[0].words, extra={"line": breaks[0].line, "breaks": len(breaks)})
    watch.breaks = [list(each) for each in breaks[:BREAKS_KEPT]]
    watch.broken_since = (watch.broken_since or now) if breaks else None


# ── For pages ────────────────────────────────────────────────────────────────────────────────────
@dataclass
class ChainState:
    """How the chain is, for the line above the list of activity."""

    watch: ChainWatch | None
    head: ChainHead | None

    @property
    def breaks(self) -> list[Break]:
        """What is wrong, as it was found."""
        return [Break(*each) for each in self.watch.breaks] if self.watch else []

    @property
    def broken_line(self) -> Any:
        """The line that the first break is about, or None where it is gone."""
        return TrailLine.objects.filter(pk=self.breaks[0].line).first() if self.breaks else None

    @property
    def digest(self) -> str:
        """The newest digest, to be written down elsewhere."""
        return bytes(self.head.digest).hex() if self.head else ""


def chain_state() -> ChainState:
    """How the chain is."""
    return ChainState(ChainWatch.objects.filter(pk=ONLY_ROW).first(), ChainHead.objects.filter(pk=ONLY_ROW).first())

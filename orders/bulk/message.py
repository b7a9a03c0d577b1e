"""A pasted message as the check page shows it: what it names, line by line in its order, and the text with marks."""

import re
from typing import NamedTuple

from orders.bulk.dry_run import DryRun, Group
from orders.bulk.selection import Selection
from orders.models import Order

SHOWN_CHARACTERS = 4_000  # of the message
MARKED_WORDS = 500  # in it


class MessageRow(NamedTuple):
    """One word of the message, with the order that it names, or None; the rule's reason to leave it out, or ""."""

    place: int
    written: str
    order: Order | None
    why: str
    group: str  # what would happen, in words; "" for no order


class Piece(NamedTuple):
    """A part of the message. `kind` is found, maybe, none, or "" for the text between; `place` is its row, or 0."""

    text: str
    kind: str = ""
    place: int = 0


def message_rows(selection: Selection, run: DryRun) -> list[MessageRow]:
    """What the message names, in its order; what may be something else is not here."""
    groups: list[Group] = run.groups
    lines = {order.pk: (order, why, group.words) for group in groups for order, why in group.lines}
    nothing: tuple[Order | None, str, str] = (None, "", "")
    found = ((place, word, lines.get(pk, nothing)) for place, (word, pk) in enumerate(selection.answered(), start=1))
    return [MessageRow(place, word, *facts) for place, word, facts in found]


def marked_message(text: str, selection: Selection, rows: list[MessageRow]) -> list[Piece]:
    """The beginning of the message in pieces, with a mark on each word that names something."""
    shown = text[:SHOWN_CHARACTERS].replace("\r\n", "\n")
    doubtful = {pk for pk, _ in selection.apart}
    kinds = {word: Piece(word, "maybe") for word, pks in selection.entries if doubtful & {*pks}}
    kinds |= {row.written: Piece(row.written, "found" if row.order else "none", row.place) for row in reversed(rows)}
    words = [word for word in kinds if word in shown][:MARKED_WORDS]
    if not words:
        return [Piece(shown)]
    longest_first = "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))
    parts = re.split(rf"(?<![\w/])({longest_first})(?!\w)", shown)
    pieces = [kinds[part]._replace(text=part) if at % 2 else Piece(part) for at, part in enumerate(parts)]
    return [piece for piece in pieces if piece.text] + ([Piece("…")] if len(text) > SHOWN_CHARACTERS else [])

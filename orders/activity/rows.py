"""What a row of activity shows of a line, to the person who looks."""

import html
import re
from collections.abc import Iterable
from typing import Any, NamedTuple

from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts.models import ChainHead, TrailLine
from accounts.trail.kinds import DOOR_GROUPS
from accounts.trail.words import Change, changes_of, text_of
from orders.activity.filters import sees_the_door
from orders.activity.words import words_of
from orders.rules.event_text import NOBODY
from panel.ops.database import ONLY_ROW

STRANGER = "Somebody"  # in place of a name where a stranger may have been
# The pages of what a line is about: a thing → the name of a page, which takes its id where the second says so.
PAGES = {
    "view": ("orders:views", False),
    "setting": ("settings", False),
    "alarm": ("alarms", False),
    "message": ("orders:answers", True),
    "endpoint": ("webhooks", False),
    "plan": ("orders:plan", True),
}


class Row(NamedTuple):
    """A line as a row shows it."""

    line: TrailLine
    who: str
    is_machine: bool
    tone: str
    what: SafeString
    said: str  # the words of a person or of upstream, verbatim
    is_note: bool  # whether they are a person's
    changes: list[Change]
    about: str
    page: str  # the address of what it is about, or ""
    sees_from: bool  # whether the viewer may see from where it was done


def rows_of(lines: Iterable[TrailLine], viewer: Any) -> list[Row]:
    """The rows of these lines for this viewer."""
    sees = sees_the_door(viewer)
    return [row_of(line, viewer, sees) for line in lines]


def row_of(line: TrailLine, viewer: Any, sees: bool) -> Row:
    """The row of one line."""
    sentence = words_of(line, named=False)
    about, page = about_of(line, sees)
    note = str(line.facts.get("text", ""))
    who = str(line.by) if line.by_id else STRANGER if line.group in DOOR_GROUPS else NOBODY
    return Row(
        line, who, who == NOBODY, sentence.tone, sentence.html, note or sentence.said, bool(note),
        changes_of(line), about, page, sees,
    )  # fmt: skip


def about_of(line: TrailLine, sees: bool) -> tuple[str, str]:
    """What the line is about in words, and its page."""
    if line.order_id:
        return f"Order {line.order_id}", reverse("orders:show", args=[line.order_id])
    if line.person_id:
        return str(line.person), reverse("person", args=[line.person_id]) if sees else ""
    if line.thing == "service":
        return f"Service {line.label}", f"{reverse('catalog:index')}?q={line.label}"
    name, takes_id = PAGES.get(line.thing, ("", False))
    words = f"{line.thing.capitalize()} {line.label}" if line.thing else ""
    return words, reverse(name, args=[line.thing_id] if takes_id else []) if name else ""


def in_the_chain(line: TrailLine) -> bool:
    """Whether the chain holds this line; one that was just written follows within seconds."""
    return ChainHead.objects.filter(pk=ONLY_ROW, last_id__gte=line.pk).exists()


def reasons_of(line: TrailLine) -> str:
    """The reason that somebody gave, or ""."""
    return text_of(line.facts["reason"]) if line.facts.get("reason") else ""


# ── For files ────────────────────────────────────────────────────────────────────────────────────
def plain_what(row: Row) -> str:
    """The sentence as plain text."""
    return html.unescape(re.sub(r"<[^>]+>", "", row.what))


def plain_changes(row: Row, side: str) -> str:
    """What was before (`was`) or is since (`now`), as one text."""
    return "; ".join(f"{change.name}: {value}" if change.name else value
                     for change in row.changes for value in [getattr(change, side)])  # fmt: skip


def seal_text(line: TrailLine) -> SafeString:
    """The seal as people read it, or that there is none."""
    return format_html("{}", bytes(line.seal).hex()) if line.seal is not None else format_html("")

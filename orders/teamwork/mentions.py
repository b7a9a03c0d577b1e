"""What teammates write to one another about an order, and whom they call in it."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from orders.models import Note


# ── Who is called ────────────────────────────────────────────────────────────────────────────────
def mentioned(text: str, people: Iterable[Any]) -> set[Any]:
    """Those of these people whom a text calls, by `@username` or `@Shown name`. A name of two people calls both."""
    return {person for _, _, some in name_spans(text, people) for person in some}


def note_html(note: Note) -> SafeString:
    """The note's text as it is, with the names of those it calls in bold."""
    return format_html_join("", "{}", ((part,) for part in text_parts(note.text, note.mentions.all())))


def text_parts(text: str, people: Iterable[Any]) -> Iterator[str]:
    """A text cut at the names: those as safe markup, all else as plain strings that are still to be escaped."""
    end = 0
    for begin, until, _ in name_spans(text, people):
        yield text[end:begin]
        yield format_html('<b class="at">{}</b>', text[begin:until])
        end = until
    yield text[end:]


def name_spans(text: str, people: Iterable[Any]) -> Iterator[tuple[int, int, list[Any]]]:
    """Begin, end and people of each name after an @: the longest that fits, and no part of a longer word."""
    bearers = defaultdict[str, list[Any]](list)
    for person in people if "@" in text else ():
        for name in {person.username.casefold(), person.name.strip().casefold()} - {""}:
            bearers[name].append(person)
    if not bearers:
        return
    names = "|".join(re.escape(name) for name in sorted(bearers, key=len, reverse=True))
    for match in re.finditer(rf"(?<!\w)@({names})(?!\w)", text, re.IGNORECASE):
        if some := bearers.get(match[1].casefold()):
            yield *match.span(), some

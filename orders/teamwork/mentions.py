"""Finding the teammates whom a note calls, by `@username` or `@Shown name`, and showing those names in bold."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from orders.models import Note


def mentioned(text: str, people: Iterable[Any]) -> set[Any]:
    """The people whom a text calls by `@username` or `@Shown name`. A name that two people share calls both."""
    return {person for _, _, named in name_spans(text, people) for person in named}


def note_html(note: Note) -> SafeString:
    """The note's text as it was written, with the names of those it calls in bold."""
    return format_html_join("", "{}", ((part,) for part in text_parts(note.text, note.mentions.all())))


def text_parts(text: str, people: Iterable[Any]) -> Iterator[str]:
    """The text cut at the names: names as safe markup, all else as plain strings that are still to be escaped."""
    end = 0
    for begin, until, _ in name_spans(text, people):
        yield text[end:begin]
        yield format_html('<b class="at">{}</b>', text[begin:until])
        end = until
    yield text[end:]


def name_spans(text: str, people: Iterable[Any]) -> Iterator[tuple[int, int, list[Any]]]:
    """Where each name stands in the text: begin (the @), end, and the people of that name.

    The longest name that fits wins, and a part of a longer word is no name.
    """
    people_by_name = defaultdict[str, list[Any]](list)
    for person in people if "@" in text else ():
        for name in {person.username.casefold(), person.name.strip().casefold()} - {""}:
            people_by_name[name].append(person)
    if not people_by_name:
        return
    names = "|".join(re.escape(name) for name in sorted(people_by_name, key=len, reverse=True))
    for match in re.finditer(rf"(?<!\w)@({names})(?!\w)", text, re.IGNORECASE):
        # Ignoring case, a pattern matches a few letters that casefold differently; those name nobody.
        if named := people_by_name.get(match[1].casefold()):
            yield *match.span(), named

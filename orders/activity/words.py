"""A line of the trail in words, of any kind: the one place that knows who looks."""

from string import Formatter
from typing import Any

from django.utils.html import format_html

from accounts.sign_in.record import KINDS as DOOR_KINDS
from accounts.sign_in.record import Facts
from accounts.trail.kinds import KINDS
from orders.rules.event_text import Sentence
from panel.format.money import without_amounts


def words_of(line: Any, *, named: bool = True) -> Sentence:
    """The line's sentence, its tone and upstream's own words; who did it is left out where a column says so."""
    facts = {**line.facts, "label": line.label} if line.label else line.facts
    if line.kind in DOOR_KINDS and line.kind not in KINDS:
        return door_words(line.kind, facts)
    return Sentence.of(line.kind, line.by if line.by_id else None, facts, named=named)


def door_words(kind: str, facts: dict[str, Any]) -> Sentence:
    """What happened at the door: the title of its kind, and its detail."""
    about, known = DOOR_KINDS[kind], Facts(facts)
    names = {name for _, name, _, _ in Formatter().parse(about.detail) if name}
    detail = (
        format_html(about.detail, **{name: without_amounts(str(known[name])) for name in names})
        if names
        else about.detail
    )
    return Sentence(
        about.tone, format_html("{}, {}", about.title, detail) if detail else format_html("{}", about.title), ""
    )

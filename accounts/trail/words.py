"""The words of a line: the sentences of the orders' room, which can write all kinds, and those of the door."""

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

from accounts.access import FIELDS
from accounts.trail.kinds import KINDS
from panel.format.money import HIDDEN, sees_money, without_amounts
from panel.format.visible import visible


class Words(Protocol):
    """A line in words."""

    @property
    def tone(self) -> str:
        """One of "", ring, warn, bad."""

    @property
    def html(self) -> Any:
        """The sentence, safe to show."""

    @property
    def said(self) -> str:
        """Upstream's own words, verbatim and unescaped, or ""."""

    @property
    def plain(self) -> str:
        """The sentence without markup."""


Writer = Callable[[Any], Words]  # of a line
_writers: list[Writer] = []


def write_with(writer: Writer) -> None:
    """Has the words of all lines written by this function of a room above."""
    _writers[:] = [writer]


def words_of(line: Any) -> Words:
    """The line in words."""
    return _writers[0](line)


class Change(NamedTuple):
    """One value that a line says was changed."""

    name: str  # "" where the sentence says what it is
    was: str
    now: str


# Kinds of events of orders whose facts say what was before and since.
WAS_AND_TO = ("moved", "surprised", "revived")


def changes_of(line: Any) -> list[Change]:
    """What was before and what is since, value by value; empty for a line that says of none."""
    if line.kind in WAS_AND_TO and {"was", "to"} <= line.facts.keys():
        return [Change("", text_of(line.facts["was"]), text_of(line.facts["to"]))]
    before, after = line.before or {}, line.after or {}
    names = [*before, *(name for name in after if name not in before)]
    single = len(names) == 1 and line.kind in KINDS
    return [
        Change("" if single else name.replace("_", " "), shown(name, before.get(name)), shown(name, after.get(name)))
        for name in names
    ]


def shown(name: str, value: Any) -> str:
    """A value of a line for the reader, who may not be one to see what the desk pays."""
    return (
        text_of(value) if sees_money() else HIDDEN if FIELDS.get(name) == "money" else without_amounts(text_of(value))
    )


def text_of(value: Any) -> str:
    """A value of a line as text: "nothing" for what was empty."""
    if value is None or value == "":
        return "nothing"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(text_of, value)) or "nothing"
    return visible(str(value)) or "nothing"

"""A service's name in the few words that tell it from others of its category."""

import re
from functools import lru_cache
from typing import NamedTuple

from catalog.category_tree import split_category
from panel.format.letters import folded

WORD = re.compile(r"\w+")
BRACKET_AT_END = re.compile(r"\s*\[([^\[\]]+)\][^\w\[\]]*$")  # also with a sign behind it: [R30] ♻️
BETWEEN_PARTS = " \t|-–—:›»>/,.;•·)]"


class ShortName(NamedTuple):
    """A service's name in parts."""

    words: str  # what tells it from others of its category; the whole name where nothing else does
    what: str  # what its category sells, without the network
    bracket: str  # what stands in brackets at the name's end, such as R30


@lru_cache(maxsize=4_096)
def short_name(name: str, category: str) -> ShortName:
    """`Instagram Reels Views | Instant [R30]` of `Instagram › Reels Views` → Instant, Reels Views, R30.

    From the name's beginning it cuts the words that stand in the category too, in the category's order.
    """
    what = split_category(category)[1]
    rest = name.strip()
    brackets: list[str] = []
    while match := BRACKET_AT_END.search(rest):
        brackets.insert(0, match[1].strip())
        rest = rest[: match.start()]
    rest = without_category(rest, category).strip(BETWEEN_PARTS)
    if not WORD.search(rest):
        return ShortName(name, what, "")
    return ShortName(rest, what, " ".join(brackets))


def without_category(name: str, category: str) -> str:
    """The name behind those of its first words that the category says as well."""
    said = [folded(word) for word in WORD.findall(category)]
    end = 0
    for match in WORD.finditer(name):
        word = folded(match[0])
        if word not in said:
            break
        said = said[said.index(word) + 1 :]
        end = match.end()
    return name[end:]

"""Templates of texts for customers: `{name}` stands for a fact, and a part in [brackets] goes when its fact is unknown.

A template is filled in one pass: what stands in a fact is never read as a template, nor as markup or a formula.
"""

import re
from collections.abc import Mapping
from difflib import get_close_matches

from orders.answers.situations import placeholders_of
from panel.format.spreadsheet import safe

TEXT_CHARACTERS = 1_000  # of a template, and of an answer that a person has changed
PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
OPTIONAL = re.compile(r"\[([^\[\]]*)\]")
# Controls but for the line's end, and letters that turn the direction of what follows.
UNSEEN = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
BLANKS = re.compile(r"[^\S\n]+")
# Words that say that somebody else delivers, in the languages that customers write most.
SUPPLIER = re.compile(
    r"\b(suppliers?|upstream|providers?|vendors?|wholesalers?|notpanel|smm[ -]?panels?|proveedor(es)?|fornecedor(es)?"
    r"|fornitor[ei]|fournisseurs?|lieferant(en)?|anbieter|tedarik[cç]i\w*|поставщик\w*|постачальник\w*)\b",
    re.I,
)


# ── Filling ──────────────────────────────────────────────────────────────────────────────────────
def fill(template: str, values: Mapping[str, str]) -> str:
    """The text with these values for its placeholders. A part in brackets goes unless all its values are known."""

    def optional(part: re.Match[str]) -> str:
        return part[1] if all(values.get(name) for name in PLACEHOLDER.findall(part[1])) else ""

    return PLACEHOLDER.sub(lambda named: values.get(named[1], ""), OPTIONAL.sub(optional, template))


def one_line(value: str) -> str:
    """A fact as it stands in a text: in one line, without letters that nobody sees."""
    return " ".join(UNSEEN.sub(" ", value).split())


def cleaned(text: str) -> str:
    """A text as it is kept and copied: lines without needless blanks, none of which a spreadsheet would run."""
    lines = BLANKS.sub(" ", UNSEEN.sub(" ", text.replace("\r\n", "\n"))).strip().split("\n")
    return "\n".join(safe(line.strip()) for line in lines)


# ── Checking ─────────────────────────────────────────────────────────────────────────────────────
def mistakes(situation: str, template: str) -> list[str]:
    """What is wrong with a template, in sentences for the person who writes it; none when it can be saved."""
    return [*unfit_words(template), *_wrong_marks(template), *_wrong_placeholders(situation, template)]


def unfit_words(text: str) -> list[str]:
    """Why no customer may get this text, in sentences."""
    found = []
    if not text.strip():
        found.append("Write a text.")
    if len(text) > TEXT_CHARACTERS:
        found.append(f"This text has {len(text):,} characters; at most {TEXT_CHARACTERS:,} are kept.")
    if supplier := SUPPLIER.search(text):
        found.append(f"Leave out “{supplier[0]}”: no text for a customer says that there is a supplier.")
    if any(safe(line.strip()) != line.strip() for line in text.split("\n")):
        found.append("Begin each line with a letter: a spreadsheet would run a line that begins with =, +, - or @.")
    return found


def _wrong_marks(template: str) -> list[str]:
    """Braces that name nothing, and brackets that are not closed or hold no placeholder."""
    found = []
    if re.search(r"[{}]", PLACEHOLDER.sub("", template)):
        found.append("A { or } stands alone. Write placeholders as {order}.")
    if re.search(r"[\[\]]", OPTIONAL.sub("", template)):
        found.append(
            "A [ or ] stands alone, or one bracket is within another. Write optional parts as [ as of {checked}]."
        )
    found += [
        f"“[{part}]” has no placeholder in it, so it would never go. Leave out the brackets."
        for part in OPTIONAL.findall(template)
        if not PLACEHOLDER.search(part)
    ]
    return found


def _wrong_placeholders(situation: str, template: str) -> list[str]:
    """Placeholders that this text cannot have, and those that need brackets since not every order has them."""
    allowed, found = placeholders_of(situation), []
    for name in dict.fromkeys(PLACEHOLDER.findall(template)):
        if name not in allowed:
            near = get_close_matches(name.lower(), allowed, 1)
            hint = (
                f"Did you mean {{{near[0]}}}?"
                if near
                else f"Those there are: {', '.join(f'{{{n}}}' for n in allowed)}."
            )
            found.append(f"{{{one_line(name)[:30]}}} is no placeholder of this text. {hint}")
    bare = PLACEHOLDER.findall(OPTIONAL.sub("", template))
    found += [
        f"{{{name}}} is not known of every order. Put the part of the sentence with it in brackets: [… {{{name}}}]."
        for name in dict.fromkeys(bare)
        if name in allowed and not allowed[name].always
    ]
    return found

"""Which language a text is read aloud in, by its letters: for names and notes that others wrote."""

import re
from functools import lru_cache

from markupsafe import Markup

TEXTS_KEPT = 4_096  # names of services, categories and people, said again and again
# Language → the letters of its script. Of languages that share a script the one that most people write in it.
SCRIPTS = {
    language: re.compile(f"[{letters}]")
    for language, letters in {
        "ja": "\u3040-\u30ff\uff66-\uff9f",
        "zh": "\u3400-\u9fff\uf900-\ufaff",
        "ko": "\u1100-\u11ff\u3130-\u318f\uac00-\ud7af",
        "ar": "\u0600-\u06ff\u0750-\u077f\ufb50-\ufdff\ufe70-\ufefc",
        "he": "\u0590-\u05ff\ufb1d-\ufb4f",
        "el": "\u0370-\u03ff\u1f00-\u1fff",
        "ru": "\u0400-\u04ff",
        "hy": "\u0530-\u058f",
        "ka": "\u10a0-\u10ff",
        "hi": "\u0900-\u097f",
        "bn": "\u0980-\u09ff",
        "th": "\u0e00-\u0e7f",
    }.items()
}


@lru_cache(maxsize=TEXTS_KEPT)
def language_of(text: str) -> str:
    """The code of the language that most of the text's letters are of; "" for Latin ones and where none are most.

    A voice of the right language reads the whole text, so a single foreign word in an English name changes nothing.
    """
    if text.isascii():
        return ""
    letters = sum(map(str.isalpha, text))
    counts = {language: len(script.findall(text)) for language, script in SCRIPTS.items()}
    if counts["ja"]:  # Japanese has both kinds
        counts["ja"] += counts["zh"]
    return next((language for language, count in counts.items() if 2 * count > letters), "")


def lang_attribute(text: object) -> Markup:
    """` lang="el"` for a text in another script, else nothing."""
    language = language_of(str(text))
    return Markup(' lang="{}"').format(language) if language else Markup()


def apart(text: object, cls: str = "") -> Markup:
    """A text of somebody else's, kept from moving what stands around it and told in its own language."""
    name = Markup(' class="{}"').format(cls) if cls else ""
    return Markup("<bdi{}{}>{}</bdi>").format(name, lang_attribute(text), text)

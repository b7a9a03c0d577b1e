"""Whether a text shows anything: upstream and chats send letters that are blank on every screen."""

import unicodedata

BLANK_LETTERS = frozenset("\u115f\u1160\u2800\u3164\uffa0")  # letters and signs by their category, drawn as nothing


def visible(text: str) -> str:
    """The text without blanks around it; "" if nothing of it can be seen."""
    text = text.strip()
    if text.isascii() and text.isprintable():  # as nearly all are
        return text
    # Letters, numbers, punctuation and signs are drawn; marks, separators, formats and controls are not, or not alone.
    seen = (sign not in BLANK_LETTERS and unicodedata.category(sign)[0] in "LNPS" for sign in text)
    return text if any(seen) else ""

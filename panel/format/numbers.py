"""Numbers in the reader's own format. What is stored, sent, exported or logged does not go through here."""

import re
import unicodedata
from contextvars import ContextVar
from decimal import Decimal, InvalidOperation

# Each format by an example of it, as an account keeps it: what it puts in place of the comma, and of the point.
# None of these spaces breaks a line, and no program takes Switzerland's mark for a quotation mark.
MARKS_OF = {"1,234.56": ",.", "1.234,56": ".,", "1 234,56": "\u202f,", "1'234.56": "’."}
PLAIN = "1,234.56"
TABLES = {name: str.maketrans(",.", marks) for name, marks in MARKS_OF.items() if name != PLAIN}

# The reader's, set by panel/format/locale.py. None is plain, so that most people's pages cost nothing more.
MARKS: ContextVar[dict[int, int] | None] = ContextVar("marks", default=None)

# Groups of three, all separated by the same mark; anything else might be a fraction. Python's \s knows all the spaces.
GROUPED = re.compile(r"[0-9]{1,3}(?:([,.'’\s])[0-9]{3})(?:\1[0-9]{3})*")
# What people put before decimals → an amount so written, with groups of three or without. A group begins with no zero.
TYPED = {
    ".": re.compile(r"([0-9]+|[1-9][0-9]{0,2}(?:([,'’\s])[0-9]{3})(?:\2[0-9]{3})*)?(?:\.([0-9]*))?"),
    ",": re.compile(r"([0-9]+|[1-9][0-9]{0,2}(?:([.'’\s])[0-9]{3})(?:\2[0-9]{3})*)?(?:,([0-9]*))?"),
}
TYPED_CHARACTERS = 60  # of an amount that is read


def number(n: int) -> str:
    """A whole number as the reader writes it: `12,480`."""
    return marked(f"{n:,}")


def decimal(n: float | Decimal, places: int) -> str:
    """A number rounded to so many decimal places, as the reader writes it: `1,248.5`."""
    return marked(f"{n:,.{places}f}")


def marked(plain: str) -> str:
    """A number that Python wrote as `1,234.56`, with the reader's marks in place of comma and point."""
    marks = MARKS.get()
    return plain.translate(marks) if marks else plain


def digits_of(typed: str) -> str:
    """The digits of a whole number that was typed in any of the formats. Any other text is returned stripped."""
    typed = typed.strip()
    return re.sub(r"[^0-9]", "", typed) if GROUPED.fullmatch(typed) else typed


def amounts_of(typed: str) -> list[Decimal]:
    """Every amount that a typed text may mean: `1.234,56` means one, `1,234` two, and `12,34,5` none.

    A lone point before three digits means decimals for readers who write decimals so, as addresses do.
    """
    text = unicodedata.normalize("NFKC", typed).strip()
    if len(text) > TYPED_CHARACTERS:
        return []
    fitting = {point: match for point, pattern in TYPED.items() if (match := pattern.fullmatch(text))}
    amounts = {
        point: Decimal(f"{re.sub('[^0-9]', '', match[1] or '')}.{match[3] or ''}")
        for point, match in fitting.items()
        if match[1] or match[3]
    }
    writes_points = marked(".") == "."
    if writes_points and fitting.get(".") and not fitting["."][2] and "." in amounts:
        return [amounts["."]]
    return list(dict.fromkeys(amounts.values())) or _number_of(text)


def _number_of(text: str) -> list[Decimal]:
    """The number that a program wrote, such as `1e3`; none if it is no finite number."""
    try:
        amount = Decimal(text)
    except InvalidOperation:
        return []
    return [amount] if amount.is_finite() else []

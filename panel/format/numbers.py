"""Numbers as the one who reads writes them. What is stored, sent, exported or logged is written for nobody."""

import re
from contextvars import ContextVar
from decimal import Decimal

# By how one thousand and a half looks, as an account keeps it: what stands for the comma, and for the point.
# No space of these breaks a line, and Switzerland's mark is no quotation mark of a program.
MARKS_OF = {"1,234.56": ",.", "1.234,56": ".,", "1 234,56": "\u202f,", "1'234.56": "’."}
PLAIN = "1,234.56"
TABLES = {name: str.maketrans(",.", marks) for name, marks in MARKS_OF.items() if name != PLAIN}

# Of the reader, set by panel/format/locale.py; None is plain, so that most people's pages cost nothing more.
MARKS: ContextVar[dict[int, int] | None] = ContextVar("marks", default=None)

# Groups of three, all apart by the same mark; anything else might be a fraction. Python's \s knows all the spaces.
GROUPED = re.compile(r"[0-9]{1,3}(?:([,.'’\s])[0-9]{3})(?:\1[0-9]{3})*")


def number(n: int) -> str:
    """`12,480`."""
    marks = MARKS.get()
    return f"{n:,}".translate(marks) if marks else f"{n:,}"


def decimal(n: float | Decimal, places: int) -> str:
    """`1,248.5`, rounded to `places`."""
    return marked(f"{n:,.{places}f}")


def marked(plain: str) -> str:
    """A number as Python writes it, with the reader's marks."""
    marks = MARKS.get()
    return plain.translate(marks) if marks else plain


def digits_of(typed: str) -> str:
    """The digits of a whole number as people type one, in any of the formats; what is none comes back as it was."""
    typed = typed.strip()
    return re.sub(r"[^0-9]", "", typed) if GROUPED.fullmatch(typed) else typed

"""What a hostile request carries: numbers beyond 64 bits, texts too long for a pattern, dates outside the calendar."""

import uuid
from random import Random

from tests.hostile import HOSTILE

BITS = (31, 32, 53, 63, 64, 128)
NUMBERS = (
    *(str(sign * 2**bits + step) for bits in BITS for sign in (1, -1) for step in (-1, 0, 1)),
    "9" * 18, "9" * 19, "9" * 20, "9" * 400, "9" * 4300, "9" * 4301, "9" * 60_000, "0" * 60_000 + "1", "-" + "9" * 20,
    "1e18", "1e19", "1e400", "-1e400", "1e-400", "1e999999999", "9" * 20 + ".5", "0." + "3" * 400, "NaN", "sNaN",
    "Infinity", "-Infinity", "1_000", "0x7f", "١٢٣", "１２３", "²", "½", "+1", " 1 ", "1,5", "1 000", "-0",
    "00", "--1", "1-", "1.", ".1", ".", "-", "1e", "True", "None", "null", "-NaN",
)  # fmt: skip
DATES = (
    "0000-00-00", "0000-01-01", "0001-01-01", "9999-12-31", "10000-01-01", "99999999999999999999-01-01", "2026-02-30",
    "2026-13-01", "-2026-01-01", "2026-01-01T00:00:00", "9999-12-31 23:59:59.999999+14:00", "00010101", "99991231",
    "0001-01-01 00:00:00-14:00", "9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+23:59", "2026-W01-1", "0001-W01-1",
    "9999-W52-7", "20260101", "today", "24:00", "99:99:99", "P1D", "-999999999 00:00:00", "999999999999 days",
    "2026-03-29 02:30:00", "23:59:60", "2026-01-01,0001-01-01", "9999", "10000", "0", "-1",
)  # fmt: skip
PATTERNS = (
    "x" * 60_000, "%" * 60_000, "_" * 60_000, "\\" * 60_000, "'" * 60_000, '"' * 60_000, "é" * 60_000, "x " * 30_000,
    "'x ' " * 9_000, '"' + "x " * 30_000, "1," * 30_000, "1:1," * 15_000, "," * 60_000, "🦩" * 20_000, "[" * 60_000,
    "(" * 20_000, "(", ")", "*", "[", "\\", "(?P<", "(?P<a", "a{99999999}", "(?<=a+)", "(a+)+$", "[[:foo:]]", "\\1",
    "(?i", "x{2,1}", "%", "%%", "[]", "{", "}", "[[" * 5_000, '{"a":' * 5_000, '{"a": NaN}', '"\\ud800"', '["\\u0000"]',
    "{}", "[1]", '""', "0", "id=1", "a=" * 3_000, "a=1&" * 900, "a=1&" * 3_000, "q=" + "x" * 60_000,
)  # fmt: skip
LETTERS = ("\0", "a\0b", "\0" * 300, "\ufeff", "\ud7ff", "\u2028", "\r\nX-Evil: 1", "\x1b[31m", "\x7f", "")
# As they stand in an address: these are no text before they are read.
RAW = ("%", "%0", "%00", "%FF", "%ED%A0%80", "%C0%80", "%F4%90%80%80", "%u0041", "+", "%2B", "%2F..%2F", "%252e", ";a")
# What passes a check, so that the rest of the request comes further.
SENSIBLE = (
    "1", "2", "100", "me", "live", "look", "completed", "review", "refill", "cancel", "all", "yes", "on", "now", "csv",
    "accepted", "held", "released", "nobody", "by-itself", "instagram", "2026-11-01", "7.5", "dearest", "status", "id",
    "https://instagram.com/lumen.studio", "ord_1", "balance", "Europe/Berlin", "dark", "50", "1.0", "-1", "0", "true",
    "False", "id__exact=1", "1,2,3", "2026-11-01,2026-11-02", "%Y", "pk", "changelist", "xlsx",
)  # fmt: skip
KINDS: tuple[tuple[str, ...], ...] = (NUMBERS, NUMBERS, DATES, PATTERNS, LETTERS, HOSTILE, SENSIBLE, SENSIBLE, ())


def value(random: Random) -> str:
    """A text for a field, of each kind about as often; the empty kind stands for any letters at all."""
    kind = random.choice(KINDS)
    if not kind:
        return random.choice((str(uuid.UUID(int=random.getrandbits(128))), "".join(_letter(random) for _ in range(9))))
    text = random.choice(kind)
    return text if random.random() < 0.8 else random.choice((" ", "-", "'", "0", "\n")) + text


def _letter(random: Random) -> str:
    letter = chr(random.randrange(random.choice((0x80, 0x3000, 0x110000))))
    return "x" if "\ud800" <= letter <= "\udfff" else letter

"""Money as people read it, or kept from them. Amounts are always Decimals, never floats.

Some people may not see what the desk pays. Pages leave amounts out for them: they ask `sees_money()`. What a page
forgot still tells nothing: `money` writes HIDDEN in place of each amount, and `without_amounts` does so within a text.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from decimal import ROUND_HALF_UP, Decimal

from panel.format.numbers import marked

CENT = Decimal("0.01")
STORED = Decimal("0.000001")  # what a column of money keeps; upstream's own amounts have at most five decimals
UNITS_PER_RATE = 1000  # a rate is USD per 1000 units
HIDDEN = "hidden"  # in place of an amount, for who may not see any
# In words of upstream's: amounts with a currency or with decimals, and the fields of an answer that hold money.
AMOUNT = re.compile(
    r"[−-]?(?:[$€£¥]\s?\d[\d.,]*|\b\d[\d,]*(?:\.\d+)?\s?(?:USD|EUR|GBP|INR|RUB|TRY|BRL)\b"
    r"|\b\d[\d,]*\.\d+\b|\b\d+,\d{1,2}\b)"
)
MONEY_FIELD = re.compile(
    r"""(["'](?:charge|rate|balance|price|cost|amount|currency)["']\s*:\s*)("[^"]*"?|'[^']*'?|[^,}\]]*)"""
)
DOLLARS = ("", "USD")  # an amount that names no currency is in dollars, as rates are


def is_dollars(currency: str) -> bool:
    """Whether amounts in this currency may be added up with rates, which are in US dollars."""
    return currency in DOLLARS


def stored(amount: Decimal) -> Decimal:
    """The amount rounded as a database column keeps it, so that it can be compared with what is read back."""
    return amount.quantize(STORED, ROUND_HALF_UP)


def money(amount: Decimal | None, currency: str = "USD") -> str:
    """The amount as the reader writes it: `$1,234.50`, `1,234.50 EUR`, `$0.0042` below a cent, `–` for None."""
    if not sees_money():
        return HIDDEN
    if amount is None:
        return "–"
    rounded = amount.quantize(CENT, ROUND_HALF_UP)
    if amount != rounded and abs(amount) < 1:
        rounded = amount.normalize()
    sign = "−" if amount < 0 else ""
    figure = marked(f"{abs(rounded):,f}")
    return f"{sign}${figure}" if is_dollars(currency) else f"{sign}{figure} {currency}"


# ── Kept from who may not see it ─────────────────────────────────────────────────────────────────
_SEEN: ContextVar[bool] = ContextVar("money is seen", default=True)


@contextmanager
def money_seen(seen: bool) -> Iterator[None]:
    """Inside, amounts are written for a person who may see them, or may not."""
    before = _SEEN.set(seen)
    try:
        yield
    finally:
        _SEEN.reset(before)


def sees_money() -> bool:
    """Whether amounts may be written for this reader."""
    return _SEEN.get()


def without_amounts(text: str) -> str:
    """A text that is not ours, with HIDDEN in place of each amount, if this reader may see none; else as it is."""
    if sees_money() or not text:
        return text
    return AMOUNT.sub(HIDDEN, MONEY_FIELD.sub(rf"\g<1>{HIDDEN}", text))

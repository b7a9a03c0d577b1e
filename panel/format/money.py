"""Money as people read it. Amounts are Decimals all the way; a float never holds any."""

from decimal import ROUND_HALF_UP, Decimal

from panel.format.numbers import marked

CENT = Decimal("0.01")
STORED = Decimal("0.000001")  # what a column of money keeps; upstream's own amounts have at most five decimals
UNITS_PER_RATE = 1000  # a rate is USD per 1000 units
DOLLARS = ("", "USD")  # an amount that names no currency is in dollars, as rates are


def is_dollars(currency: str) -> bool:
    """Whether amounts in this currency may be added up with rates, which are in US dollars."""
    return currency in DOLLARS


def stored(amount: Decimal) -> Decimal:
    """As a column will give it back, so that what was read can be compared with what was written."""
    return amount.quantize(STORED, ROUND_HALF_UP)


def money(amount: Decimal | None, currency: str = "USD") -> str:
    """`$1,234.50`; below a cent as many digits as it has (`$0.0042`); other currencies by their letters.

    With the marks of whoever reads it.
    """
    if amount is None:
        return "–"
    shown = amount.quantize(CENT, ROUND_HALF_UP)
    if amount != shown and abs(amount) < 1:
        shown = amount.normalize()
    sign = "−" if amount < 0 else ""
    figure = marked(f"{abs(shown):,f}")
    return f"{sign}${figure}" if is_dollars(currency) else f"{sign}{figure} {currency}"

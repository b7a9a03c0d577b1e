"""Money as people read it. Amounts are always Decimals, never floats."""

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
    """The amount rounded as a database column keeps it, so that it can be compared with what is read back."""
    return amount.quantize(STORED, ROUND_HALF_UP)


def money(amount: Decimal | None, currency: str = "USD") -> str:
    """The amount as the reader writes it: `$1,234.50`, `1,234.50 EUR`, `$0.0042` below a cent, `–` for None."""
    if amount is None:
        return "–"
    rounded = amount.quantize(CENT, ROUND_HALF_UP)
    if amount != rounded and abs(amount) < 1:
        rounded = amount.normalize()
    sign = "−" if amount < 0 else ""
    figure = marked(f"{abs(rounded):,f}")
    return f"{sign}${figure}" if is_dollars(currency) else f"{sign}{figure} {currency}"

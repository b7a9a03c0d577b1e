"""What an order costs: exact money, counted in whole hundred-thousandths of a dollar."""

from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

UNITS_PER_USD = 100_000  # five decimals: a rate of "0.90" for one single unit is still 0.0009 USD
RATE_IS_PER = 1000  # the trade prices a thousand units; a Package is priced whole
LARGEST_USD = Decimal(10**12)  # keeps every sum inside SQLite's 64-bit integers
CURRENCY = "USD"


def units(usd: str) -> int:
    """`"0.50"` as 50000 units; raises ValueError when it is not a finite amount of money."""
    try:
        amount = Decimal(usd)
    except InvalidOperation:
        amount = Decimal("NaN")
    if not amount.is_finite() or abs(amount) > LARGEST_USD:
        raise ValueError(f"{usd!r} is not an amount of money")
    return _rounded(amount)


def shown(amount: int) -> str:
    """50000 units as `"0.50"`: at least two decimals, more only when they say something."""
    whole, _, fraction = f"{Decimal(amount) / UNITS_PER_USD:.5f}".partition(".")
    return f"{whole}.{fraction.rstrip('0').ljust(2, '0')}"


def charge(rate: str, quantity: int, *, package: bool, percent_off: int = 0) -> int:
    """Units owed for a quantity over all runs: rate × quantity ÷ 1000, or rate × quantity for a package."""
    usd = Decimal(rate) * quantity / (1 if package else RATE_IS_PER)
    return _rounded(usd * (100 - percent_off) / 100)


def _rounded(usd: Decimal) -> int:
    """Units; half a unit rounds up."""
    return int((usd * UNITS_PER_USD).to_integral_value(ROUND_HALF_UP))

"""Reads what stands in an address; people and machines put anything there."""

MOST_DIGITS = 18  # fits every database's 64-bit integer


def number(text: str | None) -> int:
    """A whole number ≥ 0; 0 for anything else."""
    return int(text) if text and text.isascii() and text.isdecimal() and len(text) <= MOST_DIGITS else 0


MOST_COUNTED = 100  # shown as 99+; counting further would cost without telling more

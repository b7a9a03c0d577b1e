"""Reads what stands in an address; people and machines put anything there."""

NUMBER_DIGITS = 18  # fits every database's 64-bit integer


def read_number(text: str | None) -> int:
    """A whole number ≥ 0; 0 for anything else."""
    return int(text) if text and text.isascii() and text.isdecimal() and len(text) <= NUMBER_DIGITS else 0


COUNTED_ROWS = 100  # shown as 99+; counting further would cost without telling more

"""Reads parameters of addresses, which may hold anything."""

NUMBER_DIGITS = 18  # fits every database's 64-bit integer
LARGEST_ID = 2**63 - 1  # of any row: ids have 64 bits
COUNTED_ROWS = 100  # shown as 99+; counting further would cost more and tell nothing more


def read_number(text: str | None) -> int:
    """A whole number ≥ 0; 0 for anything else."""
    return int(text) if text and text.isascii() and text.isdecimal() and len(text) <= NUMBER_DIGITS else 0

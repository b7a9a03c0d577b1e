"""Cells of the tables that leave the desk: text that no spreadsheet runs."""

FORMULAS = tuple("=+-@\t\r\n＝＋－＠")  # what a cell that is run begins with; some read full-width letters too


def safe(text: str) -> str:
    """As text for every spreadsheet: what begins like a formula would be run there."""
    return f"'{text}" if text.startswith(FORMULAS) else text

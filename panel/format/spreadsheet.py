"""Cells of the tables that people download: text that no spreadsheet runs."""

FORMULAS = tuple("=+-@\t\r\n＝＋－＠")  # how a cell begins that is run; some spreadsheets read full-width letters too


def safe(text: str) -> str:
    """The text with an apostrophe in front if a spreadsheet would run it as a formula."""
    return f"'{text}" if text.startswith(FORMULAS) else text

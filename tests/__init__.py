"""The desk's tests, in folders that mirror its rooms."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent  # of the repository

"""What only SQLite needs: waiting briefly where a page must not wait long."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

PATIENCE = 200  # ms that a page waits for its turn to write on SQLite; then it goes without


@contextmanager
def brief_wait() -> Iterator[None]:
    """On SQLite all writers wait for one another, for as long as the settings say; a page must not."""
    if connection.vendor != "sqlite":
        yield
        return
    usual = round(connection.settings_dict["OPTIONS"]["timeout"] * 1000)
    with connection.cursor() as cursor:
        cursor.execute(f"PRAGMA busy_timeout = {PATIENCE}")
        try:
            yield
        finally:
            cursor.execute(f"PRAGMA busy_timeout = {usual}")

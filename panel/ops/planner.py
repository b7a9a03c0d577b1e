"""Keeps the numbers by which SQLite chooses its indexes. PostgreSQL's autovacuum does it by itself.

No query of ours depends on them: each leaves a planner no wrong choice, with them and without.
"""

from typing import Any

from django.db import connections

PLANNER_EVERY_SECONDS = 24 * 3600
ANALYSED_ROWS = 400  # of each index, so that it takes some milliseconds whatever the size of the tables


def update_planner(using: str = "default", **_: Any) -> None:
    """Has SQLite look at its indexes. Once a day by a worker, and as a receiver of `post_migrate`."""
    connection = connections[using]
    if connection.vendor != "sqlite":
        return
    with connection.cursor() as cursor:
        cursor.execute(f"PRAGMA analysis_limit = {ANALYSED_ROWS}")
        # What `PRAGMA optimize` runs, for the tables that it finds worth it. Until SQLite 3.46 it looks only at tables
        # that the same connection has queried, and a new one has queried none.
        cursor.execute("ANALYZE")
        cursor.execute("PRAGMA optimize")

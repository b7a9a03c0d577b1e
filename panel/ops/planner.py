"""Keeps the numbers by which SQLite chooses its indexes. PostgreSQL's autovacuum does it by itself.

No query of ours needs them, but old ones of a small table do harm: told that it holds three rows, SQLite reads all of
it, also when it has grown. So of a small table none are kept, and SQLite plans as for a large one.
"""

from typing import Any

from django.db import connections

PLANNER_EVERY_SECONDS = 24 * 3600
ANALYSED_ROWS = 400  # of each index, so that it takes some milliseconds whatever the size of the tables
SMALL_ROWS = 10_000
FORGET_SMALL = """
    DELETE FROM sqlite_stat1 WHERE tbl IN (
        SELECT tbl FROM sqlite_stat1 GROUP BY tbl HAVING max(CAST(stat AS INTEGER)) < %s
    )
"""


def update_planner(using: str = "default", **_: Any) -> None:
    """Has SQLite look at its indexes. Once a day by a worker, and as a receiver of `post_migrate`."""
    connection = connections[using]
    if connection.vendor != "sqlite":
        return
    with connection.cursor() as cursor:
        cursor.execute(f"PRAGMA analysis_limit = {ANALYSED_ROWS}")
        # What `PRAGMA optimize` runs for the tables that it finds worth it; which small ones always are.
        cursor.execute("ANALYZE")
        cursor.execute(FORGET_SMALL, [SMALL_ROWS])
        cursor.execute("ANALYZE sqlite_master")  # only has this connection read what is left

"""How many orders stand at each status: lines that triggers append and the worker sums up (search_index.py)."""

import json
from collections import Counter

from django.db import connection, models

# All lines as one JSON text, so that a page gets them within a query that it makes anyway. By their ids: where many
# lines were made few, PostgreSQL's table stays long, and only the index knows where those are.
ALL_LINES = {
    "sqlite": """SELECT json_group_array(json_array(status, "by")) FROM orders_tally WHERE id > 0""",
    "postgresql": """SELECT json_agg(json_build_array(status, "by"))::text FROM orders_tally WHERE id > 0""",
}


def all_lines() -> models.expressions.RawSQL:
    """For `counts_of`, as a part of another query."""
    return models.expressions.RawSQL(ALL_LINES[connection.vendor], [], output_field=models.TextField())  # noqa: S611


def counts_of(lines: str | None) -> Counter[str]:
    """Status → how many orders stand there now."""
    counts: Counter[str] = Counter()
    for status, by in json.loads(lines or "[]"):
        counts[status] += by
    return +counts

"""Pages of rows by keyset: never an offset, never a count of everything."""

from typing import TypeVar

from django.db.models import Model, QuerySet

Row = TypeVar("Row", bound=Model)


def one_more(queryset: QuerySet[Row], rows: int) -> tuple[list[Row], bool]:
    """The first rows of a query, and whether there are more: one row more is read than shown."""
    found = list(queryset[: rows + 1])
    return found[:rows], len(found) > rows

"""Pages of rows by keyset: no offset, and no count of everything."""

from typing import TypeVar

from django.db.models import Model, QuerySet

Row = TypeVar("Row", bound=Model)


def one_more(queryset: QuerySet[Row], rows: int) -> tuple[list[Row], bool]:
    """The first `rows` rows of a query, and whether there are more: it reads one row more than are shown."""
    read = list(queryset[: rows + 1])
    return read[:rows], len(read) > rows

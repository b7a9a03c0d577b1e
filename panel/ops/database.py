"""What every room does alike with the database: tables of one row, batches of ids, brief waits."""

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property, lru_cache, reduce
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from django.core.exceptions import EmptyResultSet
from django.db import DatabaseError, connection, models, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

log = logging.getLogger(__name__)

ONLY_ROW = 1  # the primary key of a table with one row
BRIEF_WAIT_MILLISECONDS = 200  # how long a page waits for its turn to write on SQLite; then it goes without

PAGE_WAIT_MILLISECONDS = 20_000  # how long a page waits for a lock on PostgreSQL: as the settings say it for SQLite

CONVERTED_VALUES = 1_000  # kept of each column that Django converts: times, amounts and UUIDs on SQLite

T = TypeVar("T")
Row = TypeVar("Row", bound=models.Model)


def only_row(model: type[Row], **fields: object) -> "models.QuerySet[Row]":
    """The only row of a table, as a queryset, so that each change is one statement. Made with `fields` if missing."""
    model._default_manager.bulk_create([model(pk=ONLY_ROW, **fields)], ignore_conflicts=True)
    return model._default_manager.filter(pk=ONLY_ROW)


class Select:
    """What a query reads: its columns and the tables joined for them, compiled once in a process.

    Django takes longer to compile forty columns than a database to read them of fifty rows.
    """

    def __init__(self, model: type[models.Model], *names: str) -> None:
        self.model, self.names = model, names

    @cached_property
    def compiled(self) -> tuple[str, list[tuple[int, Callable[[Any], Any]]]]:
        """The SQL that the conditions follow; and for each place in a row whose value is converted, how.

        Converted values are kept: the same rows are read again and again.
        """
        compiler = self._compiler(self.model._default_manager.order_by(), *self.names)
        sql, _ = compiler.as_sql()
        converters = compiler.get_converters([column for column, *_ in compiler.select])
        return sql, [(place, _converter(*of_place)) for place, of_place in converters.items()]

    def where(self, sql: str, params: Sequence[Any]) -> list[tuple[Any, ...]]:
        """The rows that meet a condition, which is in our own words and names each column with its table."""
        return self._rows(f" WHERE {sql}", params)

    def of(
        self, queryset: "models.QuerySet[Any, Any]", also: "models.QuerySet[Any, Any] | None" = None
    ) -> list[tuple[Any, ...]]:
        """The rows of a queryset that joins no other table: what its `values_list(*names)` is.

        With `also` each row ends with the only value that this other queryset gives, or None.
        """
        # Of a column that nothing is sorted by: where it is selected, Django sorts by its position.
        try:
            conditions, params = self._conditions(queryset)
        except EmptyResultSet:
            return []
        if also is None:
            return self._rows(conditions, params)
        try:
            value, of_value = also.query.get_compiler(connection=connection).as_sql()
        except EmptyResultSet:
            value, of_value = "NULL", ()
        return self._rows(conditions, [*of_value, *params], f", ({value})")

    def _conditions(self, queryset: "models.QuerySet[Any, Any]") -> tuple[str, Sequence[Any]]:
        sql, params = self._compiler(queryset, self.names[-1].partition("__")[0]).as_sql()
        if len(queryset.query.alias_map) > 1:
            raise ValueError("The queryset joins a table by itself.")
        return sql.partition(self._from)[2], params

    @property
    def _from(self) -> str:
        return f" FROM {connection.ops.quote_name(self.model._meta.db_table)}"

    def _compiler(self, queryset: "models.QuerySet[Any, Any]", *names: str) -> Any:
        return queryset.values_list(*names).query.get_compiler(connection=connection)

    def _rows(self, conditions: str, params: Sequence[Any], column: str = "") -> list[tuple[Any, ...]]:
        sql, converters = self.compiled
        with connection.cursor() as cursor:
            cursor.execute((sql.replace(self._from, column + self._from, 1) if column else sql) + conditions, params)
            rows = cursor.fetchall()
        return [_converted(row, converters) for row in rows] if converters else rows


def _converter(functions: list[Any], column: Any) -> Callable[[Any], Any]:
    return lru_cache(CONVERTED_VALUES, typed=True)(
        lambda value: reduce(lambda so_far, convert: convert(so_far, column, connection), functions, value)
    )


def _converted(row: Sequence[Any], converters: list[tuple[int, Callable[[Any], Any]]]) -> tuple[Any, ...]:
    values = list(row)
    for place, convert in converters:
        values[place] = convert(values[place])
    return tuple(values)


def batches(things: Iterable[T], size: int) -> Iterator[list[T]]:
    """All the things, at most `size` in each list: a database takes only so many values in one statement."""
    rest = iter(things)
    while batch := list(islice(rest, size)):
        yield batch


@contextmanager
def brief_wait(milliseconds: int = BRIEF_WAIT_MILLISECONDS) -> Iterator[None]:
    """Inside, a write gives up after so many milliseconds: on SQLite all writers queue, and a page must not."""
    if connection.vendor != "sqlite":
        yield
        return
    usual_milliseconds = round(connection.settings_dict["OPTIONS"]["timeout"] * 1000)
    with connection.cursor() as cursor:
        cursor.execute(f"PRAGMA busy_timeout = {milliseconds}")
        try:
            yield
        finally:
            cursor.execute(f"PRAGMA busy_timeout = {usual_milliseconds}")


def wait_no_longer(connection: Any, **signal: object) -> None:
    """Lets this new connection of a process that serves pages wait for a lock for PAGE_WAIT_MILLISECONDS at most.

    Without a limit PostgreSQL waits for ever, and with it the person and the thread.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"SET lock_timeout = {PAGE_WAIT_MILLISECONDS}")


def keep_open() -> BaseDatabaseWrapper:
    """A connection for as long as this process lives, which keeps the files that SQLite has beside its own.

    SQLite removes them with the last connection, and on a full disk it could not make them again, not even to read.
    """
    kept = connection.copy()
    if kept.vendor == "sqlite":
        try:
            with kept.cursor() as cursor:
                cursor.execute("SELECT COUNT(*) FROM sqlite_master")
        except DatabaseError as error:  # each page will say so
            log.warning("the database cannot be read: %s", error)
    return kept


def database_mark() -> str:
    """A text that stays with this database and does not go with a copy of it; "" where there is no telling.

    SQLite: the file's number on its disk. PostgreSQL: the cluster's own number, and the database's in it.
    """
    if connection.vendor == "sqlite":
        try:
            return f"file {Path(connection.settings_dict['NAME']).stat().st_ino}"
        except OSError:  # in memory
            return ""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                "SELECT system_identifier, oid FROM pg_control_system(), pg_database WHERE datname = current_database()"
            )
            return "cluster {}, database {}".format(*cursor.fetchone())
    except DatabaseError:  # its owner may keep the cluster's number to themselves
        return ""

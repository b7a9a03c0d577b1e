"""What every room does alike with the database: tables of one row, queries compiled once, batches, brief waits."""

import logging
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import cached_property, lru_cache, reduce
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from django.core.exceptions import EmptyResultSet
from django.db import DEFAULT_DB_ALIAS, DatabaseError, connection, models, transaction
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


def literally(column: str, condition: str) -> models.Func:
    """A condition with its values written out: SQLite does not look into parameters to see that an index fits it."""
    return models.Func(models.F(column), template=f"%(expressions)s {condition}", output_field=models.BooleanField())


def all_true(*conditions: models.Expression) -> models.Func:
    """Conditions as one, of which PostgreSQL takes every second row to fit. So it reads a partial index of it in order.

    Of conditions that it cannot judge it expects few rows, and then collects all there are and sorts them.
    """
    template = "CASE WHEN %(expressions)s THEN TRUE ELSE FALSE END"
    return models.Func(*conditions, arg_joiner=" AND ", template=template, output_field=models.BooleanField())


def unindexed(path: str) -> models.Func:
    """A column of texts in words that no index has, so that planners take the index of another column."""
    return models.Func(models.F(path), template="%(expressions)s || ''", output_field=models.CharField())


class Given(models.Expression):
    """Stands in a queryset for a value that is given when it is asked; for a time also with a span added."""

    def __init__(self, name: str, shift: timedelta = timedelta()) -> None:
        super().__init__()
        self.name, self.shift = name, shift

    def __add__(self, other: Any) -> "Given":  # type: ignore[override]
        return Given(self.name, self.shift + other)

    def __sub__(self, other: Any) -> "Given":  # type: ignore[override]
        return Given(self.name, self.shift - other)

    def as_sql(self, *_: Any, **__: Any) -> Any:
        """A parameter, which `WhichExist` or `Select.prepared` fills in."""
        return "%s", [self]

    def value(self, given: Mapping[str, Any]) -> Any:
        """The value as the database's driver takes it."""
        value = given[self.name]
        return connection.ops.adapt_datetimefield_value(value + self.shift) if isinstance(value, datetime) else value


def filled_in(parameters: Iterable[Any], given: Mapping[str, Any]) -> list[Any]:
    """The parameters with the value of its name in place of each `Given`."""
    return [each.value(given) if isinstance(each, Given) else each for each in parameters]


class WhichExist:
    """Asks in one statement whether each of some querysets finds anything.

    Its SQL is made once. To make it anew for each question would take ten times as long as to answer it.
    """

    def __init__(self, querysets: "Iterable[models.QuerySet[Any]]") -> None:
        compiled = [rows.query.exists().sql_with_params() for rows in querysets]
        self._sql = f"SELECT {', '.join(f'EXISTS({sql})' for sql, _ in compiled)}"
        self._parameters = [parameter for _, parameters in compiled for parameter in parameters]

    def ask(self, **given: Any) -> list[bool]:
        """The answer for each queryset, where each `Given` has the value of its name."""
        with connection.cursor() as cursor:
            cursor.execute(self._sql, filled_in(self._parameters, given))
            return [bool(found) for found in cursor.fetchone()]


class Select:
    """What a query reads: its columns and the tables joined for them, compiled once in a process.

    Django takes longer to compile forty columns than a database to read them of fifty rows.
    """

    def __init__(self, model: type[models.Model], *names: str, **computed: Any) -> None:
        self.model, self.names, self.computed = model, (*names, *computed), computed

    @cached_property
    def compiled(self) -> tuple[str, tuple[Any, ...], list[tuple[int, Callable[[Any], Any]]]]:
        """The SQL that the conditions follow, with its values; and for each place in a row that is converted, how.

        Converted values are kept: the same rows are read again and again.
        """
        compiler = self._compiler(self.model._default_manager.order_by().annotate(**self.computed), *self.names)
        sql, params = compiler.as_sql()
        converters = compiler.get_converters([column for column, *_ in compiler.select])
        return sql, params, [(place, _converter(*of_place)) for place, of_place in converters.items()]

    def where(self, sql: str, params: Sequence[Any]) -> list[tuple[Any, ...]]:
        """The rows that meet a condition, which is in our own words and names each column with its table."""
        return self._rows(f" WHERE {sql}", params)

    def prepared(self, queryset: "models.QuerySet[Any, Any]") -> Callable[..., list[tuple[Any, ...]]]:
        """As `of`, for a queryset that is asked again and again: compiled now, asked with a value for each `Given`."""
        conditions, parameters = self._conditions(queryset)
        return lambda **given: self._rows(conditions, filled_in(parameters, given))

    def of(
        self,
        queryset: "models.QuerySet[Any, Any]",
        *,
        keys: Collection[int] | None = None,
        also: "models.QuerySet[Any, Any] | None" = None,
    ) -> list[tuple[Any, ...]]:
        """The rows of a queryset that joins no other table: what its `values_list(*names)` is.

        With `keys` only those of an unsorted queryset that have these keys: Django takes long to compile so many. With
        `also` each row ends with the only value that this other queryset gives, or None.
        """
        if keys is not None and not keys:
            return []
        # Of a column that nothing is sorted by: where it is selected, Django sorts by its position.
        try:
            conditions, params = self._conditions(queryset)
        except EmptyResultSet:
            return []
        if keys is not None:
            conditions += f" {'AND' if conditions else 'WHERE'} {self._key} IN ({marks(keys)})"
            params = [*params, *keys]
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
    def _key(self) -> str:
        return f"{quoted(self.model._meta.db_table)}.{quoted(str(self.model._meta.pk.column))}"

    @property
    def _from(self) -> str:
        return f" FROM {quoted(self.model._meta.db_table)}"

    def _compiler(self, queryset: "models.QuerySet[Any, Any]", *names: str) -> Any:
        return queryset.values_list(*names).query.get_compiler(connection=connection)

    def _rows(self, conditions: str, params: Sequence[Any], column: str = "") -> list[tuple[Any, ...]]:
        sql, own_params, converters = self.compiled
        sql = sql.replace(self._from, column + self._from, 1) if column else sql
        with connection.cursor() as cursor:
            cursor.execute(sql + conditions, [*own_params, *params])
            rows = cursor.fetchall()
        return [_converted(row, converters) for row in rows] if converters else rows


def prepared(queryset: "models.QuerySet[Row]") -> Callable[..., list[Row]]:
    """Reads whole rows of a queryset that is asked again and again: see `Select.prepared`."""
    model = queryset.model
    columns = [field.attname for field in model._meta.concrete_fields]
    ask = Select(model, *columns).prepared(queryset)
    return lambda **given: [model.from_db(DEFAULT_DB_ALIAS, columns, row) for row in ask(**given)]


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


def update_rows(rows: Sequence[models.Model], fields: Sequence[str]) -> None:
    """Saves these fields of these rows of one model in one statement. The caller holds their locks.

    Joins the table with a list of values: `bulk_update` would have each row look for its own among those of all.
    """
    if not rows:
        return
    options = rows[0]._meta
    columns: list[Any] = [options.pk, *map(options.get_field, fields)]
    names = [f"v{number}" for number in range(len(columns))]
    setters = [f"{quoted(str(field.column))} = {name}" for field, name in zip(columns, names, strict=True)]
    values = [field.get_db_prep_save(getattr(row, field.attname), connection) for row in rows for field in columns]
    marks = ["%s"] * len(columns)
    # PostgreSQL takes the types of all rows from the first. As plain text, one that is too long is refused and not cut.
    types = ["text" if type(field) is models.CharField else str(field.db_type(connection)) for field in columns]
    first = [f"%s::{kind}" for kind in types] if connection.vendor == "postgresql" else marks
    lists = ", ".join(f"({', '.join(each)})" for each in (first, *[marks] * (len(rows) - 1)))
    table = quoted(options.db_table)
    with connection.cursor() as cursor:
        cursor.execute(
            f"WITH new ({', '.join(names)}) AS (VALUES {lists}) "  # noqa: S608  names of columns and marks for values
            f"UPDATE {table} SET {', '.join(setters[1:])} FROM new WHERE {table}.{setters[0]}",
            values,
        )


def marks(values: Collection[object]) -> str:
    """A mark for each value, to stand between the parentheses of IN."""
    return ", ".join(["%s"] * len(values)) or "NULL"


def quoted(name: str) -> str:
    """A table's or column's name as the database reads it."""
    return connection.ops.quote_name(name)


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

    Without a limit PostgreSQL waits for ever, and with it the person and the thread. Nor does a page wait until a
    statement is compiled: for a report that takes 60 ms PostgreSQL did that for 300.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"SET lock_timeout = {PAGE_WAIT_MILLISECONDS}; SET jit = off")


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

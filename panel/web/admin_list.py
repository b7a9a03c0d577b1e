"""What one list of the admin is about: a bounded number of rows, which an index finds. Django does the rest in them.

So counts, filters, any order and searches for a text cost the same however large a table is. A page of such a list
says which rows it is about, and leads to older ones.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from django.contrib.admin import AllValuesFieldListFilter
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import ValidationError
from django.db.models import Model, QuerySet
from django.db.models.constants import LOOKUP_SEP
from django.db.models.expressions import Col
from django.db.models.sql.datastructures import BaseTable
from django.forms.models import BaseInlineFormSet
from django.http import HttpRequest

from panel.web.admin_groups import heading
from panel.web.paging import one_more

ROWS = 1_000  # that one list is about
INLINE_ROWS = 50  # of another record, on a record's page
BEFORE = "before"  # the parameter with the id that a list of older rows begins below


class RowsOf(BaseTable):
    """Rows of a table that another query finds. Its LIMIT keeps planners from looking at the rest of the table."""

    rows: "QuerySet[Any]"

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, Any]:
        """The query in place of the table's name."""
        sql, values = self.rows.query.get_compiler(connection=connection).as_sql()
        return f"({sql}) {compiler.quote_name_unless_alias(self.table_alias)}", list(values)


def within(queryset: "QuerySet[Any]", rows: "QuerySet[Any]") -> "QuerySet[Any]":
    """The queryset, asked of nothing but `rows`: a query of the same model that ends with a LIMIT."""
    narrowed = queryset.all()
    alias = narrowed.query.get_initial_alias()
    table = RowsOf(narrowed.model._meta.db_table, alias)
    table.rows = rows
    narrowed.query.alias_map[alias] = table
    return narrowed


def newest(model: type[Model]) -> "QuerySet[Any]":
    """All rows of a table, the newest first, by its primary key."""
    return model._default_manager.order_by("-pk")


def ids_by(model: type[Model], path: str, text: str, rows: int) -> list[Any]:
    """The ids of the newest rows whose field, such as `task__order__id`, is exactly this: one query a table on the way.

    Every field on the way needs an index, and one to many rows an index that ends with the id.
    """
    name, _, rest = path.partition(LOOKUP_SEP)
    field: Any = model._meta.get_field(name)
    values = ids_by(field.related_model, rest, text, rows) if rest else values_of(field, text)
    found = newest(model).filter(**{f"{name}__in": values}).values_list("pk", flat=True)[:rows]
    return list(found) if values else []


def values_of(field: Any, text: str) -> list[Any]:
    """A typed text as values that the field may have; none if it can have no such value."""
    while getattr(field, "remote_field", None):  # a record may share the id of the one that it belongs to
        field = field.target_field
    try:
        values = {field.to_python(letters) for letters in (text, text.lower())}
        for value in values:
            field.run_validators(value)
    except ValidationError:
        return []
    return [] if "\0" in text else list(values)


def index_lookup(queryset: "QuerySet[Any]") -> Any:
    """The filter of a query that narrows its table most by an index of the newest, or None: by id, else by a field."""
    model, where = queryset.model, queryset.query.where
    pk = model._meta.pk.name
    indexed = {
        index.fields[0]
        for index in model._meta.indexes
        if len(index.fields) > 1 and index.fields[1].lstrip("-") == pk and index.condition is None
    }
    by_field = None
    lookups: list[Any] = where.children if where.connector == "AND" and not where.negated else []
    for lookup in lookups:
        column = getattr(lookup, "lhs", None)
        if not isinstance(column, Col) or column.alias != queryset.query.base_table:
            continue
        if column.target.primary_key and lookup.lookup_name in ("exact", "in"):
            return lookup
        if column.target.name in indexed and lookup.lookup_name == "exact":
            by_field = by_field or lookup
    return by_field


class RecordList(ChangeList):
    """A list of at most as many rows as its admin says, the newest: of all, or of those that an index finds."""

    model_admin: Any  # a SturdyAdmin
    about = ""  # which rows it is about, in a sentence; empty: all that there are
    older = newest = ""  # addresses

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.title = heading(self.model)

    def get_filters_params(self, params: Any = None) -> Any:
        """Django's, without the parameter that only this list knows."""
        lookups = super().get_filters_params(params)
        lookups.pop(BEFORE, None)
        return lookups

    def get_ordering_field(self, field_name: Any) -> Any:
        """Django's, but a column of other records is in the order of their ids, so that none of them is read."""
        found = super().get_ordering_field(field_name)
        return next((field.attname for field in self.lookup_opts.concrete_fields if field.name == found), found)

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> "QuerySet[Any]":
        """Django's, within the rows that this list is about."""
        queryset = super().get_queryset(request, exclude_parameters)
        candidates = newest(self.model)
        if lookup := index_lookup(queryset):
            candidates.query.where.add(lookup, "AND")
        if before := self.params.get(BEFORE):
            ids = values_of(self.model._meta.pk, before)
            if not ids:
                raise IncorrectLookupParameters
            candidates = candidates.filter(pk__lt=ids[0])
        if exclude_parameters is None:
            self._describe(*one_more(candidates.values_list("pk", flat=True), self.model_admin.rows), bool(before))
        return within(queryset, candidates[: self.model_admin.rows])

    def _describe(self, ids: list[Any], more: bool, moved: bool) -> None:
        name = self.opts.verbose_name_plural
        if ids and (more or moved):
            which = f"{len(ids):,} {name}, from {ids[0]} down to {ids[-1]}"
            self.about = f"{'These are' if moved else 'These are the newest'} {which}."
        elif moved:
            self.about = f"There are no older {name}."
        self.older = self.get_query_string({BEFORE: ids[-1]}) if more else ""
        self.newest = self.get_query_string({BEFORE: None}) if moved else ""

    @property
    def finds_by_id(self) -> bool:
        """Whether its search finds a row by an exact id however old it is."""
        return any(name.startswith("=") for name in self.search_fields)

    @property
    def is_narrowed(self) -> bool:
        """Whether a search or a filter leaves rows out."""
        return bool(self.query or self.has_active_filters)

    def get_results(self, request: HttpRequest) -> None:
        """Django's, in two steps: only the rows that the page shows are joined with what they belong to."""
        super().get_results(request)
        ids = list(self.result_list.values_list("pk", flat=True))
        rows = self.apply_select_related(self.root_queryset.order_by()).in_bulk(ids)
        self.result_list = [rows[pk] for pk in ids if pk in rows]


class ValuesFilter(AllValuesFieldListFilter):
    """Filters by a field without fixed choices: offers what is known, and what the newest rows have."""

    known: Iterable[str] = ()
    words: Mapping[str, str] = {}  # value → what it is called, where its own letters say little

    def __init__(self, field: Any, request: Any, params: Any, model: Any, model_admin: Any, field_path: str) -> None:
        super().__init__(field, request, params, model, model_admin, field_path)
        rows = within(model._default_manager.order_by(), newest(model)[: model_admin.rows])
        seen = rows.values_list(field.name, flat=True).distinct()
        self.lookup_choices = sorted({*self.known, *seen})  # type: ignore[assignment]  # it is gone through

    @classmethod
    def of(cls, words: Mapping[str, str]) -> "type[ValuesFilter]":
        """Such a filter that offers these values always, each under its words."""
        return type(cls.__name__, (cls,), {"known": list(words), "words": words})

    def choices(self, changelist: Any) -> Iterator[Any]:
        """Django's, in words."""
        for choice in super().choices(changelist):
            value = str(choice["display"])
            yield {**choice, "display": self.words.get(value, value)}


class NewestFormSet(BaseInlineFormSet):  # type: ignore[type-arg]
    """The newest records that belong to another one."""

    def get_queryset(self) -> Any:
        """Django's, cut."""
        if not hasattr(self, "_newest"):
            self._newest = super().get_queryset().order_by("-pk")[:INLINE_ROWS]
        return self._newest

"""Admin pages for what machines write and for history: owners read and search it, nobody edits or deletes it."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from django.contrib import admin
from django.core.exceptions import BadRequest, FieldDoesNotExist
from django.db.models import DateField, JSONField, Model, Q, QuerySet
from django.db.models.constants import LOOKUP_SEP
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import smart_split, unescape_string_literal

from panel.web.admin_groups import INTERNALS, call_it
from panel.web.admin_list import ROWS, NewestFormSet, RecordList, ids_by, values_of

SEARCH_CHARACTERS = 200  # SQLite gives up on a pattern of 50 kB, or on a thousand words
YEARS = range(2, 9_999)  # that lie in the calendar in every time zone
YEARS_OF_DATES = re.compile(r"(?:^|,)\s*(\d{4})")
OUT_OF_RANGE = re.compile(r"\d{19}|^\s*[+-]?[\d.]+e[+-]?\d{3}", re.IGNORECASE)  # may be a number beyond 64 bits
# What may follow a field in an address. No patterns in a database's own language, and no range, which takes two values.
LOOKUP = re.compile(
    r"|((year|month|day|date)(__|$))?(exact|gt|gte|lt|lte)?"
    r"|iexact|in|isnull|contains|icontains|startswith|istartswith|endswith|iendswith"
)


def nobody_may(admin: object, request: HttpRequest, obj: object = None) -> bool:
    """False: in place of any of an admin's `has_…_permission`."""
    return False


def clipped(text: object) -> SafeString:
    """A long text in a narrow column; all of it is its title."""
    return format_html('<span class="clip" title="{}">{}</span>', text, text)


def leading(words: object, address: str) -> SafeString:
    """A link in a list or on a record's page."""
    return format_html('<a href="{}">{}</a>', address, words)


class SturdyAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """An admin page that answers whatever is pasted into its search or its address, however many rows there are."""

    rows = ROWS  # that its list is about
    show_full_result_count = False  # no second count over all rows
    group = INTERNALS  # of the admin's first page
    leads = False  # whether its list stands first in its group
    names: tuple[str, str] | None = None  # what one and many are called; None: as Django does
    field_names: Mapping[str, str] = {}  # field → what it is called, where its own name says little
    on_desk: Callable[[Any], str | None] | None = None  # the address of the desk's own page about a record, if any

    def __init__(self, model: type[Model], admin_site: admin.AdminSite) -> None:
        options = model._meta
        names = (str(options.verbose_name), str(options.verbose_name_plural))
        call_it(model, self.names or names, self.field_names)
        super().__init__(model, admin_site)

    def get_view_on_site_url(self, obj: Any = None) -> str | None:
        """The desk's own page about this record, or None."""
        if obj is None:
            return None
        if on_desk := type(self).on_desk:
            return on_desk(obj)
        return obj.get_absolute_url() if hasattr(obj, "get_absolute_url") else None

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[RecordList]:
        """The list that is about at most `rows` rows."""
        return RecordList

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """What has exactly this in one of the fields with a `=`, wherever it is; else what has these words.

        Words are looked for in the other fields, and only of the rows that the list is about.
        """
        typed, fields = search_term[:SEARCH_CHARACTERS].strip(), self.get_search_fields(request)
        if not typed:
            return queryset, False
        exact = [name[1:] for name in fields if name.startswith("=")]
        if ids := {pk for name in exact for pk in ids_by(self.model, name, typed, self.rows)}:
            return queryset.filter(pk__in=ids), False
        texts = [name for name in fields if not name.startswith("=")]
        for word in smart_split(typed):
            if word[0] in "'\"" and word[0] == word[-1] and len(word) > 1:
                word = unescape_string_literal(word)
            queryset = queryset.filter(Q.create([(f"{name}__icontains", word) for name in texts], Q.OR))
        return (queryset if texts else queryset.none()), False

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Whether the list may be filtered like this. Django answers a 400 where it may not."""
        return can_be_asked(self.model, lookup, value) and super().lookup_allowed(lookup, value, request)

    def to_field_allowed(self, request: HttpRequest, to_field: str) -> bool:
        """Django's answer; False for a relation that leads here, on which Django's own check breaks."""
        fields = {field.name for field in self.opts.concrete_fields}
        return to_field in fields and super().to_field_allowed(request, to_field)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Django's list, or a 400 for a NUL in the address, which PostgreSQL takes in no text."""
        if "%00" in request.META["QUERY_STRING"]:
            raise BadRequest("PostgreSQL takes no NUL in any text.")
        return super().changelist_view(request, extra_context)

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """The record with this id; None also for an id that no record can have."""
        field: Any = self.opts.get_field(from_field) if from_field else self.opts.pk
        return super().get_object(request, object_id, from_field) if values_of(field, object_id) else None


def can_be_asked(model: type[Model], lookup: str, value: str) -> bool:
    """Whether a list can be filtered like this on every database, with lookup and value as an address has them.

    Also True for what is no field of the model: Django answers that itself.
    """
    field, rest = field_and_lookup(model, lookup)
    if field is None:
        return True
    if len(value) > SEARCH_CHARACTERS or "\0" in value or OUT_OF_RANGE.search(value):
        return False
    if isinstance(field, JSONField):
        return rest in ("", "exact", "isnull")
    if not LOOKUP.fullmatch(rest):
        return False
    if rest.startswith("year"):
        return value.isascii() and value.isdecimal() and int(value) in YEARS
    return not isinstance(field, DateField) or all(int(year) in YEARS for year in YEARS_OF_DATES.findall(value))


def field_and_lookup(model: type[Model] | None, lookup: str) -> tuple[Any, str]:
    """The last field that `service__name__icontains` names, and what follows it; None when it names no field."""
    field, parts = None, lookup.split(LOOKUP_SEP)
    while parts and model:
        try:
            field = model._meta.pk if parts[0] == "pk" else model._meta.get_field(parts[0])
        except FieldDoesNotExist:
            break
        model = field.related_model
        del parts[0]
    return field, LOOKUP_SEP.join(parts)


class RecordInline(admin.TabularInline):  # type: ignore[type-arg]
    """The records that belong to another record, on its page."""

    formset = NewestFormSet
    extra = 0
    can_delete = False
    has_add_permission = nobody_may


class RecordAdmin(SturdyAdmin):
    """An admin page that shows every field and changes none.

    With `sections` its page begins with these fields, or functions of the record; all others are folded below them.
    """

    list_per_page = 50
    sections: tuple[tuple[str | None, tuple[Any, ...]], ...] = ()
    has_add_permission = has_change_permission = has_delete_permission = nobody_may

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """Django's. What a field means to a machine is told only of those that are folded."""
        shown = [field for _, fields in self.sections for field in fields if isinstance(field, str)]
        return super().get_form(request, obj, change, help_texts=dict.fromkeys(shown, ""), **kwargs)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """The sections, then all other fields, folded."""
        if not self.sections:
            return super().get_fieldsets(request, obj)
        shown = {field for _, fields in self.sections for field in fields}
        rest = [field.name for field in self.opts.concrete_fields if field.name not in shown]
        folded = [(INTERNALS, {"fields": rest, "classes": ["collapse"]})] if rest else []
        return [*((title, {"fields": fields}) for title, fields in self.sections), *folded]

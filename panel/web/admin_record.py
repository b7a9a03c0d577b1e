"""Admin pages for what machines write and for history: owners read and search it, nobody edits or deletes it."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import BadRequest
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

SEARCH_CHARACTERS = 200  # SQLite gives up on a pattern of 50 kB, or on a thousand words


def nobody_may(admin: object, request: HttpRequest, obj: object = None) -> bool:
    """False: in place of any of an admin's `has_…_permission`."""
    return False


class SturdyAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """An admin page that answers whatever is pasted into its search or its address."""

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Django's results, for the first SEARCH_CHARACTERS of the search."""
        return super().get_search_results(request, queryset, search_term[:SEARCH_CHARACTERS])

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Django's list, or a 400 for a NUL in the address, which PostgreSQL takes in no text."""
        if "%00" in request.META["QUERY_STRING"]:
            raise BadRequest("PostgreSQL takes no NUL in any text.")
        return super().changelist_view(request, extra_context)

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """The record with this id; None also for an id with a NUL in it."""
        return None if "\0" in object_id else super().get_object(request, object_id, from_field)


class RecordInline(admin.TabularInline):  # type: ignore[type-arg]
    """The records that belong to another record, on its page."""

    extra = 0
    can_delete = False
    has_add_permission = nobody_may


class RecordAdmin(SturdyAdmin):
    """An admin page that shows every field and changes none."""

    list_per_page = 50
    show_full_result_count = False  # no second count over all rows
    has_add_permission = has_change_permission = has_delete_permission = nobody_may

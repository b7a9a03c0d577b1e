"""Admin for what is written by machines or is history: owners read and search it, nobody edits or deletes it."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import BadRequest
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

SEARCH_CHARACTERS = 200  # SQLite gives up on a pattern of 50 kB, or on a thousand words


class SturdyAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Stands whatever is pasted into its search or its address."""

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        return super().get_search_results(request, queryset, search_term[:SEARCH_CHARACTERS])

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        if "%00" in request.META["QUERY_STRING"]:
            raise BadRequest("PostgreSQL takes no NUL in any text.")
        return super().changelist_view(request, extra_context)

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        return None if "\0" in object_id else super().get_object(request, object_id, from_field)


class RecordInline(admin.TabularInline):  # type: ignore[type-arg]
    """The records that belong to one other, on its page."""

    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False


class RecordAdmin(SturdyAdmin):
    """Everything shown, nothing to change: a fact that could be edited would be no fact."""

    list_per_page = 50
    show_full_result_count = False  # no second count over all rows

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

"""What somebody comes to in Django's admin: the same for each model."""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from django.contrib.admin import ModelAdmin
from django.db.models import Model

from panel.web.admin_record import RecordAdmin
from tests.addresses import admin_address
from tests.benchmarks.visitor import Line, Visitor


def admin_lines(visitor: Visitor, model: type[Model], model_admin: "ModelAdmin[Any]") -> Iterator[str]:
    """A model's list with its next page, each kind of filter and search, and the pages of its newest row."""
    changelist = admin_address(model, "changelist")
    yield f"GET  {changelist}"
    newest = model._default_manager.order_by("-pk").first()
    assert newest is not None, f"this desk has no {model._meta.verbose_name}"
    its_id = f"{model._meta.model_name}_id"
    visitor.subjects[its_id] = quote(str(newest.pk))
    if model._default_manager.count() > model_admin.list_per_page:
        yield f"GET  {changelist}?p=2"
    yield from (f"GET  {changelist}?q={term}" for term in searched(model, model_admin))
    html = visitor.send("get", changelist, headers={"accept-encoding": "identity"}).content.decode()
    for choices in html.split("data-filter-title=")[1:]:
        links = re.findall(r'<a href="\?([^"]+)"', choices.split("</details>")[0])
        # Of days the past seven and not today, which holds few rows or many by the hour at which this is counted.
        links = links[1:] if "__gte=" in links[0] else links
        yield f"GET  {changelist}?{links[0].replace('&amp;', '&')}"
    row = f"{changelist}{{{its_id}}}/"
    yield from (f"GET  {row}{page}/" for page in ("change", "history"))
    # Nothing is behind these but a refusal; they are only come to.
    for line in (f"GET {row} -> 302", f"GET {row}delete/ -> 403"):
        visitor.go(Line.read(line))
    if isinstance(model_admin, RecordAdmin):
        visitor.go(Line.read(f"GET {changelist}add/ -> 403"))


def searched(model: type[Model], model_admin: "ModelAdmin[Any]") -> list[str]:
    """Something that each field of the search may find."""
    return list(dict.fromkeys(SEARCHED[field.lstrip("=^")] for field in model_admin.search_fields))


SEARCHED = {
    "id": "{middle}", "upstream_id": "{upstream_id}", "request_id": "{request_id}", "link": "{word}",
    "order__id": "{middle}", "order__upstream_id": "{upstream_id}", "answer": "refilled", "kind": "placed",
    "task__order__id": "{middle}", "said": "timed", "name": "View", "query": "live", "why": "name", "raw": "service",
    "service__upstream_id": "{service}", "service__name": "likes", "text": "customer", "key": "dlv_{upstream_id}",
    "event": "order.partial", "haystack": "likes", "service__haystack": "likes", "user__name": "Ana+3",
    "username": "operator5", "email": "operator5", "object_repr": "Ana", "change_message": "role",
}  # fmt: skip

"""Answers to open pages that ask every few seconds whether anything changed, most of them empty."""

import hashlib
import json
from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, HttpResponse

from panel.web.htmx import wants_fragment


def bar_of(request: HttpRequest) -> Any:
    """The status bar of this request, which the site's middleware put there."""
    return request.bar  # type: ignore[attr-defined]


def bar_moved(request: HttpRequest) -> bool:
    """Whether the status bar, or what the person may do, has changed since the open page got what it shows."""
    version, _, _ = request.GET.get("bar", "").partition("_")
    return bool(bar_of(request).version != version) or rights_moved(request)


def rights_moved(request: HttpRequest) -> bool:
    """Whether the person may do or see something else now than when the open page was drawn."""
    _, _, rights = request.GET.get("bar", "").partition("_")
    return bool(rights and rights != bar_of(request).rights)


def version_of(*facts: object) -> str:
    """A short text that changes when any of these facts does. Open pages send it back to learn that."""
    return hashlib.sha256(repr(facts).encode()).hexdigest()[:12]


def unchanged(request: HttpRequest, version: str) -> HttpResponse | None:
    """The answer 204 for an open page that shows this version and the current status bar; None for any other page."""
    if wants_fragment(request) and request.GET.get("v") == version and not bar_moved(request):
        return HttpResponse(status=HTTPStatus.NO_CONTENT)
    return None


def with_times(request: HttpRequest, response: HttpResponse, polled: dict[str, str] | None = None) -> HttpResponse:
    """The response, with a header that tells the open page when upstream last answered, without a swap.

    `polled` adds when upstream last told of each order on the page: id → ISO time.
    """
    response["HX-Trigger"] = json.dumps({"desk:looked": {**(polled or {}), **bar_of(request).times}})
    return response

"""What open pages ask every few seconds: has anything moved? Nothing is sent when it has not."""

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
    """Whether the open page shows another status bar than there is now."""
    return bool(bar_of(request).version != request.GET.get("bar"))


def version_of(*facts: object) -> str:
    """A short text that changes when any of these facts does. Open pages send it back to learn that."""
    return hashlib.sha256(repr(facts).encode()).hexdigest()[:12]


def unchanged(request: HttpRequest, version: str) -> HttpResponse | None:
    """The answer 204 for an open page that shows this version, when its status bar has not moved either; else None."""
    if wants_fragment(request) and request.GET.get("v") == version and not bar_moved(request):
        return HttpResponse(status=HTTPStatus.NO_CONTENT)
    return None


def with_times(request: HttpRequest, response: HttpResponse, polled: dict[str, str] | None = None) -> HttpResponse:
    """Tells an open page, without a swap, when upstream last spoke: of its rows (id → ISO time), and at all."""
    response["HX-Trigger"] = json.dumps({"desk:looked": {**(polled or {}), **bar_of(request).times}})
    return response

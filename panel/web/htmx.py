"""The three traps of htmx, handled once: boosted visits, Back, and shared caches."""

from typing import Any
from urllib.parse import urlsplit

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django_htmx.middleware import HtmxDetails


def details(request: HttpRequest) -> HtmxDetails:
    """What htmx says of this request; the middleware puts it there."""
    found: HtmxDetails = request.htmx  # type: ignore[attr-defined]
    return found


def wants_htmx(request: HttpRequest) -> bool:
    """Whether a script of htmx waits for the answer, rather than the browser itself."""
    return bool(details(request))


def wants_fragment(request: HttpRequest) -> bool:
    """An htmx swap; not a boosted visit, and not htmx rebuilding a page for Back."""
    htmx = details(request)
    return bool(htmx) and not htmx.boosted and not htmx.history_restore_request


def page(
    request: HttpRequest, template: str, context: dict[str, Any], *, fragment: str, status: int = 200
) -> HttpResponse:
    """The whole page, or for htmx its living middle: same URL, same context."""
    response = render(request, fragment if wants_fragment(request) else template, context, status=status)
    patch_vary_headers(response, ["HX-Request", "HX-Boosted", "HX-History-Restore-Request"])
    return response


def page_path(request: HttpRequest) -> str:
    """The path and query of the page a person sees: for a fragment or a POST, the page that asked for it."""
    try:
        if current := details(request).current_url_abs_path:
            return current
        if request.method == "GET":
            return request.get_full_path()
        referer = urlsplit(request.headers.get("Referer", ""))
    except ValueError:  # what was sent is no address at all, such as `http://[`
        return "/"
    if referer.netloc != request.get_host():
        return "/"
    return f"{referer.path}?{referer.query}" if referer.query else referer.path

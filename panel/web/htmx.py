"""What every view must know of htmx: boosted visits, the Back button, shared caches."""

from typing import Any
from urllib.parse import urlsplit

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django_htmx.middleware import HtmxDetails


def details(request: HttpRequest) -> HtmxDetails:
    """What htmx says about this request; django_htmx's middleware puts it there."""
    htmx: HtmxDetails = request.htmx  # type: ignore[attr-defined]
    return htmx


def wants_htmx(request: HttpRequest) -> bool:
    """Whether htmx made this request, rather than the browser itself."""
    return bool(details(request))


def wants_fragment(request: HttpRequest) -> bool:
    """Whether htmx will swap the answer into a page: not for a boosted visit, nor when it rebuilds a page for Back."""
    htmx = details(request)
    return bool(htmx) and not htmx.boosted and not htmx.history_restore_request


def page(
    request: HttpRequest, template: str, context: dict[str, Any], *, fragment: str, status: int = 200
) -> HttpResponse:
    """The whole page, or only its `fragment` template when htmx wants that: same address, same context."""
    response = render(request, fragment if wants_fragment(request) else template, context, status=status)
    patch_vary_headers(response, ["HX-Request", "HX-Boosted", "HX-History-Restore-Request"])
    return response


def page_path(request: HttpRequest) -> str:
    """The path and query of the page a person sees: for a fragment or a POST, the page that asked for it."""
    try:
        if current := details(request).current_url_abs_path:
            return current
    except ValueError:  # the header is no address at all, such as `http://[`
        return "/"
    return request.get_full_path() if request.method == "GET" else referer_path(request)


def referer_path(request: HttpRequest) -> str:
    """The path and query of the page of ours that a person came from, or "/" when it is unknown."""
    try:
        referer = urlsplit(request.headers.get("Referer", ""))
    except ValueError:
        return "/"
    if referer.netloc != request.get_host():
        return "/"
    return f"{referer.path}?{referer.query}" if referer.query else referer.path

"""The desk's own application, which at /seen also tells what it sees: for gunicorn in the tests beside."""

import json
from collections.abc import Callable, Iterable
from threading import Lock
from typing import Any

from panel.wsgi import application as desk  # first, for it makes Django ready

# isort: split
from allauth.core.internal.httpkit import get_client_ip
from django.core.handlers.wsgi import WSGIRequest

counts = {"forms": 0, "at_work": 0}  # requests with a body that were begun; requests that a thread is at
counting = Lock()


def application(environ: dict[str, Any], start_response: Callable[..., object]) -> Iterable[bytes]:
    """WSGI."""
    count(forms=environ.get("CONTENT_LENGTH") not in (None, "", "0"), at_work=1)
    try:
        yield from desk(environ, start_response) if environ["PATH_INFO"] != "/seen" else see(environ, start_response)
    finally:
        count(at_work=-1)


def count(**more: int) -> None:
    """Adds to the counts."""
    with counting:
        for name, number in more.items():
            counts[name] += number


def see(environ: dict[str, Any], start_response: Callable[..., object]) -> Iterable[bytes]:
    """What the desk sees of this request, as JSON; with `?bytes=` so many blanks after it."""
    request = WSGIRequest(environ)
    seen = {
        "address": get_client_ip(request),
        "secure": request.is_secure(),
        "host": request.get_host(),
        "body": len(request.body),
        "headers": dict(request.headers),
        **counts,
    }
    answer = json.dumps(seen).encode() + b" " * int(request.GET.get("bytes", 0))
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(answer)))])
    yield answer

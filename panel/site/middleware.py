"""What every request gets: an id in the log, strict headers, the status bar, and an answer."""

import logging
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus

from django.conf import settings
from django.core.signals import request_finished
from django.db.backends.signals import connection_created
from django.http import Http404, HttpRequest, HttpResponse

from panel.ops.database import wait_no_longer
from panel.ops.logs import from_here_on
from panel.ops.write_probe import WATCH
from panel.site.failures import answer_failure, answer_outage
from panel.site.status_bar import StatusBar
from panel.web.headers import FILE_HEADERS, PAGE_HEADERS
from panel.web.params import LARGEST_ID

log = logging.getLogger(__name__)
Next = Callable[[HttpRequest], HttpResponse]

# Not when the middleware returns, because Django logs some lines about a request only after that.
request_finished.connect(lambda **_: from_here_on(), dispatch_uid="forget the request", weak=False)
connection_created.connect(wait_no_longer, dispatch_uid="wait no longer")  # here, for only pages load this module


def request_id(get_response: Next) -> Next:
    """Gives each request an id, in its log lines and in the answer's `X-Request-ID`, and logs how it was answered."""

    def middleware(request: HttpRequest) -> HttpResponse:
        request_id, began = secrets.token_hex(6), time.monotonic()
        from_here_on(request=request_id)
        response = get_response(request)
        # The path without its query, which may hold a customer's link. A poll without news is no event.
        level = logging.DEBUG if response.status_code == HTTPStatus.NO_CONTENT else logging.INFO
        facts = {"status": response.status_code, "milliseconds": round((time.monotonic() - began) * 1000)}
        log.log(level, "%s %s", request.method, request.path, extra=facts)
        response["X-Request-ID"] = request_id
        return response

    return middleware


def headers(get_response: Next) -> Next:
    """Puts the headers on every answer, also on those that other middleware gives. What an answer says itself stays."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        is_file = request.path.startswith(settings.STATIC_URL) and response.status_code < HTTPStatus.BAD_REQUEST
        for name, value in (FILE_HEADERS if is_file else PAGE_HEADERS).items():
            response.setdefault(name, value)
        return response

    return middleware


def no_plain_http(get_response: Next) -> Next:
    """Refuses what is sent without TLS where TLS is wanted. Pages are redirected to https by Django.

    To redirect a form as well would tell nobody that its password or order has gone over the wire in the clear.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        if not settings.SECURE_SSL_REDIRECT or request.is_secure() or request.method in ("GET", "HEAD"):
            return get_response(request)
        words = "This came over plain HTTP, which others can read. Nothing was done. Use https://.\n"
        return HttpResponse(words, content_type="text/plain; charset=utf-8", status=HTTPStatus.FORBIDDEN)

    return middleware


def status_bar(get_response: Next) -> Next:
    """Puts the status bar on each request, where rooms below the roof find it too. It is read when it is first used."""

    def middleware(request: HttpRequest) -> HttpResponse:
        request.bar = StatusBar(request)  # type: ignore[attr-defined]
        return get_response(request)

    return middleware


def sturdy(get_response: Next) -> Next:
    """Answers whatever is asked: an id that no row can have with a 404, and what the database refuses with a sentence.

    Both hold for every address, also for those of Django's admin and for those that are still to be written.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        # While nothing can be written the throttle of sign-in cannot count, which it takes for too many tries.
        if response.status_code == HTTPStatus.TOO_MANY_REQUESTS and (outage := WATCH.probe()):
            return answer_outage(request, outage)
        return response

    middleware.process_view = refuse_large_ids  # type: ignore[attr-defined]
    middleware.process_exception = answer_failure  # type: ignore[attr-defined]
    return middleware


def refuse_large_ids(request: HttpRequest, view: object, args: Sequence[object], kwargs: Mapping[str, object]) -> None:
    """Raises Http404 for a number in the path beyond 64 bits: SQLite's driver breaks on it before it asks."""
    if any(isinstance(value, int) and value > LARGEST_ID for value in (*args, *kwargs.values())):
        raise Http404

"""What every request gets: an id in the log, strict headers, the status bar, and an answer."""

import logging
import re
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from http import HTTPStatus

from django.conf import settings
from django.core.signals import request_finished
from django.db.backends.signals import connection_created
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, UnreadablePostError

from panel.ops.database import wait_no_longer
from panel.ops.logs import also, from_here_on
from panel.ops.write_probe import WATCH
from panel.site.failures import Typed, answer_failure, answer_outage, answer_pasted_key, fields_of, is_secret
from panel.site.status_bar import StatusBar
from panel.upstream.key import holds_key
from panel.web.headers import FILE_HEADERS, PAGE_HEADERS
from panel.web.params import LARGEST_ID
from panel.web.visitor import address_of, receive

log = logging.getLogger(__name__)
Next = Callable[[HttpRequest], HttpResponse]
SHORT_BYTES, MOST_BYTES = 2**17, 2**22  # what a socket holds, and more than nginx lets through (nginx.conf)
PIECE_BYTES = 2**16  # read at once
DIGITS = re.compile("[0-9]{1,7}")

# Not when the middleware returns, because Django logs some lines about a request only after that.
request_finished.connect(lambda **_: from_here_on(), dispatch_uid="forget the request", weak=False)
request_finished.connect(lambda **_: receive(None), dispatch_uid="forget the visitor", weak=False)
connection_created.connect(wait_no_longer, dispatch_uid="wait no longer")  # here, for only pages load this module


def to_the_end(get_response: Next) -> Next:
    """Reads what an answer left unread of what was sent, where no socket holds it and nginx may have let it through.

    gunicorn closes a line on which the rest is still coming. nginx then breaks off, and says in place of our answer (a
    form that is too large, a sign-in) that the desk is away.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        response, length = get_response(request), str(request.META.get("CONTENT_LENGTH"))
        if DIGITS.fullmatch(length) and SHORT_BYTES < int(length) <= MOST_BYTES:
            with suppress(UnreadablePostError):  # whoever sent it has gone
                while request.read(PIECE_BYTES):
                    continue
        return response

    return middleware


def request_id(get_response: Next) -> Next:
    """Gives each request an id, in its log lines and in the answer's `X-Request-ID`, and logs how it was answered."""

    def middleware(request: HttpRequest) -> HttpResponse:
        request_id, began = secrets.token_hex(6), time.monotonic()
        from_here_on(request=request_id, address=address_of(request))
        receive(request)  # for the lines of the trail that it writes
        response = get_response(request)
        also(person=person_id(request))
        # The path without its query, which may hold a customer's link. A poll without news is no event.
        level = logging.DEBUG if response.status_code == HTTPStatus.NO_CONTENT else logging.INFO
        facts = {"status": response.status_code, "milliseconds": round((time.monotonic() - began) * 1000)}
        log.log(level, "%s %s", request.method, request.path, extra=facts)
        if not is_file(request, response):  # which nobody asks about, and which come by the half dozen
            response["X-Request-ID"] = request_id
        return response

    return middleware


def person_id(request: HttpRequest) -> int | None:
    """The id of the person who asked, also when this request has signed them in or out; None for a stranger.

    It asks the database nothing: whoever has a session was looked up by then.
    """
    if not hasattr(request, "_cached_user"):
        return None
    return request._cached_user.pk or request.user.pk


def headers(get_response: Next) -> Next:
    """Puts the headers on every answer, also on those that other middleware gives. What an answer says itself stays."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        own = PAGE_HEADERS
        if is_file(request, response):
            own = FILE_HEADERS
            del response["Cross-Origin-Opener-Policy"]  # for windows, and a file opens none
        for name, value in own.items():
            response.setdefault(name, value)
        return response

    return middleware


def is_file(request: HttpRequest, response: HttpResponse) -> bool:
    """Whether this answer is a style sheet, a script or a picture of the desk's."""
    return request.path.startswith(settings.STATIC_URL) and response.status_code < HTTPStatus.BAD_REQUEST


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

    middleware.process_view = refuse_before_the_view  # type: ignore[attr-defined]
    middleware.process_exception = answer_failure  # type: ignore[attr-defined]
    return middleware


def refuse_before_the_view(
    request: HttpRequest, view: object, args: Sequence[object], kwargs: Mapping[str, object]
) -> HttpResponse | None:
    """Refuses a text with a secret key in it, which colleagues and logs could read where it is stored.

    Raises Http404 for a number in the path beyond 64 bits: SQLite's driver breaks on it before it asks. Django's admin
    would answer a TRACE like a GET.
    """
    if request.method == "TRACE":
        return HttpResponseNotAllowed(["GET", "HEAD", "POST"])
    if any(isinstance(value, int) and value > LARGEST_ID for value in (*args, *kwargs.values())):
        raise Http404
    if getattr(view, "csrf_exempt", False):  # a delivery, whose raw body is signed
        return None
    texts = [text for name, text in (*fields_of(request.GET), *posted_fields(request)) if not is_secret(name)]
    return answer_pasted_key(request) if texts and holds_key(texts) else None


def posted_fields(request: HttpRequest) -> Typed:
    """The form that was sent; nothing of one that broke off. Of one that is too large Django says so."""
    try:
        return fields_of(request.POST)
    except UnreadablePostError:
        return []

"""What every request gets: an id in the log, a strict content security policy, the status bar, and an answer."""

import logging
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus

from django.core.signals import request_finished
from django.db.backends.signals import connection_created
from django.http import Http404, HttpRequest, HttpResponse

from panel.ops.database import wait_no_longer
from panel.ops.logs import also, from_here_on
from panel.ops.write_probe import WATCH
from panel.site.failures import answer_failure, answer_outage
from panel.site.status_bar import StatusBar
from panel.web.params import LARGEST_ID
from panel.web.visitor import address_of

log = logging.getLogger(__name__)
Next = Callable[[HttpRequest], HttpResponse]

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)

# Not when the middleware returns, because Django logs some lines about a request only after that.
request_finished.connect(lambda **_: from_here_on(), dispatch_uid="forget the request", weak=False)
connection_created.connect(wait_no_longer, dispatch_uid="wait no longer")  # here, for only pages load this module


def request_id(get_response: Next) -> Next:
    """Gives each request an id, in its log lines and in the answer's `X-Request-ID`, and logs how it was answered."""

    def middleware(request: HttpRequest) -> HttpResponse:
        request_id, began = secrets.token_hex(6), time.monotonic()
        from_here_on(request=request_id, address=address_of(request))
        response = get_response(request)
        also(person=person_id(request))
        # The path without its query, which may hold a customer's link. A poll without news is no event.
        level = logging.DEBUG if response.status_code == HTTPStatus.NO_CONTENT else logging.INFO
        facts = {"status": response.status_code, "milliseconds": round((time.monotonic() - began) * 1000)}
        log.log(level, "%s %s", request.method, request.path, extra=facts)
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


def content_security_policy(get_response: Next) -> Next:
    """Allows nothing from elsewhere and nothing inline, so a script in a service's name does not run even unescaped."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        response["Content-Security-Policy"] = POLICY
        return response

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

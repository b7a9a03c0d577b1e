"""The door that upstream rings: a signed delivery is kept before it is told so, and rings a bell, no more.

Whatever comes here changes nothing but a count unless one of our secrets signed it. The door stands before Django:
what surrounds a page costs nearly twice what a delivery does, and none of it is for a machine that shows a signature.
"""

import hashlib
import logging
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from functools import lru_cache
from http import HTTPStatus
from typing import Any, NamedTuple

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.request import HttpHeaders
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from orders.models import Arrival
from orders.webhooks.inbox import INBOX, NotKept
from orders.webhooks.rejections import COUNTS
from panel.notpanel import signing

log = logging.getLogger(__name__)

Environ = Mapping[str, Any]  # a request as WSGI hands it over
Read = Callable[[int], bytes]
Application = Callable[[Any, Any], Iterable[bytes]]

MOST_BYTES = 64 * 1024  # of a body; upstream's have a few hundred
RETRY_SECONDS = 5

REJECTIONS: dict[str, tuple[HTTPStatus, str]] = {
    "unsigned": (HTTPStatus.UNAUTHORIZED, signing.REASONS["unsigned"]),
    "garbled": (HTTPStatus.BAD_REQUEST, signing.REASONS["garbled"]),
    "forged": (HTTPStatus.UNAUTHORIZED, signing.REASONS["forged"]),
    "stale": (HTTPStatus.BAD_REQUEST, signing.REASONS["stale"]),
    "early": (HTTPStatus.BAD_REQUEST, signing.REASONS["early"]),
    "no length": (HTTPStatus.LENGTH_REQUIRED, "A delivery says how long it is."),
    "too long": (HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"A delivery has at most {MOST_BYTES:,} bytes."),
    "cut short": (HTTPStatus.BAD_REQUEST, "The body is shorter than it was said to be."),
    "type": (HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "A delivery is plain application/json."),
    "malformed": (HTTPStatus.BAD_REQUEST, "The body is no JSON object in UTF-8."),
}
# 503 and not 404: the address is right, and upstream comes again until the secret is set, so nothing of it is lost.
NONE_SET = "NOTPANEL_WEBHOOK_SECRETS is not set, so no delivery can be told from a forgery, and none is taken."

_DIGITS = re.compile("[0-9]{1,12}", re.ASCII)


class Rejected(Exception):
    """Not taken; `reason` is one of REJECTIONS."""

    def __init__(self, reason: str) -> None:
        super().__init__(REJECTIONS[reason][1])
        self.reason = reason


class Answer(NamedTuple):
    """What a delivery is told."""

    status: HTTPStatus
    sentence: str
    retry_after: int = 0  # seconds

    @property
    def body(self) -> bytes:
        return f"{self.sentence}\n".encode()

    @property
    def headers(self) -> list[tuple[str, str]]:
        headers = [("Content-Type", "text/plain; charset=utf-8"), ("X-Content-Type-Options", "nosniff")]
        return [*headers, ("Retry-After", str(self.retry_after))] if self.retry_after else headers


TAKEN = Answer(HTTPStatus.OK, "Taken.")
NO_SECRETS = Answer(HTTPStatus.SERVICE_UNAVAILABLE, NONE_SET)
NOT_KEPT = Answer(HTTPStatus.SERVICE_UNAVAILABLE, "The delivery could not be kept. Send it again.", RETRY_SECONDS)
NO_POST = Answer(HTTPStatus.METHOD_NOT_ALLOWED, "Deliveries are POSTs.")


# ── Two ways in ──────────────────────────────────────────────────────────────────────────────────
def with_endpoint(pages: Application, path: str) -> Application:
    """What answers deliveries at this path, and leaves all else to the pages.

    Which of our names the request calls the desk by is not asked: the signature is what counts, and no address is
    made of that name. A body that was not read is the server's to discard, or to close the connection for.
    """

    def application(environ: dict[str, Any], start_response: Callable[..., object]) -> Iterable[bytes]:
        if environ["PATH_INFO"] != path or environ["REQUEST_METHOD"] != "POST" or must_be_sent_to_https(environ):
            return pages(environ, start_response)
        answer = answer_delivery(environ, environ["wsgi.input"].read, timezone.now())
        body = answer.body
        log.debug("POST %s", path, extra={"status": answer.status.value})
        start_response(
            f"{answer.status.value} {answer.status.phrase}", [*answer.headers, ("Content-Length", str(len(body)))]
        )
        return [body]

    return application


@csrf_exempt
def endpoint(request: HttpRequest) -> HttpResponse:
    """The same among the pages: for what is no POST, and where no web server stands before them."""
    post = request.method == "POST"
    answer = answer_delivery(request.META, request.read, timezone.now()) if post else NO_POST
    response = HttpResponse(answer.body, status=answer.status, headers=dict(answer.headers))
    if not post:
        response["Allow"] = "POST"
    response._has_been_logged = True  # type: ignore[attr-defined]  # one line a request is enough in a flood
    return response


def must_be_sent_to_https(environ: Environ) -> bool:
    """Whether Django would, or might: it decides."""
    if not settings.SECURE_SSL_REDIRECT:
        return False
    if settings.SECURE_PROXY_SSL_HEADER:
        name, secure = settings.SECURE_PROXY_SSL_HEADER
        if name in environ:
            return bool(environ[name] != secure)
    return bool(environ["wsgi.url_scheme"] != "https")


# ── What is answered ─────────────────────────────────────────────────────────────────────────────
def answer_delivery(environ: Environ, read: Read, now: datetime) -> Answer:
    """2xx only for what is on the disk, be it for the second time."""
    if not settings.NOTPANEL_WEBHOOK_SECRETS:
        return NO_SECRETS
    try:
        body = body_of(environ, read)
        INBOX.put(verified(headers_of(environ, settings.NOTPANEL_WEBHOOK_SCHEME), body, now))
    except Rejected as no:
        COUNTS.count(no.reason, now)
        return Answer(REJECTIONS[no.reason][0], str(no))
    except NotKept:
        return NOT_KEPT
    return TAKEN


def body_of(environ: Environ, read: Read) -> bytes:
    """The raw body, of which not a byte is read before its length is known to be bearable."""
    length = environ.get("CONTENT_LENGTH") or ""
    if not _DIGITS.fullmatch(length):
        raise Rejected("no length")
    if int(length) > MOST_BYTES:
        raise Rejected("too long")
    kind = environ.get("CONTENT_TYPE", "").partition(";")[0].strip().lower()
    encoding = environ.get("HTTP_CONTENT_ENCODING", "identity")
    if kind != "application/json" or encoding.lower() != "identity":
        raise Rejected("type")
    try:
        body = read(int(length))
    except OSError:  # whoever sent it has gone
        body = b""
    if len(body) != int(length):
        raise Rejected("cut short")
    return body


def headers_of(environ: Environ, scheme: signing.Scheme) -> dict[str, str]:
    """Those that the scheme asks for; the others are not looked at."""
    return {name: environ.get(key, "") for name, key in _keys(scheme)}


@lru_cache(maxsize=1)
def _keys(scheme: signing.Scheme) -> list[tuple[str, str]]:
    names = filter(None, (scheme.signature, scheme.delivery, scheme.event, scheme.time))
    return [(name, HttpHeaders.to_wsgi_name(name)) for name in names]


def verified(headers: Mapping[str, str], body: bytes, now: datetime) -> Arrival:
    """The delivery, if upstream signed it; not kept yet."""
    scheme = settings.NOTPANEL_WEBHOOK_SCHEME
    try:
        proof = signing.verify(headers, body, settings.NOTPANEL_WEBHOOK_SECRETS, now.timestamp(), scheme)
    except signing.Untrusted as no:
        raise Rejected(no.reason) from None
    try:
        told = signing.read(headers, body, scheme)
        text = body.decode()
    except ValueError:
        raise Rejected("malformed") from None
    return Arrival(
        key=told.id or hashlib.sha256(body).hexdigest(), digest=proof.digest, mark=proof.mark, body=text,
        event=told.event, upstream_id=told.order, status=told.status, received_at=now,
    )  # fmt: skip

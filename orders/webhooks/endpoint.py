"""The endpoint for webhooks: a signed delivery is stored before upstream is told so. Dispatching it comes later.

A request that none of our secrets signed changes nothing but a count. The endpoint stands before Django's middleware,
which costs nearly twice what a delivery does and serves pages only.
"""

import hashlib
import logging
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Any, NamedTuple

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.request import HttpHeaders
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from orders.models import Arrival
from orders.models.webhook import BODY_KEY
from orders.webhooks.inbox import INBOX, NotKept
from orders.webhooks.rejections import COUNTS
from panel.notpanel import signing
from panel.web.headers import FILE_HEADERS

log = logging.getLogger(__name__)

Environ = Mapping[str, Any]  # a request as WSGI hands it over
Read = Callable[[int], bytes]
Application = Callable[[Any, Any], Iterable[bytes]]

MOST_BYTES = 64 * 1024  # of a body; upstream's have a few hundred
HEADERS = (("Content-Type", "text/plain; charset=utf-8"), *FILE_HEADERS.items())
RETRY_HEADER = ("Retry-After", "5")  # seconds until upstream should send a delivery again that could not be stored

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

_DIGITS = re.compile("[0-9]{1,12}", re.ASCII)


class Rejected(Exception):
    """The delivery is not accepted. `reason` is a key of REJECTIONS, `str()` its sentence."""

    def __init__(self, reason: str) -> None:
        super().__init__(REJECTIONS[reason][1])
        self.reason = reason


class Answer(NamedTuple):
    """The response to a delivery, before it takes the form that WSGI or Django wants."""

    status: HTTPStatus
    sentence: str
    more_headers: tuple[tuple[str, str], ...] = ()

    @property
    def body(self) -> bytes:
        """The sentence, as a line of UTF-8."""
        return f"{self.sentence}\n".encode()

    @property
    def headers(self) -> list[tuple[str, str]]:
        """The headers but Content-Length."""
        return [*HEADERS, *self.more_headers]


TAKEN = Answer(HTTPStatus.OK, "Taken.")
# 503 and not 404: the address is right, and upstream sends again until the secret is set, so no delivery is lost.
NO_SECRETS = Answer(
    HTTPStatus.SERVICE_UNAVAILABLE,
    "NOTPANEL_WEBHOOK_SECRETS is not set, so no delivery can be told from a forgery, and none is taken.",
)
NOT_KEPT = Answer(HTTPStatus.SERVICE_UNAVAILABLE, "The delivery could not be kept. Send it again.", (RETRY_HEADER,))
NO_POST = Answer(HTTPStatus.METHOD_NOT_ALLOWED, "Deliveries are POSTs.", (("Allow", "POST"),))


# ── Two ways in ──────────────────────────────────────────────────────────────────────────────────
def with_endpoint(pages: Application, path: str) -> Application:
    """A WSGI application that answers deliveries at this path itself and leaves all other requests to `pages`.

    It does not check the request's host: the signature decides, and no address is made from the host. A body that
    was not read is left to the web server, which discards it or closes the connection.
    """

    def application(environ: dict[str, Any], start_response: Callable[..., object]) -> Iterable[bytes]:
        if environ["PATH_INFO"] != path or environ["REQUEST_METHOD"] != "POST" or must_be_sent_to_https(environ):
            return pages(environ, start_response)
        answer = answer_delivery(environ, environ["wsgi.input"].read, timezone.now())
        status, body = answer.status, answer.body
        log.debug("POST %s", path, extra={"status": status.value})
        start_response(f"{status.value} {status.phrase}", [*answer.headers, ("Content-Length", str(len(body)))])
        return [body]

    return application


@csrf_exempt
def endpoint(request: HttpRequest) -> HttpResponse:
    """The same endpoint as a view, for other methods than POST and for servers that do not load `with_endpoint`."""
    answer = answer_delivery(request.META, request.read, timezone.now()) if request.method == "POST" else NO_POST
    response = HttpResponse(answer.body, status=answer.status, headers=dict(answer.headers))
    response._has_been_logged = True  # type: ignore[attr-defined]  # one line a request is enough in a flood
    return response


def must_be_sent_to_https(environ: Environ) -> bool:
    """Whether Django might redirect this request to https; Django decides, so the request is left to it."""
    if not settings.SECURE_SSL_REDIRECT:
        return False
    header, secure = settings.SECURE_PROXY_SSL_HEADER or ("", "")
    return bool(environ[header] != secure if header in environ else environ["wsgi.url_scheme"] != "https")


# ── What is answered ─────────────────────────────────────────────────────────────────────────────
def answer_delivery(environ: Environ, read: Read, now: datetime) -> Answer:
    """Stores a delivery and returns the answer: 200 only if it is on the disk, be it since an earlier time."""
    if not settings.NOTPANEL_WEBHOOK_SECRETS:
        return NO_SECRETS
    try:
        body = body_of(environ, read)
        INBOX.put(verified(headers_of(environ, settings.NOTPANEL_WEBHOOK_SCHEME), body, now))
    except Rejected as rejected:
        COUNTS.count(rejected.reason, now)
        return Answer(REJECTIONS[rejected.reason][0], str(rejected))
    except NotKept:
        return NOT_KEPT
    return TAKEN


def body_of(environ: Environ, read: Read) -> bytes:
    """The raw body. Its length and type are checked before a byte of it is read. Raises Rejected."""
    length = environ.get("CONTENT_LENGTH") or ""
    if not _DIGITS.fullmatch(length):
        raise Rejected("no length")
    if int(length) > MOST_BYTES:
        raise Rejected("too long")
    content_type = environ.get("CONTENT_TYPE", "").partition(";")[0].strip().lower()
    encoding = environ.get("HTTP_CONTENT_ENCODING", "identity")
    if content_type != "application/json" or encoding.lower() != "identity":
        raise Rejected("type")
    try:
        body = read(int(length))
    except OSError:  # the sender has hung up
        body = b""
    if len(body) != int(length):
        raise Rejected("cut short")
    return body


def headers_of(environ: Environ, scheme: signing.Scheme) -> dict[str, str]:
    """The headers that the signing scheme reads, by its names for them; "" for a missing header."""
    names = filter(None, (scheme.signature, scheme.delivery, scheme.event, scheme.time))
    return {name: environ.get(HttpHeaders.to_wsgi_name(name), "") for name in names}


def verified(headers: Mapping[str, str], body: bytes, now: datetime) -> Arrival:
    """The delivery, not stored yet, if upstream signed it. Raises Rejected if it did not, or if the body is no JSON."""
    scheme = settings.NOTPANEL_WEBHOOK_SCHEME
    try:
        proof = signing.verify(headers, body, settings.NOTPANEL_WEBHOOK_SECRETS, now.timestamp(), scheme)
    except signing.Untrusted as untrusted:
        raise Rejected(untrusted.reason) from None
    try:
        delivery = signing.read(headers, body, scheme)
        text = body.decode()
    except ValueError:
        raise Rejected("malformed") from None
    return Arrival(
        key=delivery.id or BODY_KEY + hashlib.sha256(body).hexdigest(), digest=proof.digest, mark=proof.mark, body=text,
        event=delivery.event, upstream_id=delivery.order, status=delivery.status, received_at=now,
    )  # fmt: skip

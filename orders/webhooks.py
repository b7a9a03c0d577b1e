"""The door that upstream rings: a signed delivery is kept before it is told so, and rings a bell, no more.

Whatever comes here changes nothing but a count unless one of our secrets signed it.
"""

import hashlib
import re
from collections.abc import Mapping
from datetime import datetime
from http import HTTPStatus

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from orders.deliveries import Delivery
from orders.hearing import healthy as healthy
from orders.inbox import INBOX, NotKept
from orders.turned_away import COUNTS
from panel.notpanel import signing

MOST_BYTES = 64 * 1024  # of a body; upstream's have a few hundred
RETRY_SECONDS = 5

#                    status  sentence
REFUSALS: dict[str, tuple[int, str]] = {
    "unsigned":  (401, signing.REASONS["unsigned"]),
    "garbled":   (400, signing.REASONS["garbled"]),
    "forged":    (401, signing.REASONS["forged"]),
    "stale":     (400, signing.REASONS["stale"]),
    "early":     (400, signing.REASONS["early"]),
    "no length": (411, "A delivery says how long it is."),
    "too long":  (413, f"A delivery has at most {MOST_BYTES:,} bytes."),
    "cut short": (400, "The body is shorter than it was said to be."),
    "type":      (415, "A delivery is plain application/json."),
    "malformed": (400, "The body is no JSON object in UTF-8."),
}  # fmt: skip
# 503 and not 404: the address is right, and upstream comes again until the secret is set, so nothing of it is lost.
NONE_SET = "NOTPANEL_WEBHOOK_SECRETS is not set, so no delivery can be told from a forgery, and none is taken."

_DIGITS = re.compile("[0-9]{1,12}", re.ASCII)


class Unwanted(Exception):
    """Not taken; `reason` is one of REFUSALS."""

    def __init__(self, reason: str) -> None:
        super().__init__(REFUSALS[reason][1])
        self.reason = reason


@csrf_exempt
def door(request: HttpRequest) -> HttpResponse:
    """2xx only for what is on the disk, be it for the second time."""
    if request.method != "POST":
        response = said(HTTPStatus.METHOD_NOT_ALLOWED, "Deliveries are POSTs.")
        response["Allow"] = "POST"
        return response
    if not settings.NOTPANEL_WEBHOOK_SECRETS:
        return said(HTTPStatus.SERVICE_UNAVAILABLE, NONE_SET)
    now = timezone.now()
    try:
        INBOX.put(judged(request.headers, body_of(request), now))
    except Unwanted as no:
        COUNTS.note(no.reason, now)
        return said(REFUSALS[no.reason][0], str(no))
    except NotKept:
        response = said(HTTPStatus.SERVICE_UNAVAILABLE, "The delivery could not be kept. Send it again.")
        response["Retry-After"] = str(RETRY_SECONDS)
        return response
    return said(HTTPStatus.OK, "Taken.")


def said(status: int, sentence: str) -> HttpResponse:
    response = HttpResponse(f"{sentence}\n", status=status, content_type="text/plain; charset=utf-8")
    response._has_been_logged = True  # type: ignore[attr-defined]  # one line a request is enough in a flood
    return response


def body_of(request: HttpRequest) -> bytes:
    """The raw body, of which not a byte is read before its length is known to be bearable."""
    length = request.META.get("CONTENT_LENGTH") or ""
    if not _DIGITS.fullmatch(length):
        raise Unwanted("no length")
    if int(length) > MOST_BYTES:
        raise Unwanted("too long")
    encoding = request.headers.get("Content-Encoding", "identity")
    if request.content_type != "application/json" or encoding.lower() != "identity":
        raise Unwanted("type")
    try:
        body = request.read(int(length))
    except OSError:  # whoever sent it has gone
        body = b""
    if len(body) != int(length):
        raise Unwanted("cut short")
    return body


def judged(headers: Mapping[str, str], body: bytes, now: datetime) -> Delivery:
    """The delivery, if upstream signed it; not kept yet."""
    scheme = settings.NOTPANEL_WEBHOOK_SCHEME
    try:
        proof = signing.verify(headers, body, settings.NOTPANEL_WEBHOOK_SECRETS, now.timestamp(), scheme)
    except signing.Untrusted as no:
        raise Unwanted(no.reason) from None
    try:
        told = signing.read(headers, body, scheme)
        text = body.decode()
    except ValueError:
        raise Unwanted("malformed") from None
    return Delivery(
        key=told.id or hashlib.sha256(body).hexdigest(), digest=proof.digest, mark=proof.mark, body=text,
        event=told.event, upstream_id=told.order, status=told.status, received_at=now, due_at=now,
    )  # fmt: skip

"""The answers to failures that are no mistake of ours: a database that cannot work, and what no database is asked."""

import logging
from http import HTTPStatus

from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest, HttpResponse, QueryDict
from django.http.multipartparser import MultiPartParserError
from django.middleware.csrf import get_token
from django.template.loader import render_to_string

from panel.ops.outages import Outage, cannot_be_asked, outage_of
from panel.ops.write_probe import WATCH
from panel.web.htmx import wants_fragment

log = logging.getLogger(__name__)

CSRF_FIELD = "csrfmiddlewaretoken"
SECRET_FIELDS = ("password", "secret", "key")  # parts of the names of fields that no page shows back
NO_SENSE = {
    "title": "The desk did not understand that request",
    "advice": "It has a number or a text that is too long. Nothing was done.",
}
HOLDS_KEY = {
    "title": "That has a secret key in it",
    "advice": "It would be stored where colleagues and logs can read it. Nothing was done, and nothing of it was kept. "
    "If it was pasted elsewhere too, or stands in the address above, replace the key.",
}
Typed = list[tuple[str, str]]  # a form's fields with their values, in their order


def answer_failure(request: HttpRequest, error: BaseException | None) -> HttpResponse | None:
    """A 503 for an outage, a 400 for a value that no query can have; None for any other error."""
    if outage := outage_of(error):
        log.error("%s %s: %s: %s", request.method, request.path, outage.title, error)
        WATCH.note(outage)
        return answer_outage(request, outage)
    if error is not None and cannot_be_asked(error):
        log.warning("%s %s: no database can be asked this", request.method, request.path, exc_info=error)
        return HttpResponse(render_to_string("site/failure.html", NO_SENSE), status=HTTPStatus.BAD_REQUEST)
    return None


def answer_outage(request: HttpRequest, outage: Outage) -> HttpResponse:
    """A page that says what is wrong, shows back what was typed, and has a button that sends it once more.

    It asks the database nothing. An open page gets the sentence alone: what was typed there stays there.
    """
    if wants_fragment(request):
        sentence = f"{outage.title}. {outage.advice}" + " Nothing was done." * (request.method == "POST")
        response = HttpResponse(sentence, content_type="text/plain; charset=utf-8")
    else:
        typed = typed_fields(request)
        context = {
            "title": outage.title, "advice": outage.advice, "posted": request.method == "POST",
            "path": request.get_full_path(), "csrf_token": get_token(request),
            "typed": [(name, value) for name, value in typed if not is_secret(name)],
            "whole": not any(is_secret(name) for name, _ in typed),
        }  # fmt: skip
        response = HttpResponse(render_to_string("site/failure.html", context))
    response.status_code = HTTPStatus.SERVICE_UNAVAILABLE
    response["Retry-After"] = str(outage.retry_seconds)
    return response


def answer_pasted_key(request: HttpRequest) -> HttpResponse:
    """A 400 for a request with a secret in it. It shows back nothing that was typed."""
    log.warning("%s %s: a secret key was pasted, and refused", request.method, request.path)
    if wants_fragment(request):
        sentence = f"{HOLDS_KEY['title']}. {HOLDS_KEY['advice']}"
        return HttpResponse(sentence, content_type="text/plain; charset=utf-8", status=HTTPStatus.BAD_REQUEST)
    return HttpResponse(render_to_string("site/failure.html", HOLDS_KEY), status=HTTPStatus.BAD_REQUEST)


def typed_fields(request: HttpRequest) -> Typed:
    """The fields of the form that was sent, without its CSRF token; none when the form cannot be read."""
    try:
        return fields_of(request.POST)
    except (SuspiciousOperation, MultiPartParserError, OSError):
        return []


def fields_of(sent: QueryDict) -> Typed:
    """What was sent in a form or an address, without its CSRF token."""
    return [(name, str(value)) for name, values in sent.lists() for value in values if name != CSRF_FIELD]


def is_secret(name: str) -> bool:
    """Whether a field of this name holds what no page may show."""
    return any(part in name.lower() for part in SECRET_FIELDS)

"""When a person last did something, kept in the session; written once a minute at most. The middleware of sessions."""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.db import DatabaseError, transaction
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from accounts.models import DeskSession, User
from accounts.models.people import SEEN_EVERY
from accounts.sessions.store import SessionStore
from panel.ops.database import brief_wait
from panel.web.htmx import wants_fragment
from panel.web.visitor import address_of, device_of

log = logging.getLogger(__name__)

WRITTEN_EVERY = timedelta(minutes=1)
CLEARED = '"cache", "storage"'  # not the cookies: the one of the device is no secret of the session


def middleware(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Notes that a person uses their session, and has the browser forget the desk's pages when it ends."""

    def watching(request: HttpRequest) -> HttpResponse:
        session: SessionStore = request.session  # type: ignore[assignment]
        response = get_response(request)
        if session.modified and not session.is_empty():  # it is about to be saved, so this costs no write of its own
            session.address, session.device = address_of(request), device_of(request)
            session.used_at = None if is_automatic(request) else timezone.now()
        elif session.row and session.row.user_id and not session.modified and not is_automatic(request):
            note_use(session.row, address_of(request))
        if session.row and session.row.user_id and not is_automatic(request):
            note_person(request.user, timezone.now())
        if session.ended and session.is_empty():
            response["Clear-Site-Data"] = CLEARED
        return response

    return watching


def is_automatic(request: HttpRequest) -> bool:
    """Whether an open page asks by itself, as polls do. A fragment that somebody asked for by typing counts as well:
    whoever works also opens pages and sends forms.
    """
    return request.method in ("GET", "HEAD") and wants_fragment(request)


def note_person(person: Any, now: datetime) -> None:
    """Writes that the person does something now, from which the end of their working day is found.

    Polls do not count. Who signs in is written by a receiver in accounts/models/people.py.
    """
    if not person.is_authenticated or (person.seen_at and now - person.seen_at < SEEN_EVERY):
        return
    try:
        with brief_wait(), transaction.atomic():
            User.objects.note_seen(person.pk, now)
    except DatabaseError as error:
        log.warning("it was not noted that a person is here: %s", error)


def note_use(row: DeskSession, address: str) -> None:
    """Writes that the session is used now, unless that was written within the last minute.

    When nothing can be written now, the page is answered all the same, and the next request tries again.
    """
    now = timezone.now()
    if now - row.used_at < WRITTEN_EVERY:
        return
    try:
        with brief_wait(), transaction.atomic():
            DeskSession.objects.filter(pk=row.pk, used_at__lt=now).update(used_at=now, address=address)
    except DatabaseError as error:
        log.warning("the use of a session was not noted: %s", error)

"""Ends sessions: a person their own, an owner anybody's, the clock what is too old. It holds from the next request."""

from datetime import datetime

from django.db import transaction
from django.http import HttpRequest

from accounts.models import DeskSession, User
from accounts.sign_in.record import record_door

EXPIRED_EVERY_SECONDS = 600
DELETED_ROWS = 1_000  # in one round of the chore


@transaction.atomic
def end_session(session: DeskSession, request: HttpRequest) -> bool:
    """Ends one session, and records it. False when it had ended already."""
    ended, _ = DeskSession.objects.filter(pk=session.pk).delete()
    if ended:
        record_door("session_ended", session.user, request, device_ended=session.device or "an unknown device")
    return bool(ended)


@transaction.atomic
def end_sessions(person: User, request: HttpRequest | None, *, but: DeskSession | None = None) -> int:
    """Ends all sessions of a person, or all `but` one, and records it. Returns how many."""
    sessions = DeskSession.objects.filter(user=person).exclude(pk=but.pk if but else 0)
    ended, _ = sessions.delete()
    if ended:
        record_door("sessions_ended", person, request, count=ended)
    return ended


def delete_expired(now: datetime) -> int:
    """Deletes sessions that have ended by themselves, a lot at a time. Returns how many."""
    ended = DeskSession.objects.ended(now)
    keys = list(ended.order_by("used_at").values_list("pk", flat=True)[:DELETED_ROWS])
    return ended.filter(pk__in=keys).delete()[0]
